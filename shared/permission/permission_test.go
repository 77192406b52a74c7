package permission_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/permission"
)

var now = time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC)

// model is a policy with one role for each way to be allowed to ask.
func model() *authz.Model {
	role := func(id string, r authz.Role) authz.Role { r.RoleRef, r.Name = authz.RoleRef{ID: id}, id; return r }
	staff := authz.Grant{Workflows: []string{"improvement"}, Permissions: map[authz.Permission]authz.Scope{
		authz.Participate: authz.Yes, authz.View: authz.OnlyLocation,
	}}
	return authz.Compile(authz.Policy{
		Locations: []authz.Location{{ID: "hospital"}, {ID: "surgery", Parent: "hospital"}, {ID: "icu", Parent: "surgery"}, {ID: "ward", Parent: "hospital"}},
		Workflows: []authz.Workflow{{ID: "improvement"}},
		Templates: []authz.Template{{ID: "idea", Workflow: "improvement", TeamType: authz.Simple}},
		Roles: []authz.Role{
			role("staff", authz.Role{Grants: []authz.Grant{staff}}),
			role("reader", authz.Role{Admin: authz.Admin{AccessReader: true}}),
			role("global", authz.Role{Admin: authz.Admin{Global: &authz.UserAdministration{Grantable: authz.Grantable{All: true}}, Impersonate: true}}),
			role("local", authz.Role{Admin: authz.Admin{Local: &authz.UserAdministration{Scope: authz.LocationAndBelow}, Impersonate: true}}),
		},
	})
}

// facts are everybody and everything there is.
func facts() directory.Facts {
	f := directory.Facts{
		Organization: directory.Organization{ID: "riverside"}, Model: model(), Policy: 7,
		Users: map[string]directory.User{}, Items: map[string]directory.Item{},
	}
	for id, u := range map[string]struct{ location, role string }{
		"nurse": {"icu", "staff"}, "doctor": {"ward", "staff"}, "reader": {"ward", "reader"}, "auditor": {"ward", "reader"},
		"global": {"ward", "global"}, "local": {"surgery", "local"},
	} {
		held := directory.Assignment{Assignment: authz.Assignment{Role: authz.RoleRef{ID: u.role}}}
		f.Users[id] = directory.User{ID: id, Type: authz.General, Locations: []string{u.location}, Assignments: []directory.Assignment{held}, SignIn: directory.Enabled}
	}
	for id, i := range map[string]authz.Item{
		"public": {Status: authz.Active}, "elsewhere": {Status: authz.Active, Locations: []string{"ward"}}, "new": {Status: authz.New},
		"draft": {Status: authz.Draft}, "private": {Status: authz.Active, Private: true},
		"private draft": {Status: authz.Draft, Private: true},
		"own secret":    {Status: authz.Draft, Private: true, Team: map[authz.TeamRole][]string{authz.Follower: {"nurse"}}},
	} {
		i.ID, i.Template = id, "idea"
		if i.Locations == nil {
			i.Locations = []string{"icu"}
		}
		f.Items[id] = directory.Item{Item: i}
	}
	return f
}

// caller is a subject, in a session when the actor is another.
func caller(subject, actor string) directory.Caller {
	f := facts()
	c := directory.Caller{Facts: f, Subject: f.Users[subject], Actor: f.Users[actor], At: now}
	if subject != actor {
		c.Session = "session"
	}
	return c
}

func ask(c directory.Caller, q permission.Question) authz.Decision {
	return permission.Ask(c, []permission.Question{q}, permission.ExecuteAll)[0].Decision
}

func onItem(subject string, action authz.Action, item string) permission.Question {
	return permission.Question{
		Subject: permission.Subject{Type: "user", ID: subject}, Action: action.String(),
		Resource: permission.Resource{Type: "item", ID: item},
	}
}

func onUser(subject, action, target string) permission.Question {
	return permission.Question{
		Subject: permission.Subject{Type: "user", ID: subject}, Action: action,
		Resource: permission.Resource{Type: "user", ID: target, Role: "staff"},
	}
}

var everybody = []string{"nurse", "doctor", "reader", "auditor", "global", "local"}

