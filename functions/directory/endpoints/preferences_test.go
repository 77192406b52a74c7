package endpoints_test

import (
	"fmt"
	"slices"
	"testing"

	"gemba/shared/dynamotest/fixture"
	"gemba/shared/timeline"
)

func TestPreferences(t *testing.T) {
	w := openPeople(t)
	many := object{}
	for i := range 201 {
		many[fmt.Sprint("n", i)] = true
	}
	for _, c := range []struct {
		rule, as, user string
		body           any
		headers        []string
		status         int
		code, pointer  string
	}{
		{"R15 one's own choice", "nurse", "nurse", object{"notifications": object{"item_assigned": false, "due": true}}, nil, 200, "", ""},
		{"R11 an administrator's for others", "local", "nurse", object{"notifications": object{"item_assigned": true}}, nil, 200, "", ""},
		{"U2 of any type that signs in", "capture", "capture", object{"notifications": object{"item_assigned": false}}, nil, 200, "", ""},
		{"T4 others'", "nurse", "doctor", object{"notifications": object{}}, nil, 404, "not_found", ""},
		{"T4 outside the reach", "local", "doctor", object{"notifications": object{}}, nil, 404, "not_found", ""},
		{"T4 nobody's", "root", "nobody", object{"notifications": object{}}, nil, 404, "not_found", ""},
		{"a stale If-Match is heeded", "nurse", "nurse", object{"notifications": object{}}, []string{"if-match", `"1"`}, 412, "stale", ""},
		{"nothing said", "nurse", "nurse", object{}, nil, 400, "malformed", "/notifications"},
		{"no body", "nurse", "nurse", nil, nil, 400, "malformed", ""},
		{"no yes or no", "nurse", "nurse", object{"notifications": object{"a": "on"}}, nil, 400, "malformed", "/notifications/a"},
		{"no id", "nurse", "nurse", object{"notifications": object{"a b": true}}, nil, 400, "malformed", "/notifications/a b"},
		{"a list", "nurse", "nurse", object{"notifications": []string{"a"}}, nil, 400, "malformed", "/notifications"},
		{"201 of them", "nurse", "nurse", object{"notifications": many}, nil, 400, "malformed", "/notifications"},
		{"an unknown member", "nurse", "nurse", object{"notifications": object{}, "theme": "dark"}, nil, 400, "malformed", "/theme"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			a := w.ask(t, putPreferences, c.as, c.user, c.body, c.headers...)
			isAnswered(t, c.rule, a, c.status, c.code)
			if c.code == "malformed" && !slices.Equal(a.Pointers(t), []string{c.pointer}) {
				t.Errorf("%s: pointers %q, want %q", c.rule, a.Pointers(t), c.pointer)
			}
			read := w.ask(t, getPreferences, "root", c.user, nil)
			if c.status == 200 && (read.Body != a.Body || read.Header["etag"] != a.Header["etag"]) {
				t.Errorf("%s: put %s, read %s", c.rule, a.Body, read.Body)
			}
		})
	}
	if a := w.ask(t, getPreferences, "nurse", "nurse", nil); a.Body != `{"notifications":{"item_assigned":true}}` || a.Header["etag"] != `"3"` {
		t.Errorf("R15 the last choice replaces all: %s %s", a.Header["etag"], a.Body)
	}
	if a := w.ask(t, getPreferences, "doctor", "doctor", nil); a.Body != `{"notifications":{}}` {
		t.Errorf("R15 who chose nothing: %s", a.Body)
	}
	isAnswered(t, "T4 others' are not read", w.ask(t, getPreferences, "nurse", "doctor", nil), 404, "not_found")
	isAnswered(t, "R15 one more choice", w.ask(t, putPreferences, "nurse", "nurse", object{"notifications": object{"due": true}}), 200, "")
	e := w.last(t, "nurse")
	same := w.ask(t, putPreferences, "nurse", "nurse", object{"notifications": object{"due": true}})
	if same.Header["etag"] != `"4"` {
		t.Errorf("the same choice wrote version %s", same.Header["etag"])
	}
	if e.Type != timeline.User || e.Action != "prefer" || fmt.Sprint(e.Before, e.After) != "map[notifications:map[item_assigned:true]] map[notifications:map[due:true]]" {
		t.Errorf("T1 the entry is %+v", e)
	}
	if u := w.User(t, "nurse"); len(u.Assignments) != 1 || u.Sub != fixture.Sub("nurse") {
		t.Errorf("the choice changed more: %+v", u)
	}
}
