package template

import (
	"fmt"
	"regexp"
	"strings"
)

// noValue is what {"Ref": "AWS::NoValue"} resolves to: the member or element
// that holds it is left out.
type noValue struct{}

// resolve replaces every function of CloudFormation in a value by what it
// stands for. A reference to something that was neither declared with a
// default nor given by Set is an error: a guess would start a stack that is
// not the template's.
func (t *Template) resolve(value any) (any, error) {
	switch value := value.(type) {
	case []any:
		return t.resolveList(value)
	case map[string]any:
		if len(value) == 1 {
			for name, argument := range value {
				if function, ok := functions[name]; ok {
					return function(t, argument)
				}
			}
		}
		return t.resolveMap(value)
	default:
		return value, nil
	}
}

func (t *Template) resolveMap(members map[string]any) (any, error) {
	out := make(map[string]any, len(members))
	for _, name := range sortedKeys(members) { // in order, so that a fault is told the same each time
		value, err := t.resolve(members[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if _, absent := value.(noValue); !absent {
			out[name] = value
		}
	}
	return out, nil
}

func (t *Template) resolveList(elements []any) ([]any, error) {
	out := make([]any, 0, len(elements))
	for i, element := range elements {
		value, err := t.resolve(element)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", i, err)
		}
		if _, absent := value.(noValue); !absent {
			out = append(out, value)
		}
	}
	return out, nil
}

type function func(*Template, any) (any, error)

var functions map[string]function

func init() { // the functions call resolve, which reads this table
	functions = map[string]function{
		"Ref":           (*Template).ref,
		"Condition":     (*Template).condition,
		"Fn::GetAtt":    (*Template).getAtt,
		"Fn::Sub":       (*Template).sub,
		"Fn::Join":      (*Template).join,
		"Fn::Select":    (*Template).selectOne,
		"Fn::Split":     (*Template).split,
		"Fn::FindInMap": (*Template).findInMap,
		"Fn::If":        (*Template).ifElse,
		"Fn::Equals":    (*Template).equals,
		"Fn::Not":       (*Template).not,
		"Fn::And":       (*Template).and,
		"Fn::Or":        (*Template).or,
	}
}

func (t *Template) ref(argument any) (any, error) {
	name, ok := argument.(string)
	if !ok {
		return nil, fmt.Errorf("a Ref needs a name")
	}
	return t.value(name)
}

func (t *Template) value(name string) (any, error) {
	if name == "AWS::NoValue" {
		return noValue{}, nil
	}
	if value, ok := t.values[name]; ok {
		return value, nil
	}
	return nil, fmt.Errorf("%s has no value here", name)
}

func (t *Template) getAtt(argument any) (any, error) {
	name, ok := argument.(string)
	if parts, list := argument.([]any); list && len(parts) == 2 {
		name, ok = fmt.Sprintf("%v.%v", parts[0], parts[1]), true
	}
	if !ok {
		return nil, fmt.Errorf("the function Fn::GetAtt needs a resource and an attribute")
	}
	return t.value(name)
}

var placeholder = regexp.MustCompile(`\$\{[^}]*\}`)

func (t *Template) sub(argument any) (any, error) {
	text, _ := argument.(string)
	local := map[string]any{}
	if parts, list := argument.([]any); list && len(parts) == 2 {
		text, _ = parts[0].(string)
		own, err := t.resolve(parts[1])
		if err != nil {
			return nil, err
		}
		local, _ = own.(map[string]any)
	}
	var missing error
	out := placeholder.ReplaceAllStringFunc(text, func(found string) string {
		name := strings.TrimSpace(found[2 : len(found)-1])
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			return "${" + literal + "}"
		}
		value, ok := local[name]
		if !ok {
			var err error
			if value, err = t.value(name); err != nil {
				missing = err
			}
		}
		return fmt.Sprint(value)
	})
	return out, missing
}

// arguments resolves a list that must have n elements (any number when n is 0).
func (t *Template) arguments(argument any, n int) ([]any, error) {
	list, ok := argument.([]any)
	if !ok || (n > 0 && len(list) != n) {
		return nil, fmt.Errorf("a function has the wrong number of arguments: %v", argument)
	}
	return t.resolveList(list)
}

func (t *Template) join(argument any) (any, error) {
	list, err := t.arguments(argument, 2)
	if err != nil {
		return nil, err
	}
	elements, _ := list[1].([]any)
	texts := make([]string, len(elements))
	for i, element := range elements {
		texts[i] = fmt.Sprint(element)
	}
	return strings.Join(texts, fmt.Sprint(list[0])), nil
}

func (t *Template) selectOne(argument any) (any, error) {
	list, err := t.arguments(argument, 2)
	if err != nil {
		return nil, err
	}
	var index int
	elements, _ := list[1].([]any)
	if _, err := fmt.Sscan(fmt.Sprint(list[0]), &index); err != nil || index < 0 || index >= len(elements) {
		return nil, fmt.Errorf("the function Fn::Select finds no element %v", list[0])
	}
	return elements[index], nil
}

func (t *Template) split(argument any) (any, error) {
	list, err := t.arguments(argument, 2)
	if err != nil {
		return nil, err
	}
	var out []any
	for _, part := range strings.Split(fmt.Sprint(list[1]), fmt.Sprint(list[0])) {
		out = append(out, part)
	}
	return out, nil
}

func (t *Template) findInMap(argument any) (any, error) {
	path, err := t.arguments(argument, 3)
	if err != nil {
		return nil, err
	}
	var value any = t.section("Mappings")
	for _, step := range path {
		members, _ := value.(map[string]any)
		var ok bool
		if value, ok = members[fmt.Sprint(step)]; !ok {
			return nil, fmt.Errorf("the function Fn::FindInMap finds no %v", path)
		}
	}
	return value, nil
}

func (t *Template) condition(argument any) (any, error) {
	rule, ok := t.section("Conditions")[fmt.Sprint(argument)]
	if !ok {
		return nil, fmt.Errorf("no condition %v", argument)
	}
	return t.resolve(rule)
}

func (t *Template) ifElse(argument any) (any, error) {
	list, ok := argument.([]any)
	if !ok || len(list) != 3 {
		return nil, fmt.Errorf("the function Fn::If needs a condition and two values")
	}
	holds, err := t.condition(list[0])
	if err != nil {
		return nil, err
	}
	if holds == true {
		return t.resolve(list[1])
	}
	return t.resolve(list[2])
}

func (t *Template) equals(argument any) (any, error) {
	list, err := t.arguments(argument, 2)
	if err != nil {
		return nil, err
	}
	return fmt.Sprint(list[0]) == fmt.Sprint(list[1]), nil
}

func (t *Template) not(argument any) (any, error) {
	list, err := t.arguments(argument, 1)
	if err != nil {
		return nil, err
	}
	return list[0] != true, nil
}

func (t *Template) and(argument any) (any, error) {
	list, err := t.arguments(argument, 0)
	if err != nil {
		return nil, err
	}
	for _, element := range list {
		if element != true {
			return false, nil
		}
	}
	return true, nil
}

func (t *Template) or(argument any) (any, error) {
	list, err := t.arguments(argument, 0)
	if err != nil {
		return nil, err
	}
	for _, element := range list {
		if element == true {
			return true, nil
		}
	}
	return false, nil
}