// askers are who asks, as whom, and about whom they may.
var askers = []struct {
	name, subject, actor string
	knows                []string
}{
	{"T4 a plain user may ask about oneself", "nurse", "nurse", []string{"nurse"}},
	{"R10 access_reader may ask about everybody", "reader", "reader", everybody},
	{"R11 a user administrator may ask about all they administer", "global", "global", everybody},
	{"R11 a local one about those in reach", "local", "local", []string{"nurse", "local"}},
	{"C12 oneself is the session's subject, never its actor", "nurse", "global", []string{"nurse"}},
	{"I6 both sides administer, the narrower reach counts", "global", "local", []string{"nurse", "global", "local"}},
	{"I6 whoever the sides", "local", "global", []string{"nurse", "local"}},
	{"I6 the subject's access_reader alone is not enough", "reader", "local", []string{"reader"}},
	{"I6 nor is the actor's", "nurse", "reader", []string{"nurse"}},
	{"I6 both sides read", "reader", "auditor", everybody},
}

func TestWhoMayBeAskedAbout(t *testing.T) {
	for _, tt := range askers {
		t.Run(tt.name, func(t *testing.T) {
			c := caller(tt.subject, tt.actor)
			for id := range c.Users {
				known := ask(c, onItem(id, authz.DoView, "public")) != authz.Decision{Reason: authz.UnknownSubject}
				if want := slices.Contains(tt.knows, id); known != want {
					t.Errorf("about %s: %v, want %v", id, known, want)
				}
			}
			if d := ask(c, onItem("nobody", authz.DoView, "public")); d.Reason != authz.UnknownSubject {
				t.Errorf("about nobody: %v", d)
			}
		})
	}
}

func TestT4TargetsNotKnownAnswerAsNobody(t *testing.T) {
	for _, tt := range askers {
		t.Run(tt.name, func(t *testing.T) {
			c := caller(tt.subject, tt.actor)
			for target := range c.Users {
				for _, action := range []string{"administer", "change_persona", "impersonate", "grant_role", "revoke_role"} {
					got, nobody := ask(c, onUser(tt.subject, action, target)), ask(c, onUser(tt.subject, action, "nobody"))
					if known := slices.Contains(tt.knows, target); known == (got == nobody) {
						t.Errorf("%s %s: %v, of nobody %v; known: %v", action, target, got, nobody, known)
					}
				}
			}
		})
	}
}

// TestT4WhichRolesExist: who may not read the roles learns by no reason whether
// there is one of an id.
func TestT4WhichRolesExist(t *testing.T) {
	c := caller("nurse", "nurse")
	capture := c.Users["nurse"]
	capture.Type = authz.Capture
	typed := c
	typed.Subject, typed.Actor, typed.Users = capture, capture, map[string]directory.User{"nurse": capture}
	for name, tt := range map[string]struct {
		c          directory.Caller
		about      string
		none, some authz.Reason
	}{
		"a plain user":                       {c, "nurse", authz.NoGrant, authz.NoGrant},
		"U2 one who may hold no such right":  {typed, "nurse", authz.WrongUserType, authz.WrongUserType},
		"I6 the actor may not read them":     {caller("local", "nurse"), "local", authz.NotGrantable, authz.NotGrantable},
		"R10 an admin is told":               {caller("reader", "reader"), "reader", authz.UnknownResource, authz.NoGrant},
		"R10 so is a local administrator":    {caller("local", "local"), "nurse", authz.UnknownResource, authz.NotGrantable},
		"R10 and who asks of others' rights": {caller("reader", "reader"), "nurse", authz.UnknownResource, authz.NoGrant},
	} {
		for _, action := range []string{"grant_role", "revoke_role"} {
			q := onUser(tt.c.Subject.ID, action, tt.about)
			if d := ask(tt.c, q); d != (authz.Decision{Reason: tt.some}) {
				t.Errorf("%s, %s: of a role %v, want %v", name, action, d, tt.some)
			}
			q.Resource.Role = "nothing"
			if d := ask(tt.c, q); d != (authz.Decision{Reason: tt.none}) {
				t.Errorf("%s, %s: of none %v, want %v", name, action, d, tt.none)
			}
		}
	}
}

