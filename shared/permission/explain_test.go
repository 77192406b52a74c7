package permission_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/permission"
)

// explain is the answer to a question with its reasoning.
func explain(c directory.Caller, q permission.Question) permission.Answer {
	q.Explain = true
	return permission.Ask(c, []permission.Question{q}, permission.ExecuteAll)[0]
}

// kinds are the kinds of first steps that an explanation suggests.
func kinds(e *permission.Explanation) []string {
	var all []string
	for _, c := range e.Changes {
		if kind := c.Steps[0].Kind.String(); !slices.Contains(all, kind) {
			all = append(all, kind)
		}
	}
	slices.Sort(all)
	return all
}

func TestExplainedOnlyWhenAsked(t *testing.T) {
	q := onItem("nurse", authz.DoView, "public")
	if a := permission.Ask(caller("nurse", "nurse"), []permission.Question{q}, permission.ExecuteAll)[0]; a.Explanation != nil {
		t.Errorf("%+v", a.Explanation)
	}
	a := explain(caller("nurse", "nurse"), q)
	want := []authz.Path{{Condition: authz.ToView, Given: authz.Given{Role: "staff", Permission: "view", Scope: authz.OnlyLocation}, Held: "icu", Met: "icu"}}
	if !a.Allowed || cmp.Diff(a.Explanation.Paths, want) != "" || len(a.Explanation.Sentences) != 1 {
		t.Errorf("%+v", a.Explanation)
	}
}

// TestT4NothingHiddenIsExplained: what is answered as unknown is explained as
// what is unknown, in nothing.
func TestT4NothingHiddenIsExplained(t *testing.T) {
	unknownRole := onUser("local", "grant_role", "local")
	unknownRole.Resource.Role = "nothing"
	for name, tt := range map[string]struct {
		c directory.Caller
		q permission.Question
	}{
		"a draft that is not seen":            {caller("nurse", "nurse"), onItem("nurse", authz.DoView, "draft")},
		"a private item that is not seen":     {caller("nurse", "nurse"), onItem("nurse", authz.DoEdit, "private")},
		"an item that is not there":           {caller("nurse", "nurse"), onItem("nurse", authz.DoView, "nothing")},
		"a subject out of reach":              {caller("local", "local"), onItem("doctor", authz.DoView, "public")},
		"a user out of reach":                 {caller("local", "local"), onUser("local", "administer", "doctor")},
		"C12 another than the session's":      {caller("nurse", "global"), onItem("doctor", authz.DoView, "public")},
		"a role that is not there, to no one": {caller("local", "nurse"), unknownRole},
		"one that is there, to no one either": {caller("nurse", "nurse"), onUser("nurse", "grant_role", "nurse")},
		"nor is one to be revoked":            {caller("nurse", "nurse"), onUser("nurse", "revoke_role", "nurse")},
	} {
		t.Run(name, func(t *testing.T) {
			a := explain(tt.c, tt.q)
			if a.Allowed || cmp.Diff(a.Explanation, &permission.Explanation{}) != "" {
				t.Errorf("%v: %+v", a.Decision, a.Explanation)
			}
		})
	}
}

// TestT4TheWayIntoAHiddenItemIsNotExplained: to take part needs no view (C5), but
// the grant that lets would tell the item's template.
func TestT4TheWayIntoAHiddenItemIsNotExplained(t *testing.T) {
	for item, paths := range map[string]int{"draft": 0, "private": 0, "elsewhere": 1, "own secret": 1} {
		a := explain(caller("nurse", "nurse"), onItem("nurse", authz.DoParticipate, item))
		if !a.Allowed || len(a.Explanation.Paths) != paths || len(a.Explanation.Sentences) != paths {
			t.Errorf("%s: %v %+v, want %d paths", item, a.Decision, a.Explanation, paths)
		}
	}
	if a := explain(caller("reader", "reader"), onItem("nurse", authz.DoParticipate, "draft")); len(a.Explanation.Paths) != 1 {
		t.Errorf("to who may ask about others: %+v", a.Explanation)
	}
}

