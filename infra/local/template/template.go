// Package template reads template.yaml, the one truth about what is deployed,
// so that what runs on this machine is made from the same words: the table,
// the routes, the authorizer, the pool, the stream, the schedule and the
// functions' environment.
//
// It resolves CloudFormation's functions and SAM's globals as far as those
// resources need them and refuses what it cannot resolve. It knows neither how
// a resource is created nor what it is for.
package template

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// Template is a template.yaml with the values of its parameters and, as they
// become known by Set, of its resources. It is not safe for concurrent use.
type Template struct {
	document map[string]any
	values   map[string]any
}

// Region and Account stand for AWS::Region and AWS::AccountId: moto's account.
const (
	Region  = "us-east-1"
	Account = "123456789012"
)

// Read reads a template file; its parameters have their defaults.
func Read(path string) (*Template, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t, err := Parse(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Parse reads a template from its text.
func Parse(content []byte) (*Template, error) {
	var node yaml.Node
	if err := yaml.Unmarshal(content, &node); err != nil {
		return nil, err
	}
	if len(node.Content) == 0 {
		return nil, fmt.Errorf("the template is empty")
	}
	value, err := plain(&node)
	if err != nil {
		return nil, err
	}
	document, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the template is no mapping")
	}
	t := &Template{document: document, values: map[string]any{
		"AWS::Region": Region, "AWS::AccountId": Account, "AWS::Partition": "aws",
		"AWS::URLSuffix": "amazonaws.com", "AWS::StackName": "gemba-local",
	}}
	for name, parameter := range t.section("Parameters") {
		if value, ok := parameter.(map[string]any)["Default"]; ok {
			t.values[name] = value
		}
	}
	return t, nil
}

// Set gives a parameter ("Stage"), a resource ("Table") or an attribute of one
// ("Table.Arn") its value.
func (t *Template) Set(name, value string) { t.values[name] = value }

// Value is what was Set for a name, empty when nothing was.
func (t *Template) Value(name string) string {
	value, _ := t.values[name].(string)
	return value
}

// Only is the logical id of the one resource of a CloudFormation type. None or
// several are an error: a local stack would not know which one is meant.
func (t *Template) Only(kind string) (string, error) {
	found := t.All(kind)
	if len(found) != 1 {
		return "", fmt.Errorf("the template has %d resources of type %s, one is expected", len(found), kind)
	}
	return found[0], nil
}

// All is the sorted logical ids of the resources of a CloudFormation type
// whose condition, if they have one, holds.
func (t *Template) All(kind string) []string {
	var out []string
	for _, id := range sortedKeys(t.section("Resources")) {
		resource := t.resource(id)
		if resource["Type"] != kind {
			continue
		}
		if name, conditional := resource["Condition"]; conditional {
			if holds, err := t.condition(name); err != nil || holds != true {
				continue
			}
		}
		out = append(out, id)
	}
	return out
}

// Properties resolves one resource's properties into out, a pointer to a
// struct whose fields are named as the properties are. Members that the struct
// lacks are not resolved, so what it does not ask for may refer to anything.
func (t *Template) Properties(id string, out any) error {
	properties, _ := t.resource(id)["Properties"].(map[string]any)
	if err := t.decode(properties, out); err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	return nil
}

func (t *Template) decode(properties map[string]any, out any) error {
	wanted := map[string]any{}
	for _, name := range fieldNames(out) {
		if value, ok := properties[name]; ok {
			wanted[name] = value
		}
	}
	resolved, err := t.resolve(wanted)
	if err != nil {
		return err
	}
	text, err := json.Marshal(resolved)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, out)
}

func (t *Template) resource(id string) map[string]any {
	resource, _ := t.section("Resources")[id].(map[string]any)
	return resource
}

func (t *Template) section(name string) map[string]any {
	section, _ := t.document[name].(map[string]any)
	return section
}

// Root is the folder of the module: the nearest one above the working
// directory with a go.mod.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no go.mod above the working directory: run this inside the repository")
		}
		dir = parent
	}
}
