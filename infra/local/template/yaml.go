package template

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// plain turns a YAML node into maps, lists and scalars, with CloudFormation's
// short tags (!Ref X) in their long form ({"Ref": "X"}), which is what resolve
// reads.
func plain(node *yaml.Node) (any, error) {
	if node.Kind == yaml.AliasNode {
		return plain(node.Alias)
	}
	bare := *node
	function, short := longForm(node.Tag)
	if short {
		bare.Tag = ""
	}
	value, err := untagged(&bare)
	if err != nil || !short {
		return value, err
	}
	return map[string]any{function: value}, nil
}

func untagged(node *yaml.Node) (any, error) {
	switch node.Kind {
	case yaml.DocumentNode:
		return plain(node.Content[0])
	case yaml.MappingNode:
		return mapping(node)
	case yaml.SequenceNode:
		list := make([]any, 0, len(node.Content))
		for _, child := range node.Content {
			value, err := plain(child)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, nil
	default:
		var value any
		if err := node.Decode(&value); err != nil {
			return nil, fmt.Errorf("line %d: %w", node.Line, err)
		}
		return value, nil
	}
}

func mapping(node *yaml.Node) (any, error) {
	out := make(map[string]any, len(node.Content)/2)
	for i := 0; i < len(node.Content); i += 2 {
		key := node.Content[i].Value
		if _, twice := out[key]; twice {
			return nil, fmt.Errorf("line %d: %q is there twice", node.Content[i].Line, key)
		}
		value, err := plain(node.Content[i+1])
		if err != nil {
			return nil, err
		}
		out[key] = value
	}
	return out, nil
}

// longForm is the function that a short tag stands for. YAML's own tags
// (!!str, …) are none.
func longForm(tag string) (string, bool) {
	switch {
	case len(tag) < 2 || tag[0] != '!' || tag[1] == '!':
		return "", false
	case tag == "!Ref" || tag == "!Condition":
		return tag[1:], true
	default:
		return "Fn::" + tag[1:], true
	}
}