// TestT4NamesOfLocationsAreNotGuessed: a question can suppose and name any
// location, and is told the names of the subject's own alone, unless the asker
// reads admin data (R10).
func TestT4NamesOfLocationsAreNotGuessed(t *testing.T) {
	for name, tt := range map[string]struct {
		as       string
		supposed []string
		want     string
	}{
		"one's own":               {"nurse", nil, `To view the item: the role "staff" (grant 1) gives view at Intensive care only, and it is needed there.`},
		"another's":               {"nurse", []string{"ward"}, `To view the item: the role "staff" (grant 1) gives view at ward only, and it is needed there.`},
		"to who reads admin data": {"local", []string{"ward"}, `To view the item: the role "staff" (grant 1) gives view at Ward 7 only, and it is needed there.`},
		"one that is not there":   {"nurse", []string{"nowhere"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := caller(tt.as, tt.as)
			c.Model = c.Model.With(authz.Change{Put: authz.Policy{Locations: []authz.Location{
				{ID: "icu", Name: "Intensive care", Parent: "surgery"}, {ID: "ward", Name: "Ward 7", Parent: "hospital"},
			}}})
			q := onItem("nurse", authz.DoView, "given")
			q.Resource.Facts = &authz.Item{ID: "given", Template: "idea", Status: authz.Active, Locations: []string{"icu"}}
			if tt.supposed != nil {
				q = supposing(q, permission.Hypothetical{Locations: tt.supposed})
				q.Resource.Facts.Locations = tt.supposed
			}
			a := explain(c, q)
			if a.Allowed != (tt.want != "") || a.Allowed && !slices.Equal(a.Explanation.Sentences, []string{tt.want}) {
				t.Errorf("%v: %q, want %q", a.Decision, a.Explanation.Sentences, tt.want)
			}
		})
	}
}

// TestOnlyWhatTheAskerMayDoIsSuggested.
func TestOnlyWhatTheAskerMayDoIsSuggested(t *testing.T) {
	f := facts()
	writer := authz.Role{RoleRef: authz.RoleRef{ID: "writer"}, Admin: authz.Admin{ItemWriter: true, AccessReader: true}}
	editor := authz.Role{RoleRef: authz.RoleRef{ID: "editor"}, Admin: authz.Admin{Roles: true, AccessReader: true}}
	granter := authz.Role{RoleRef: authz.RoleRef{ID: "granter"}, Admin: authz.Admin{
		Local: &authz.UserAdministration{Scope: authz.LocationAndBelow, Grantable: authz.Grantable{Roles: []authz.RoleRef{{ID: "viewer"}}}},
	}}
	viewer := authz.Role{RoleRef: authz.RoleRef{ID: "viewer"}, Grants: []authz.Grant{{
		Templates: []string{"idea"}, Permissions: map[authz.Permission]authz.Scope{authz.View: authz.Everywhere},
	}}}
	f.Model = f.Model.With(authz.Change{Put: authz.Policy{Roles: []authz.Role{writer, editor, granter, viewer}}})
	for _, id := range []string{"writer", "editor", "granter"} {
		u := f.Users["local"] // at surgery, above the nurse's icu
		u.ID, u.Assignments = id, []directory.Assignment{{Assignment: authz.Assignment{Role: authz.RoleRef{ID: id}}}}
		f.Users[id] = u
	}
	as := func(subject, actor string, readOnly bool) directory.Caller {
		c := directory.Caller{Facts: f, Subject: f.Users[subject], Actor: f.Users[actor], ReadOnly: readOnly, At: now}
		if subject != actor {
			c.Session = "session"
		}
		return c
	}
	for name, tt := range map[string]struct {
		c     directory.Caller
		about string
		want  []string
	}{
		"oneself, without any right":                   {as("nurse", "nurse", false), "nurse", nil},
		"R12 who may grant every role":                 {as("global", "global", false), "nurse", []string{"add_location", "assign_role"}},
		"R12 who may grant none of use":                {as("local", "local", false), "nurse", nil},
		"R12 who may grant one, within the reach":      {as("granter", "granter", false), "nurse", []string{"assign_role"}},
		"who may write items":                          {as("writer", "writer", false), "nurse", []string{"join_team"}},
		"who may edit roles":                           {as("editor", "editor", false), "nurse", []string{"widen_scope"}},
		"who may only ask":                             {as("reader", "reader", false), "nurse", nil},
		"I6 both sides":                                {as("global", "granter", false), "nurse", []string{"assign_role"}},
		"I6 one side is not enough":                    {as("global", "nurse", false), "global", nil},
		"I6 the actor's own roles are not changed":     {as("global", "granter", false), "granter", nil},
		"I6 nothing is written in a read_only session": {as("global", "granter", true), "nurse", nil},
		"I6 nor is it when both could":                 {as("global", "global", true), "nurse", nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := explain(tt.c, onItem(tt.about, authz.DoView, "elsewhere"))
			if a.Allowed || !slices.Equal(kinds(a.Explanation), tt.want) {
				t.Errorf("%v: %q, want %q", a.Decision, kinds(a.Explanation), tt.want)
			}
			for _, c := range a.Explanation.Changes {
				if c.Sentence == "" {
					t.Errorf("%+v is not said", c)
				}
			}
		})
	}
}