// TestT4Secrets: what a plain user is told of items that they may not see.
func TestT4Secrets(t *testing.T) {
	secret := []string{"draft", "private", "private draft"}
	actions := []authz.Action{authz.DoParticipate, authz.DoView, authz.DoEdit, authz.DoRequest, authz.DoAssign,
		authz.DoTogglePrivate, authz.DoHonorRoll, authz.DoDelete, authz.DoEscalate}
	for _, action := range actions {
		for id := range facts().Items {
			d := ask(caller("nurse", "nurse"), onItem("nurse", action, id))
			absent := ask(caller("nurse", "nurse"), onItem("nurse", action, "absent"))
			if hidden := slices.Contains(secret, id); !d.Allowed && hidden != (d == absent) {
				t.Errorf("T4 %s %s: %v, of an absent item %v", action, id, d, absent)
			}
		}
	}
	table := []struct {
		name, subject, actor, about, item string
		want                              authz.Decision
	}{
		{"T4 a draft", "nurse", "nurse", "nurse", "draft", authz.Decision{Reason: authz.UnknownResource}},
		{"T4 a private item", "nurse", "nurse", "nurse", "private", authz.Decision{Reason: authz.UnknownResource}},
		{"a new item is no secret", "nurse", "nurse", "nurse", "new", authz.Decision{Reason: authz.IsNew}},
		{"nor is one out of scope", "nurse", "nurse", "nurse", "elsewhere", authz.Decision{Reason: authz.OutOfScope}},
		{"nor is one's own", "nurse", "nurse", "nurse", "own secret", authz.Decision{Allowed: true, Reason: authz.TeamMember}},
		{"what is seen is told", "nurse", "nurse", "nurse", "public", authz.Decision{Allowed: true, Reason: authz.RoleGrant}},
		{"access_reader is told of others", "reader", "reader", "nurse", "private", authz.Decision{Reason: authz.IsPrivate}},
		{"and of oneself", "reader", "reader", "reader", "draft", authz.Decision{Reason: authz.IsDraft}},
		{"so is a user administrator, of others", "local", "local", "nurse", "private", authz.Decision{Reason: authz.IsPrivate}},
		{"and of oneself", "local", "local", "local", "private", authz.Decision{Reason: authz.IsPrivate}},
		{"I6 not when the actor may not ask", "local", "nurse", "local", "private", authz.Decision{Reason: authz.UnknownResource}},
		{"C12 nor when the subject may not", "nurse", "global", "nurse", "private", authz.Decision{Reason: authz.UnknownResource}},
	}
	for _, tt := range table {
		t.Run(tt.name, func(t *testing.T) {
			if d := ask(caller(tt.subject, tt.actor), onItem(tt.about, authz.DoView, tt.item)); d != tt.want {
				t.Errorf("%v, want %v", d, tt.want)
			}
		})
	}
}

func TestC5ParticipateNeedsNoView(t *testing.T) {
	d := ask(caller("nurse", "nurse"), onItem("nurse", authz.DoParticipate, "private"))
	if want := (authz.Decision{Allowed: true, Reason: authz.RoleGrant}); d != want {
		t.Errorf("%v, want %v", d, want)
	}
}

func TestC8FactsOfTheQuestionAreNoSecret(t *testing.T) {
	q := onItem("nurse", authz.DoView, "private")
	q.Resource.Facts = &authz.Item{ID: "private", Template: "idea", Status: authz.Active, Private: true}
	if d := ask(caller("nurse", "nurse"), q); d.Reason != authz.IsPrivate {
		t.Errorf("%v, want private", d)
	}
	q.Resource.Facts = &authz.Item{ID: "private", Template: "idea", Status: authz.Active, Locations: []string{"icu"}}
	if d := ask(caller("nurse", "nurse"), q); !d.Allowed {
		t.Errorf("%v: the stored item was asked, not the facts given", d)
	}
}

