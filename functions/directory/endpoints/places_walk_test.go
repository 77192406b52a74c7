package endpoints_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
)

// plainPlaces is what a plain reading of U3 makes of locations, by their parents, and
// of templates, by their workflows; workflows have none.
type plainPlaces map[string]map[string]string

// put is the answer to a put, which is done when it is a good one.
func (p plainPlaces) put(kind, id, above string) int {
	of := map[string]string{"locations": "locations", "templates": "workflows"}[kind]
	if _, there := p[of][above]; above != "" && !there {
		return 422
	}
	for l := above; kind == "locations" && l != ""; l = p[kind][l] {
		if l == id {
			return 422
		}
	}
	_, there := p[kind][id]
	p[kind][id] = above
	if there {
		return 200
	}
	return 201
}

// remove is the answer to a deletion, likewise.
func (p plainPlaces) remove(kind, id string) int {
	by := map[string]string{"locations": "locations", "workflows": "templates"}[kind]
	_, there := p[kind][id]
	switch {
	case !there:
		return 404
	case slices.Contains(slices.Collect(maps.Values(p[by])), id):
		return 409
	}
	delete(p[kind], id)
	return 204
}

// TestU3AnyChangesKeepTheForest walks at random through puts, moves and
// deletions: each is answered as the plain reading says, and what a cold instance
// then finds is what is left.
func TestU3AnyChangesKeepTheForest(t *testing.T) {
	d, plain := open(t), plainPlaces{"locations": {}, "workflows": {}, "templates": {}}
	r := rand.New(rand.NewPCG(1, 2))
	ids := []string{"", "a", "b", "c", "d", "e"}
	seen := map[string]int{}
	for step := range 120 {
		kind := []string{"locations", "locations", "workflows", "templates"}[r.IntN(4)]
		id, above := ids[1+r.IntN(5)], ids[r.IntN(6)]
		body, method, want := object{"name": fmt.Sprint("Step ", step)}, "PUT", 0
		switch kind {
		case "locations":
			body["parent"] = above
			if above == "" {
				body["parent"] = nil
			}
		case "templates":
			above = ids[1+r.IntN(5)]
			body["workflow"], body["teamType"] = above, "simple"
		default:
			above = ""
		}
		if r.IntN(3) == 0 {
			method, body, want = "DELETE", nil, plain.remove(kind, id)
		} else {
			want = plain.put(kind, id, above)
		}
		var match []string
		if got := d.do(t, "root", "GET", kind, id, nil); got.Status == 200 {
			match = []string{"if-match", got.Header["etag"]}
		}
		var a fixture.Answer
		if method == "PUT" {
			a = d.do(t, "root", method, kind, id, body, match...)
		} else {
			a = d.do(t, "root", method, kind, id, nil, match...)
		}
		if a.Status != want {
			t.Fatalf("U3 step %d, %s %s %s %v: %d, want %d: %s", step, method, kind, id, body, a.Status, want, a.Body)
		}
		seen[fmt.Sprint(method, " ", want)]++
	}
	for _, outcome := range []string{"PUT 200", "PUT 201", "PUT 422", "DELETE 204", "DELETE 404", "DELETE 409"} {
		if seen[outcome] == 0 {
			t.Errorf("no %s among %v", outcome, seen)
		}
	}
	facts, err := d.Open().Load(t.Context(), fixture.Organization, directory.Keys{})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids[1:] {
		l, there := facts.Model.Location(id)
		if parent, want := plain["locations"][id]; there != want || there && (l.Parent != parent || l.Closing || len(facts.Model.Subtree(id)) == 0) {
			t.Errorf("U3 %s is %+v (%v), want one in %q (%v)", id, l, there, parent, want)
		}
		tp, there := facts.Model.Template(id)
		if workflow, want := plain["templates"][id]; there != want || tp.Workflow != workflow || tp.Closing {
			t.Errorf("U3 template %s is %+v (%v), want one of %q (%v)", id, tp, there, workflow, want)
		}
		w, there := facts.Model.Workflow(id)
		if _, want := plain["workflows"][id]; there != want || w.Closing {
			t.Errorf("U3 workflow %s is %+v (%v), want %v", id, w, there, want)
		}
	}
}
