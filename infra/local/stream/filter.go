package stream

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/aws/aws-lambda-go/events"
)

// filter is the patterns of an event source mapping: a record that fits one of
// them is delivered; no patterns let everything through. Of EventBridge's
// comparisons it knows equality, prefix, suffix, anything-but and exists; a
// pattern with another is refused when the stack starts, not ignored.
type filter []map[string]any

func newFilter(patterns []string) (filter, error) {
	var out filter
	for _, text := range patterns {
		var pattern map[string]any
		if err := json.Unmarshal([]byte(text), &pattern); err != nil {
			return nil, fmt.Errorf("filter pattern %s: %w", text, err)
		}
		if err := checkPattern(pattern); err != nil {
			return nil, fmt.Errorf("filter pattern %s: %w", text, err)
		}
		out = append(out, pattern)
	}
	return out, nil
}

func checkPattern(pattern map[string]any) error {
	for name, part := range pattern {
		switch part := part.(type) {
		case map[string]any:
			if err := checkPattern(part); err != nil {
				return err
			}
		case []any:
			for _, one := range part {
				if err := checkComparison(one); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
		default:
			return fmt.Errorf("%s: a pattern's leaf is a list", name)
		}
	}
	return nil
}

func checkComparison(one any) error {
	comparison, isOne := one.(map[string]any)
	if !isOne {
		return nil
	}
	for operator := range comparison {
		if _, known := comparisons[operator]; !known || len(comparison) != 1 {
			return fmt.Errorf("the comparison %v is not known here", comparison)
		}
	}
	return nil
}

func (f filter) fits(record events.DynamoDBEventRecord) (bool, error) {
	if len(f) == 0 {
		return true, nil
	}
	text, err := json.Marshal(record)
	if err != nil {
		return false, err
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return false, err
	}
	for _, pattern := range f {
		if fits(pattern, value, true) {
			return true, nil
		}
	}
	return false, nil
}

// fits compares one level of a pattern; present is whether the value is there.
func fits(pattern, value any, present bool) bool {
	if members, ok := pattern.(map[string]any); ok {
		values, _ := value.(map[string]any)
		for name, part := range members {
			member, there := values[name]
			if !fits(part, member, there) {
				return false
			}
		}
		return true
	}
	for _, one := range pattern.([]any) { // checkPattern admits nothing else
		if matches(one, value, present) {
			return true
		}
	}
	return false
}

func matches(one, value any, present bool) bool {
	if comparison, ok := one.(map[string]any); ok {
		for operator, argument := range comparison {
			return comparisons[operator](argument, value, present)
		}
	}
	return present && reflect.DeepEqual(one, value)
}

var comparisons = map[string]func(argument, value any, present bool) bool{
	"prefix": func(argument, value any, _ bool) bool {
		start, _ := argument.(string)
		text, ok := value.(string)
		return ok && strings.HasPrefix(text, start)
	},
	"suffix": func(argument, value any, _ bool) bool {
		end, _ := argument.(string)
		text, ok := value.(string)
		return ok && strings.HasSuffix(text, end)
	},
	"anything-but": func(argument, value any, present bool) bool {
		list, ok := argument.([]any)
		if !ok {
			list = []any{argument}
		}
		for _, one := range list {
			if reflect.DeepEqual(one, value) {
				return false
			}
		}
		return present
	},
	"exists": func(argument, _ any, present bool) bool { return argument == present },
}
