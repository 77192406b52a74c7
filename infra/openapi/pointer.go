package openapi

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// escape makes a member's name a part of a JSON pointer.
func escape(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

func unescape(part string) string {
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
}

// fragment is a JSON pointer as the fragment of a URL.
func fragment(pointer string) string {
	parts := strings.Split(pointer, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return strings.Join(parts, "/")
}

func parent(pointer string) string {
	return pointer[:max(strings.LastIndex(pointer, "/"), 0)]
}

// raw is the mapping at a pointer, its references on the way followed but not
// its own; nil when there is none.
func (d *Document) raw(pointer string) map[string]any {
	above, _ := d.at(parent(pointer))
	found, _ := above[unescape(pointer[strings.LastIndex(pointer, "/")+1:])].(map[string]any)
	return found
}

// at is the mapping at a pointer, all references followed, and where it truly
// stands; nil when there is none.
func (d *Document) at(pointer string) (map[string]any, string) {
	value, at := d.root, ""
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if pointer == "" {
			break
		}
		next, ok := value[unescape(part)].(map[string]any)
		if !ok {
			return nil, ""
		}
		value, at = next, at+"/"+part
		if to, ok := value["$ref"].(string); ok && strings.HasPrefix(to, "#/") {
			value, at = d.at(to[1:])
		}
	}
	return value, at
}

// walk shows every mapping below a value with its pointer.
func walk(value any, pointer string, show func(string, map[string]any)) {
	switch v := value.(type) {
	case map[string]any:
		show(pointer, v)
		for _, name := range slices.Sorted(maps.Keys(v)) {
			walk(v[name], pointer+"/"+escape(name), show)
		}
	case []any:
		for i, member := range v {
			walk(member, fmt.Sprintf("%s/%d", pointer, i), show)
		}
	}
}

// Examples are every example in the document by its pointer, with whether it
// is a valid value of the schema beside it.
func (d *Document) Examples() map[string]error {
	found := map[string]error{}
	walk(d.root, "", func(pointer string, v map[string]any) {
		schema := d.schemas[pointer+"/schema"]
		if schema == nil {
			if whole := d.schemas[pointer]; whole != nil {
				examples, _ := v["examples"].([]any)
				for i, example := range examples {
					found[fmt.Sprintf("%s/examples/%d", pointer, i)] = whole.Validate(example)
				}
			}
			return
		}
		if example, ok := v["example"]; ok {
			found[pointer+"/example"] = schema.Validate(example)
		}
		named, _ := v["examples"].(map[string]any)
		for name := range named {
			entry, _ := named[name].(map[string]any)
			found[pointer+"/examples/"+escape(name)] = schema.Validate(entry["value"])
		}
	})
	return found
}
