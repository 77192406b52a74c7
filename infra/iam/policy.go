// Package iam judges what the functions ask of the table by the policies that
// template.yaml gives them, as IAM would: a local DynamoDB allows everything,
// so a right that is missing would show in the cloud alone.
//
// It decides by action, resource and leading keys, which is all that the
// template's statements for the table name, and refuses to read a statement
// with anything else. A call's keys are held to one statement all together.
package iam

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"gemba/infra/local/template"
)

// Policies are the statements of the functions by their logical ids.
type Policies map[string][]Statement

// Statement is one statement about the table. Resources are "Table" and
// "Table/index/gsi1".
type Statement struct {
	Sid                      string
	Deny                     bool
	Actions, Resources, Keys []string
}

// document is a policy as CloudFormation has it.
type document struct {
	Statement []struct {
		Sid, Effect string
		Action      []string
		Resource    any
		Condition   map[string]map[string]any
	}
}

// leadingKeys is the one condition that statements about the table have.
const leadingKeys = "dynamodb:LeadingKeys"

// Read reads what each function of a template may do with its table.
func Read(file string) (Policies, error) {
	t, err := template.Read(file)
	if err != nil {
		return nil, err
	}
	// References stand for themselves; only whose they are matters here.
	t.Set("Table.Arn", "Table")
	t.Set("Table.StreamArn", "Stream")
	t.Set("EmailIdentity", "EmailIdentity")
	t.Set("UserPool.Arn", "UserPool")
	for _, kind := range []string{"AWS::IAM::ManagedPolicy", "AWS::IAM::Role", "AWS::SQS::Queue"} {
		for _, id := range t.All(kind) {
			t.Set(id, id)
			t.Set(id+".Arn", id)
		}
	}
	found := Policies{}
	for _, id := range t.All("AWS::Serverless::Function") {
		if found[id], err = ofFunction(t, id); err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
	}
	return found, nil
}

// ofFunction is the statements of a function's own policies, or of its role's.
func ofFunction(t *template.Template, id string) ([]Statement, error) {
	var function struct {
		Role     string
		Policies []any
	}
	if err := t.Properties(id, &function); err != nil {
		return nil, err
	}
	policies := function.Policies
	if function.Role != "" {
		var role struct {
			ManagedPolicyArns []any
			Policies          []struct{ PolicyDocument any }
		}
		if err := t.Properties(function.Role, &role); err != nil {
			return nil, err
		}
		policies = role.ManagedPolicyArns
		for _, p := range role.Policies {
			policies = append(policies, p.PolicyDocument)
		}
	}
	var statements []Statement
	for _, p := range policies {
		more, err := statementsOf(t, p)
		if err != nil {
			return nil, err
		}
		statements = append(statements, more...)
	}
	return statements, nil
}

// statementsOf reads a policy document, or the name of a managed policy; AWS's
// own have nothing about the table.
func statementsOf(t *template.Template, policy any) ([]Statement, error) {
	name, named := policy.(string)
	if named && strings.HasPrefix(name, "arn:") {
		return nil, nil
	}
	var d document
	if named {
		var managed struct{ PolicyDocument document }
		if err := t.Properties(name, &managed); err != nil {
			return nil, err
		}
		d = managed.PolicyDocument
	} else if err := reread(policy, &d); err != nil {
		return nil, err
	}
	var statements []Statement
	for _, s := range d.Statement {
		resources := list(s.Resource)
		if !slices.ContainsFunc(resources, func(r string) bool { return r == "Table" || strings.HasPrefix(r, "Table/") }) {
			if slices.ContainsFunc(s.Action, reachesTable) {
				return nil, fmt.Errorf("statement %s reaches tables beyond the own one", s.Sid)
			}
			continue
		}
		keys, err := conditionKeys(s.Condition)
		if err != nil {
			return nil, fmt.Errorf("statement %s: %w", s.Sid, err)
		}
		statements = append(statements, Statement{s.Sid, s.Effect == "Deny", s.Action, resources, keys})
	}
	return statements, nil
}

// streamActions are those on the table's stream.
var streamActions = []string{"dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"}

func reachesTable(action string) bool {
	return strings.HasPrefix(action, "dynamodb:") && !slices.Contains(streamActions, action)
}

// conditionKeys are the patterns of the statement's one condition.
func conditionKeys(condition map[string]map[string]any) ([]string, error) {
	for operator, values := range condition {
		if operator != "ForAllValues:StringLike" && operator != "ForAnyValue:StringLike" || len(values) != 1 || values[leadingKeys] == nil {
			return nil, fmt.Errorf("the condition %s is not understood", operator)
		}
		return list(values[leadingKeys]), nil
	}
	return nil, fmt.Errorf("a statement about the table names its keys")
}

// Allows tells why a function may not do the action on all of these keys at
// once; nil when it may. Resource is "Table" or "Table/index/gsi1".
func (p Policies) Allows(function, action, resource string, keys []string) error {
	allowed := false
	for _, s := range p[function] {
		if !slices.Contains(s.Actions, action) || !slices.Contains(s.Resources, resource) {
			continue
		}
		if s.Deny && slices.ContainsFunc(keys, s.names) {
			return fmt.Errorf("%s may not %s %v on %s: %s", function, action, keys, resource, s.Sid)
		}
		if !s.Deny && len(keys) > 0 && !slices.ContainsFunc(keys, func(key string) bool { return !s.names(key) }) {
			allowed = true
		}
	}
	if !allowed {
		return fmt.Errorf("%s may not %s %v on %s: no statement allows it", function, action, keys, resource)
	}
	return nil
}

// names tells whether one of the statement's patterns matches the key.
func (s Statement) names(key string) bool {
	return slices.ContainsFunc(s.Keys, func(pattern string) bool {
		// A key has no slash, so path.Match's * is IAM's.
		matched, err := path.Match(pattern, key)
		return err == nil && matched
	})
}
