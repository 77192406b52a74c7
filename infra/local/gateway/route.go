package gateway

import (
	"fmt"
	"strings"

	"gemba/infra/local/template"
)

// route is one route with the segments of its path.
type route struct {
	template.Route
	function string
	segments []string
}

// routes finds the route of a request: a route whose every segment fits
// before a greedy one ({proxy+}), and among those the one with the most
// literal segments, as API Gateway does.
type routes []route

func newRoutes(functions []template.Function) (routes, error) {
	var out routes
	taken := map[string]string{}
	for _, function := range functions {
		for _, declared := range function.Routes {
			if other, twice := taken[declared.Key()]; twice {
				return nil, fmt.Errorf("route %s belongs to both %s and %s", declared.Key(), other, function.ID)
			}
			taken[declared.Key()] = function.ID
			out = append(out, route{Route: declared, function: function.ID, segments: split(declared.Path)})
		}
	}
	return out, nil
}

func (all routes) find(method, path string) (found *route, parameters map[string]string) {
	best := -1
	for i := range all {
		candidate := &all[i]
		if candidate.Method != method && candidate.Method != "ANY" {
			continue
		}
		if values, rank, fits := candidate.match(split(path)); fits && rank > best {
			best, found, parameters = rank, candidate, values
		}
	}
	return found, parameters
}

func (r *route) match(path []string) (parameters map[string]string, rank int, fits bool) {
	for i, segment := range r.segments {
		name, variable := strings.CutPrefix(segment, "{")
		name = strings.TrimSuffix(name, "}")
		if greedy, ok := strings.CutSuffix(name, "+"); variable && ok && len(path) > i {
			return with(parameters, greedy, strings.Join(path[i:], "/")), rank, true
		}
		switch {
		case len(path) <= i:
			return nil, 0, false
		case variable && path[i] != "":
			parameters = with(parameters, name, path[i])
			rank += 100 // a full match is above any greedy one
		case segment == path[i]:
			rank += 101
		default:
			return nil, 0, false
		}
	}
	return parameters, rank + 100, len(path) == len(r.segments)
}

func with(values map[string]string, name, value string) map[string]string {
	if values == nil {
		values = map[string]string{}
	}
	values[name] = value
	return values
}

func split(path string) []string { return strings.Split(strings.TrimPrefix(path, "/"), "/") }
