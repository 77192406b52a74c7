package whole

import (
	"slices"
	"strings"
	"testing"
)

// search is the body of a search; members that are empty are left out.
func search(subject, action string, resource object) object {
	s := object{"type": "user"}
	if subject != "" {
		s["id"] = subject
	}
	body := object{"subject": s, "resource": resource}
	if action != "" {
		body["action"] = object{"name": action}
	}
	return body
}

// finds is all that a search finds, page after page of at most limit results.
func finds(t *testing.T, c client, what string, body object, limit int) []string {
	t.Helper()
	results, page := []string{}, object{"limit": limit}
	for {
		body["page"] = page
		r := c.post(t, "/access/v1/search/"+what, body).is(t, 200).members(t, "page", "results")
		found := r.body["results"].(list)
		if len(found) > limit || !strings.HasPrefix(string(r.raw), `{"page":`) {
			t.Fatalf("at most %d are wanted: %s", limit, r.raw)
		}
		for _, f := range found {
			results = append(results, text(at(f, "id"))+text(at(f, "name")))
		}
		token := text(at(r.body, "page", "next_token"))
		if token == "" {
			return results
		}
		page = object{"token": token}
	}
}

func TestSearching(t *testing.T) {
	t.Parallel()
	o := quiet(t)
	organizationResource := object{"type": "organization", "id": o.id}
	role := object{"type": "user", "properties": object{"role": "frontline"}}
	cases := []struct {
		rule, as, what string
		body           object
		want           []string
	}{
		{"C3 who sees an item", "svc", "subject", search("", "view", item("i1")), []string{"finn", "lea", "mia", "noel", "wally"}},
		{"C2 who edits it", "svc", "subject", search("", "edit", item("i1")), []string{"lea", "mia"}},
		{"C3 a draft", "svc", "subject", search("", "view", item("i5")), []string{"lea"}},
		{"C3 a private item", "svc", "subject", search("", "view", item("i3")), nil},
		{"C5 who takes part", "svc", "subject", search("", "participate", item("i4")), []string{"cap", "finn", "kim", "mia", "noel", "wes"}},
		{"C8 with facts in the question", "svc", "subject", search("", "view", facts(object{"template": "idea", "status": "new", "locations": []string{"east-2"}})), []string{"lea"}},
		{"C7 who administers", "svc", "subject", search("", "administer", object{"type": "user", "id": "mia"}), []string{"abe", "ada", "hugo", "lena", "sam", "vera"}},
		{"C7 who may create users", "svc", "subject", search("", "create_users", organizationResource), []string{"abe", "ada", "lena"}},
		{"T4 a plain user finds oneself", "mia", "subject", search("", "view", item("i1")), []string{"mia"}},
		{"T4 a local administrator those in reach", "lena", "subject", search("", "participate", item("i4")), []string{"cap", "finn", "kim", "mia", "noel"}},
		{"C3 what is seen", "mia", "resource", search("mia", "view", object{"type": "item"}), []string{"i1"}},
		{"R7 what a lead edits", "svc", "resource", search("lea", "edit", object{"type": "item"}), []string{"i1", "i2", "i5"}},
		{"T4 of somebody else nothing", "mia", "resource", search("finn", "view", object{"type": "item"}), nil},
		{"R12 to whom a role may be given", "lena", "resource", search("lena", "grant_role", role),
			[]string{"cap", "finn", "hugo", "ina", "kim", "lea", "lena", "mia", "noel", "otto", "seth", "wally"}},
		{"C7 one's own organization", "lea", "resource", search("lea", "create_boards", object{"type": "organization"}), []string{o.id}},
		{"C8 boards are not stored here", "ada", "resource", search("ada", "administer", object{"type": "board"}), nil},
		{"C1 what may be done", "mia", "action", search("mia", "", item("i1")), []string{"participate", "view", "edit"}},
		{"C7 to a user", "lena", "action", search("lena", "", object{"type": "user", "id": "mia"}), []string{"administer", "change_persona"}},
		{"C8 nothing to what there is not", "mia", "action", search("mia", "", item("nothing")), nil},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			for _, limit := range []int{2, 500} {
				if got := finds(t, o.as(t, c.as), c.what, c.body, limit); !slices.Equal(got, c.want) && len(got)+len(c.want) > 0 {
					t.Errorf("on pages of %d: %q, want %q", limit, got, c.want)
				}
			}
		})
	}
	t.Run("a token is bound to caller and search", func(t *testing.T) {
		body := search("", "view", item("i1"))
		body["page"] = object{"limit": 1}
		token := at(o.as(t, "svc").post(t, "/access/v1/search/subject", body).is(t, 200).body, "page", "next_token")
		body["page"] = object{"token": token}
		o.as(t, "ada").post(t, "/access/v1/search/subject", body).problem(t, 400, "malformed", "/page/token")
		body["action"] = object{"name": "edit"}
		o.as(t, "svc").post(t, "/access/v1/search/subject", body).problem(t, 400, "malformed", "/page/token")
	})
	t.Run("needs a sign-in", func(t *testing.T) {
		for what, body := range map[string]object{"subject": search("", "view", item("i1")), "resource": search("mia", "view", object{"type": "item"}), "action": search("mia", "", item("i1"))} {
			client{url: o.url}.post(t, "/access/v1/search/"+what, body).is(t, 401)
		}
	})
}

// TestC11SearchesSeeEveryChange: what was given or taken before a search is in
// it.
func TestC11SearchesSeeEveryChange(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	ada, svc := o.as(t, "ada"), o.as(t, "svc")
	who := func() []string { return finds(t, svc, "subject", search("", "edit", item("i1")), 500) }
	what := func() []string { return finds(t, svc, "resource", search("wes", "edit", object{"type": "item"}), 500) }
	for range 3 {
		ada.put(t, "/v1/users/wes/roles/lead", object{}).is(t, 200)
		if got := what(); !slices.Equal(got, []string{"i4"}) {
			t.Fatalf("given, and found %q", got)
		}
		ada.put(t, "/v1/users/finn/roles/lead", object{}).is(t, 200)
		if got := who(); !slices.Equal(got, []string{"finn", "lea", "mia"}) {
			t.Fatalf("given, and found %q", got)
		}
		ada.delete(t, "/v1/users/wes/roles/lead").is(t, 200)
		ada.delete(t, "/v1/users/finn/roles/lead").is(t, 200)
		if a, b := what(), who(); len(a) > 0 || !slices.Equal(b, []string{"lea", "mia"}) {
			t.Fatalf("taken, and found %q, %q", a, b)
		}
	}
}