// supposing is a question about a hypothetical subject.
func supposing(q permission.Question, h permission.Hypothetical) permission.Question {
	q.Hypothetical = &h
	return q
}

func roles(ids ...string) []permission.HeldRole {
	all := []permission.HeldRole{}
	for _, id := range ids {
		all = append(all, permission.HeldRole{Role: id})
	}
	return all
}

func TestHypothetical(t *testing.T) {
	over := []permission.HeldRole{{Role: "staff", Until: now}}
	open := []permission.HeldRole{{Role: "staff", Until: now.Add(time.Second)}}
	limited := []permission.HeldRole{{Role: "staff", Locations: []string{"icu"}}}
	view := func(item string) permission.Question { return onItem("nurse", authz.DoView, item) }
	for name, tt := range map[string]struct {
		as   string
		q    permission.Question
		want authz.Decision
	}{
		"other locations":                          {"reader", supposing(view("elsewhere"), permission.Hypothetical{Locations: []string{"ward"}}), authz.Decision{Allowed: true, Reason: authz.RoleGrant}},
		"instead of one's own":                     {"reader", supposing(view("public"), permission.Hypothetical{Locations: []string{"ward"}}), authz.Decision{Reason: authz.OutOfScope}},
		"no roles":                                 {"reader", supposing(view("public"), permission.Hypothetical{Roles: roles()}), authz.Decision{Reason: authz.NoGrant}},
		"what is left out stays":                   {"reader", supposing(view("public"), permission.Hypothetical{}), authz.Decision{Allowed: true, Reason: authz.RoleGrant}},
		"R5 an assignment that is over":            {"reader", supposing(view("public"), permission.Hypothetical{Roles: over}), authz.Decision{Reason: authz.NoGrant}},
		"R5 one that is not yet":                   {"reader", supposing(view("public"), permission.Hypothetical{Roles: open}), authz.Decision{Allowed: true, Reason: authz.RoleGrant}},
		"R5 a limit to what is left":               {"reader", supposing(view("public"), permission.Hypothetical{Roles: limited, Locations: []string{"ward"}}), authz.Decision{Reason: authz.NoGrant}},
		"a role that does not exist gives nothing": {"reader", supposing(view("public"), permission.Hypothetical{Roles: roles("nothing")}), authz.Decision{Reason: authz.NoGrant}},
		"rights over others":                       {"global", supposing(onUser("nurse", "administer", "doctor"), permission.Hypothetical{Roles: roles("global")}), authz.Decision{Allowed: true, Reason: authz.RoleGrant}},
		"rights over oneself, as one would be": {"global", supposing(onUser("nurse", "administer", "nurse"), permission.Hypothetical{
			Roles: roles("local"), Locations: []string{"ward"}}), authz.Decision{Allowed: true, Reason: authz.RoleGrant}},
		"T4 oneself, with a role of one's own":          {"nurse", supposing(view("public"), permission.Hypothetical{Roles: roles("staff")}), authz.Decision{Allowed: true, Reason: authz.RoleGrant}},
		"T4 a role that one may not read gives nothing": {"nurse", supposing(onUser("nurse", "administer", "nurse"), permission.Hypothetical{Roles: roles("global")}), authz.Decision{Reason: authz.NoGrant}},
		"T4 others are as unknown as ever":              {"nurse", supposing(onItem("doctor", authz.DoView, "public"), permission.Hypothetical{Roles: roles("staff")}), authz.Decision{Reason: authz.UnknownSubject}},
		"T4 an item that one does not see":              {"nurse", supposing(view("elsewhere"), permission.Hypothetical{Locations: []string{"ward"}}), authz.Decision{Reason: authz.UnknownResource}},
		"T4 nor a private one":                          {"nurse", supposing(view("private"), permission.Hypothetical{Locations: []string{"icu"}}), authz.Decision{Reason: authz.UnknownResource}},
		"T4 who may ask about others is told":           {"local", supposing(view("elsewhere"), permission.Hypothetical{Locations: []string{"ward"}}), authz.Decision{Allowed: true, Reason: authz.RoleGrant}},
		"T4 what one may know stays as it is":           {"nurse", supposing(onItem("doctor", authz.DoView, "public"), permission.Hypothetical{Roles: roles("reader")}), authz.Decision{Reason: authz.UnknownSubject}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := ask(caller(tt.as, tt.as), tt.q); d != tt.want {
				t.Errorf("%v, want %v", d, tt.want)
			}
		})
	}
}