func TestC7TheOrganizationIsOnesOwn(t *testing.T) {
	q := permission.Question{
		Subject: permission.Subject{Type: "user", ID: "reader"}, Action: "access_reader",
		Resource: permission.Resource{Type: "organization", ID: "riverside"},
	}
	c := caller("reader", "reader")
	if d := ask(c, q); !d.Allowed {
		t.Errorf("its own: %v", d)
	}
	q.Resource.ID = "lakeside"
	if d := ask(c, q); d != (authz.Decision{Reason: authz.UnknownResource}) {
		t.Errorf("another: %v", d)
	}
	q.Action = "fly"
	if d := ask(c, q); d.Reason != authz.UnknownAction {
		t.Errorf("what is unknown first: %v", d)
	}
}

func TestC12TheSubjectIsNeverReplaced(t *testing.T) {
	c := caller("global", "local")
	own := permission.Question{
		Subject: permission.Subject{Type: "user", ID: "global"}, Action: "global_user_administrator",
		Resource: permission.Resource{Type: "organization", ID: "riverside"},
	}
	if d := ask(c, own); !d.Allowed {
		t.Errorf("the subject's own right: %v", d)
	}
	own.Subject.ID = "local"
	if d := ask(c, own); d.Allowed || d.Reason != authz.NoGrant {
		t.Errorf("the actor asked about: %v", d)
	}
}

func TestAskStopsByTheSemantic(t *testing.T) {
	yes, no := onItem("nurse", authz.DoView, "public"), onItem("nurse", authz.DoEdit, "public")
	faulty := permission.Question{Faults: []fault.Problem{{Pointer: "/evaluations/0/subject", Detail: "This member is required."}}}
	kinds := map[string]permission.Question{"y": yes, "n": no, "!": faulty}
	table := []struct {
		semantic        permission.Semantic
		asked, answered string
	}{
		{permission.ExecuteAll, "y!ny", "y!ny"},
		{permission.DenyOnFirstDeny, "yyny", "yyn"},
		{permission.DenyOnFirstDeny, "y!y", "y!"},
		{permission.DenyOnFirstDeny, "yy", "yy"},
		{permission.DenyOnFirstDeny, "ny", "n"},
		{permission.PermitOnFirstPermit, "n!yn", "n!y"},
		{permission.PermitOnFirstPermit, "nn", "nn"},
		{permission.PermitOnFirstPermit, "yn", "y"},
	}
	tried := map[permission.Semantic]bool{}
	for _, tt := range table {
		tried[tt.semantic] = true
		var questions []permission.Question
		for _, kind := range tt.asked {
			questions = append(questions, kinds[string(kind)])
		}
		var answered string
		for _, a := range permission.Ask(caller("nurse", "nurse"), questions, tt.semantic) {
			switch {
			case len(a.Faults) > 0 && !a.Allowed && a.Reason == authz.NoReason:
				answered += "!"
			case a.Allowed:
				answered += "y"
			default:
				answered += "n"
			}
		}
		if answered != tt.answered {
			t.Errorf("%s of %s: %s, want %s", tt.semantic, tt.asked, answered, tt.answered)
		}
	}
	for s := range permission.SemanticCount {
		if !tried[s] || s.String() == "" {
			t.Errorf("%q has no case or no word", s)
		}
	}
	if permission.SemanticCount.String() != "" {
		t.Error("the count has a word")
	}
}

func TestNeeds(t *testing.T) {
	given := onItem("nurse", authz.DoView, "given")
	given.Resource.Facts = &authz.Item{}
	faulty := onItem("faulty", authz.DoView, "faulty")
	faulty.Faults = []fault.Problem{{Detail: "no"}}
	group := onItem("group", authz.DoView, "public")
	group.Subject.Type = "group"
	document := onItem("doctor", authz.DoView, "document")
	document.Resource.Type = "document"
	board := onItem("doctor", authz.AdministerBoard, "board")
	board.Resource.Type = "board"

	keys := permission.Needs([]permission.Question{given, faulty, group, document, board, onUser("local", "administer", "reader")})
	want := directory.Keys{Users: []string{"nurse", "doctor", "doctor", "local", "reader"}, Items: []string{"public"}}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Error(diff)
	}
}