// TestT4FactsAreNotGuessedHypothetically: of a stored item that one does not see,
// no supposition tells anything.
func TestT4FactsAreNotGuessedHypothetically(t *testing.T) {
	for id := range facts().Items {
		if ask(caller("nurse", "nurse"), onItem("nurse", authz.DoView, id)).Allowed {
			continue
		}
		for _, location := range []string{"hospital", "surgery", "icu", "ward"} {
			for action := authz.DoParticipate; action <= authz.DoEscalate; action++ {
				q := supposing(onItem("nurse", action, id), permission.Hypothetical{Locations: []string{location}, Roles: roles("staff")})
				if d := ask(caller("nurse", "nurse"), q); d != (authz.Decision{Reason: authz.UnknownResource}) {
					t.Errorf("%s %s at %s: %v", action, id, location, d)
				}
			}
		}
	}
}

func TestHypotheticalIsExplainedWithoutChanges(t *testing.T) {
	a := explain(caller("global", "global"), supposing(onItem("nurse", authz.DoView, "public"), permission.Hypothetical{Roles: roles()}))
	want := &permission.Explanation{Missing: []authz.Missing{{Condition: authz.ToView, Reason: authz.NoGrant, Permission: "view"}}}
	if diff := cmp.Diff(want, a.Explanation, cmpopts.IgnoreFields(authz.Missing{}, "Team"), cmpopts.IgnoreFields(permission.Explanation{}, "Sentences")); diff != "" {
		t.Error(diff)
	}
}

// TestChangesAreSoughtWithinBounds: questions that are asked at once share how
// much is tried; what is not looked through is said not to be.
func TestChangesAreSoughtWithinBounds(t *testing.T) {
	c := caller("global", "global")
	var put authz.Policy
	for i := range 300 {
		r := authz.Role{RoleRef: authz.RoleRef{ID: fmt.Sprint("viewer-", i)}, Grants: []authz.Grant{{
			Templates: []string{"idea"}, Permissions: map[authz.Permission]authz.Scope{authz.View: authz.Everywhere},
		}}}
		put.Roles = append(put.Roles, r)
	}
	c.Model = c.Model.With(authz.Change{Put: put})
	q := onItem("nurse", authz.DoView, "elsewhere")
	q.Explain = true
	answers := permission.Ask(c, slices.Repeat([]permission.Question{q}, 100), permission.ExecuteAll)
	sought := 0
	for i, a := range answers {
		e := a.Explanation
		if e.ChangesNotSought == (len(e.Changes) > 0) || len(e.Missing) == 0 {
			t.Errorf("%d: %d changes, not sought %v", i, len(e.Changes), e.ChangesNotSought)
		}
		if !e.ChangesNotSought {
			sought++
		}
	}
	if sought < 10 || sought > 90 || answers[0].Explanation.ChangesNotSought {
		t.Errorf("of 100 equal questions %d were looked into", sought)
	}
}

// TestWhatIsLeftOutIsCounted: of many paths, and of much that stops short, fifty
// are told and the rest counted.
func TestWhatIsLeftOutIsCounted(t *testing.T) {
	c := caller("global", "global")
	nurse := c.Users["nurse"]
	var put authz.Policy
	for i := range 60 {
		ref := authz.RoleRef{ID: fmt.Sprint("viewer-", i)}
		put.Roles = append(put.Roles, authz.Role{RoleRef: ref, Grants: []authz.Grant{{
			Templates: []string{"idea"}, Permissions: map[authz.Permission]authz.Scope{authz.View: authz.OnlyLocation},
		}}})
		nurse.Assignments = append(nurse.Assignments, directory.Assignment{Assignment: authz.Assignment{Role: ref}})
	}
	c.Users["nurse"], c.Model = nurse, c.Model.With(authz.Change{Put: put})
	if e := explain(c, onItem("nurse", authz.DoView, "public")).Explanation; len(e.Paths) != 50 || e.PathsLeftOut != 11 || e.HeldLeftOut != 0 {
		t.Errorf("%d paths, %d left out, %d held left out", len(e.Paths), e.PathsLeftOut, e.HeldLeftOut)
	}
	e := explain(c, onItem("nurse", authz.DoView, "elsewhere")).Explanation
	if len(e.Missing) != 1 || len(e.Missing[0].Held) != 50 || e.HeldLeftOut != 11 || e.PathsLeftOut != 0 {
		t.Errorf("missing %d, %d held left out, %d paths left out", len(e.Missing), e.HeldLeftOut, e.PathsLeftOut)
	}
}
