package authz

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// lists tells whether the user is in one of the sources.
func (s SubjectSources) lists(u User) bool {
	holds := func(roles []RoleRef) bool {
		return slices.ContainsFunc(u.Assignments, func(a Assignment) bool { return slices.Contains(roles, a.Role) })
	}
	return slices.Contains(s.Team, u.ID) || holds(s.Members) || holds(s.Roles) && meet(s.Locations, u.Locations)
}

// lists tells whether the item is in one of the sources of the user.
func (s ItemSources) lists(it *Item, user string) bool {
	onTeam := false
	for _, users := range it.Team {
		onTeam = onTeam || slices.Contains(users, user)
	}
	return s.Team && onTeam || slices.Contains(s.Templates, it.Template) ||
		slices.Contains(s.Located, it.Template) && meet(s.Locations, it.Locations)
}

func (s UserSources) lists(u User) bool { return s.Everybody || meet(s.Locations, u.Locations) }

func meet(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}

// TestSearchSourcesHoldAllThatIsAllowed: whoever Decide allows something is
// where a search of subjects looks, and what it allows them on is where one of
// resources does.
func TestSearchSourcesHoldAllThatIsAllowed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := randomPolicy(t)
		m := Compile(policy)
		for _, id := range someUsers[:3] {
			u := randomUser(t, id)
			s := m.Subject(u, now)
			for _, q := range randomQuestions(t) {
				if q.action.fixed().internal || !m.Decide(s, q.action, q.resource).Allowed {
					continue
				}
				if sources := m.SubjectSources(q.action, q.resource); !sources.lists(u) {
					t.Fatalf("%+v\n%s\nis allowed and not in %+v", u, q, sources)
				}
				switch sources := m.ItemSources(s, q.action); {
				case q.resource.Item != nil && !sources.lists(q.resource.Item, id):
					t.Fatalf("%+v\n%s\nis allowed and not in %+v", u, q, sources)
				case q.resource.User != nil && !m.UserSources(s, q.action, q.resource.Role).lists(*q.resource.User):
					t.Fatalf("%+v\n%s\nis allowed and not in %+v", u, q, m.UserSources(s, q.action, q.resource.Role))
				}
			}
		}
	})
}

// TestSearchSourcesNameNoRoleWithoutTheRight: on items, of a role that is named
// somebody could pass the action's own gate.
func TestSearchSourcesNameNoRoleWithoutTheRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy, it := randomPolicy(t), randomItem(t)
		m := Compile(policy)
		tpl, known := m.templates.byID[it.Template]
		for _, a := range ActionsOn(ItemResource) {
			sources := m.SubjectSources(a, Resource{Type: ItemResource, Item: it})
			named := slices.Concat(sources.Members, sources.Roles)
			if !known && len(named) > 0 {
				t.Fatalf("C8 of an unknown template: %+v", sources)
			}
			_, permissions := itemRules[a].own()
			for _, r := range named {
				rights := m.live(r).items[tpl.number]
				if !slices.ContainsFunc(permissions, rights.holds) {
					t.Fatalf("%s: %s does not give it", a, r.ID)
				}
			}
			if len(sources.Roles) == 0 != (len(sources.Locations) == 0) {
				t.Fatalf("%s: one side of both: %+v", a, sources)
			}
		}
	})
}

func TestActionsOn(t *testing.T) {
	for kind := NoResourceType + 1; kind < ResourceTypeCount; kind++ {
		on := ActionsOn(kind)
		if len(on) == 0 || !slices.IsSorted(on) {
			t.Errorf("%s: %v", kind, on)
		}
		for a := NoAction + 1; a < ActionCount; a++ {
			if parsed, ok := ParseAction(kind, a.String()); slices.Contains(on, a) != (ok && parsed == a) {
				t.Errorf("%s on %s: listed %v, can be asked %v", a, kind, slices.Contains(on, a), ok)
			}
		}
	}
}

func refs(ids ...string) []RoleRef {
	var all []RoleRef
	for _, id := range ids {
		all = append(all, ref(id))
	}
	return all
}

var subjectSources = []struct {
	name   string
	given  func(*scene)
	action Action
	want   SubjectSources
}{
	{"R4 everywhere: whoever holds the role", func(s *scene) { s.gives(View, Everywhere) }, DoView, SubjectSources{Members: refs("staff")}},
	{"C5 participate is a plain yes", func(s *scene) { s.gives(Participate, Yes) }, DoParticipate, SubjectSources{Members: refs("staff")}},
	{"R5 only_location: who is there, too", func(s *scene) { s.gives(View, OnlyLocation) }, DoView,
		SubjectSources{Roles: refs("staff"), Locations: []string{"ward"}}},
	{"R5 and below: who is there or above", func(s *scene) { s.gives(View, LocationAndBelow) }, DoView,
		SubjectSources{Roles: refs("staff"), Locations: []string{"hospital", "north", "ward"}}},
	{"R5 of two scopes the wider", func(s *scene) { s.gives(View, LocationAndBelow); s.gives(View, Everywhere) }, DoView,
		SubjectSources{Members: refs("staff")}},
	{"R5 each role as far as it reaches", func(s *scene) {
		s.gives(View, OnlyLocation)
		s.other().gives(View, LocationAndBelow)
	}, DoView, SubjectSources{Roles: refs("other", "staff"), Locations: []string{"hospital", "north", "ward"}}},
	{"R5 no location, nobody by location", func(s *scene) { s.gives(View, LocationAndBelow); s.item.Locations = nil }, DoView, SubjectSources{}},
	{"R8 a role at specific locations that meet it", func(s *scene) {
		s.gives(View, LocationAndBelow)
		s.staff().SpecificLocations = []string{"north"}
	}, DoView, SubjectSources{Members: refs("staff")}},
	{"R8 at others, nobody", func(s *scene) { s.gives(View, OnlyLocation); s.staff().SpecificLocations = []string{"north"} }, DoView, SubjectSources{}},
	{"C3 the team sees", func(s *scene) { s.team("idea", Follower) }, DoView, SubjectSources{Team: []string{"maria", "somebody"}}},
	{"C2 of the team who edits", func(s *scene) { s.team("idea", Author); s.item.Team[Follower] = []string{"tom"} }, DoEdit,
		SubjectSources{Team: []string{"maria", "somebody"}}},
	{"C1 a team role that the type has not", func(s *scene) { s.team("idea", Sponsor) }, DoView, SubjectSources{}},
	{"R6 only_users: its team alone", func(s *scene) {
		s.gives(Delete, OnlyUsers)
		s.team("idea", Author)
		s.item.Team[Collaborator] = []string{"tom"}
	}, DoDelete, SubjectSources{Team: []string{"maria", "somebody"}}},
	{"R6 team_member: any of its team", func(s *scene) {
		s.policy.Settings.OnlyUsers = ByTeamMember
		s.gives(Delete, OnlyUsers)
		s.item.Team[Follower] = []string{"tom"}
	}, DoDelete, SubjectSources{Team: []string{"tom"}}},
	{"C4 not all who see, but who may delete", func(s *scene) { s.seen(); s.other().gives(Delete, Everywhere) }, DoDelete, SubjectSources{Members: refs("other")}},
	{"C3 a draft: its team alone", func(s *scene) { s.seen(); s.gives(Edit, Everywhere); s.item.Status = Draft; s.team("idea", Follower) }, DoEdit,
		SubjectSources{Team: []string{"maria", "somebody"}}},
	{"C5 but participate needs no view", func(s *scene) { s.gives(Participate, Yes); s.item.Status = Draft }, DoParticipate, SubjectSources{Members: refs("staff")}},
	{"C3 private: not who sees public ones", func(s *scene) { s.seen(); s.other().gives(ViewPrivate, Everywhere); s.item.Private = true }, DoView,
		SubjectSources{Members: refs("other")}},
	{"C3 new: not who sees others", func(s *scene) { s.seen(); s.other().gives(ViewNew, Everywhere); s.item.Status = New }, DoView,
		SubjectSources{Members: refs("other")}},
	{"R7 assign implies edit on a standard item", func(s *scene) { s.gives(Assign, OnlyLocation); s.item.Template = "standard" }, DoEdit,
		SubjectSources{Roles: refs("staff"), Locations: []string{"ward"}}},
	{"R7 on no other", func(s *scene) { s.gives(Assign, OnlyLocation) }, DoEdit, SubjectSources{}},
	{"C4 escalate by the admin permission", func(s *scene) { s.staff().Admin.Escalation = OnlyLocation }, DoEscalate,
		SubjectSources{Roles: refs("staff"), Locations: []string{"ward"}}},
	{"C8 no such item", func(s *scene) { s.seen(); s.resource = &Resource{Type: ItemResource} }, DoView, SubjectSources{}},
	{"C8 no such template", func(s *scene) { s.seen(); s.item.Template = "none" }, DoView, SubjectSources{}},
	{"C8 an action of another type", func(s *scene) {
		s.staff().Admin.Global = &UserAdministration{}
		s.resource = &Resource{Type: ItemResource, Item: s.item}
	},
		AdministerUser, SubjectSources{}},

	{"C8 an action of another type on an item that is seen", func(s *scene) {
		s.seen()
		s.resource = &Resource{Type: ItemResource, Item: s.item}
	}, AdministerUser, SubjectSources{}},
	{"C8 no item without a status", func(s *scene) { s.everything(); s.item.Status = NoStatus }, DoView, SubjectSources{}},
	{"C5 but to participate", func(s *scene) { s.everything(); s.item.Status = NoStatus }, DoParticipate, SubjectSources{Members: refs("staff")}},
	{"R6 the team is named for only_users alone", func(s *scene) { s.gives(Delete, Everywhere); s.team("idea", Author) }, DoDelete,
		SubjectSources{Members: refs("staff")}},
	{"C1 once who is on the team twice", func(s *scene) { s.team("idea", Author); s.team("idea", Follower) }, DoView,
		SubjectSources{Team: []string{"maria", "somebody"}}},
	{"C8 no such user", func(s *scene) {
		s.global()
		s.resource = &Resource{Type: UserResource}
	}, AdministerUser, SubjectSources{}},
	{"R12 no such role", func(s *scene) {
		s.staff().Admin = everyAdmin()
		s.resource = &Resource{Type: UserResource, User: &s.tom, Role: "none"}
	}, GrantRole, SubjectSources{}},

	{"R11 a user: all global administrators", func(s *scene) { s.staff().Admin.Global = &UserAdministration{} }, AdministerUser, SubjectSources{Members: refs("staff")}},
	{"R11 and the local ones around", func(s *scene) { s.staff().Admin.Local = &UserAdministration{Scope: LocationAndBelow} }, ChangePersona,
		SubjectSources{Roles: refs("staff"), Locations: []string{"hospital", "north", "ward"}}},
	{"R12 who may give the role", func(s *scene) {
		s.staff().Admin.Global = &UserAdministration{}
		s.other().Admin.Global = &UserAdministration{Grantable: Grantable{All: true}}
	}, GrantRole, SubjectSources{Members: refs("other")}},
	{"R10 nobody impersonates without the permission", func(s *scene) { s.staff().Admin.Global = &UserAdministration{} }, ImpersonateUser, SubjectSources{}},
	{"R10 its holders may have their administration from elsewhere", func(s *scene) {
		s.staff().Admin.Global = &UserAdministration{}
		s.other().Admin.Impersonate = true
	}, ImpersonateUser, SubjectSources{Members: refs("staff")}},
	{"C7 the organization: an admin permission", func(s *scene) { s.staff().Admin.Quality = true }, AdministerQuality, SubjectSources{Members: refs("staff")}},
	{"C7 an advanced one", func(s *scene) { s.staff().Advanced = []Advanced{ViewImpact} }, DoViewImpact, SubjectSources{Members: refs("staff")}},
	{"C7 a board", func(s *scene) { s.staff().Admin.Board = OnlyLocation; s.other().Admin.Card = Everywhere }, AdministerBoard,
		SubjectSources{Roles: refs("staff"), Locations: []string{"ward"}}},
	{"C7 a card", func(s *scene) { s.staff().Admin.Board = OnlyLocation; s.other().Admin.Card = Everywhere }, AdministerCard,
		SubjectSources{Members: refs("other")}},
}

func TestSubjectSources(t *testing.T) {
	for _, tt := range subjectSources {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			tt.given(s)
			r := s.usually(tt.action)
			if s.resource != nil {
				r = *s.resource
			}
			if got := Compile(s.policy).SubjectSources(tt.action, r); fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

var allTemplates = []string{"idea", "note", "project", "standard"}

var itemSources = []struct {
	name   string
	given  func(*scene)
	action Action
	want   ItemSources
}{
	{"C3 one's own team's items", func(*scene) {}, DoView, ItemSources{Team: true}},
	{"C6 not by the team", func(*scene) {}, DoAssign, ItemSources{}},
	{"R4 everywhere: all of the templates", func(s *scene) { s.gives(Assign, Everywhere) }, DoAssign, ItemSources{Templates: allTemplates}},
	{"R3 of the templates that the grant covers", func(s *scene) {
		s.staff().Grants = []Grant{{Templates: []string{"note"}, Permissions: map[Permission]Scope{Assign: Everywhere}}}
	}, DoAssign, ItemSources{Templates: []string{"note"}}},
	{"R5 and below", func(s *scene) { s.gives(Assign, LocationAndBelow); s.maria.Locations = []string{"north"} }, DoAssign,
		ItemSources{Located: allTemplates, Locations: []string{"north", "ward"}}},
	{"R5 only_location", func(s *scene) { s.gives(Assign, OnlyLocation); s.maria.Locations = []string{"north"} }, DoAssign,
		ItemSources{Located: allTemplates, Locations: []string{"north"}}},
	{"R5 from the assignment's limit", func(s *scene) {
		s.gives(Assign, OnlyLocation)
		s.maria.Locations = []string{"north", "south"}
		s.maria.Assignments[0].Locations = []string{"south"}
	}, DoAssign, ItemSources{Located: allTemplates, Locations: []string{"south"}}},
	{"R5 an assignment that is over", func(s *scene) { s.gives(Assign, Everywhere); s.maria.Assignments[0].Until = now }, DoAssign, ItemSources{}},
	{"R8 from specific locations", func(s *scene) { s.gives(Assign, OnlyLocation); s.staff().SpecificLocations = []string{"south"} }, DoAssign,
		ItemSources{Located: allTemplates, Locations: []string{"south"}}},
	{"R6 only_users: one's own team's", func(s *scene) { s.gives(Delete, OnlyUsers) }, DoDelete, ItemSources{Team: true}},
	{"C3 by any permission to see", func(s *scene) {
		s.staff().Grants = []Grant{
			{Templates: []string{"note"}, Permissions: map[Permission]Scope{ViewPrivate: Everywhere}},
			{Templates: []string{"idea"}, Permissions: map[Permission]Scope{ViewNew: OnlyLocation}},
		}
	}, DoView, ItemSources{Team: true, Templates: []string{"note"}, Located: []string{"idea"}, Locations: []string{"ward"}}},
	{"U2 a capture user sees its own team's alone", func(s *scene) { s.gives(View, Everywhere); s.maria.Type = Capture }, DoView, ItemSources{Team: true}},
	{"U2 a wallboard by its roles alone", func(s *scene) { s.gives(View, Everywhere); s.maria.Type = Wallboard }, DoView, ItemSources{Templates: allTemplates}},
	{"U2 an inactive user nothing", func(s *scene) { s.gives(View, Everywhere); s.maria.Type = Inactive }, DoView, ItemSources{}},
	{"C5 a plain yes", func(s *scene) { s.gives(Participate, Yes) }, DoParticipate, ItemSources{Templates: allTemplates}},
	{"C7 no action on items", func(s *scene) { s.gives(View, Everywhere) }, AdministerUser, ItemSources{}},
}

func TestItemSources(t *testing.T) {
	for _, tt := range itemSources {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			tt.given(s)
			m := Compile(s.policy)
			if got := m.ItemSources(m.Subject(s.maria, now), tt.action); fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
	if m := Compile(newScene().policy); !reflect.DeepEqual(m.ItemSources(Subject{}, DoView), ItemSources{}) {
		t.Error("C8 nobody has somewhere to look")
	}
}

var userSources = []struct {
	name   string
	given  func(*scene)
	action Action
	want   UserSources
}{
	{"R11 nobody", func(*scene) {}, AdministerUser, UserSources{}},
	{"R11 everybody", func(s *scene) { s.staff().Admin.Global = &UserAdministration{} }, AdministerUser, UserSources{Everybody: true}},
	{"R11 those in reach", func(s *scene) {
		s.staff().Admin.Local = &UserAdministration{Scope: LocationAndBelow}
		s.maria.Locations = []string{"north"}
	}, ChangePersona, UserSources{Locations: []string{"north", "ward"}}},
	{"R12 nobody, when the role is not grantable", func(s *scene) { s.staff().Admin.Global = &UserAdministration{} }, RevokeRole, UserSources{}},
	{"R12 everybody, when it is", func(s *scene) {
		s.staff().Admin.Global = &UserAdministration{Grantable: Grantable{Roles: refs("other")}}
	}, GrantRole,
		UserSources{Everybody: true}},
	{"R10 nobody to impersonate without the permission", func(s *scene) { s.staff().Admin.Global = &UserAdministration{} }, ImpersonateUser, UserSources{}},
	{"R10 with it", func(s *scene) { s.staff().Admin = Admin{Global: &UserAdministration{}, Impersonate: true} }, ImpersonateUser, UserSources{Everybody: true}},
	{"U4 for general users alone", func(s *scene) { s.staff().Admin.Global = &UserAdministration{}; s.maria.Type = Capture }, AdministerUser, UserSources{}},
	{"R2 everybody by the first of two roles", func(s *scene) {
		s.staff().Admin.Global = &UserAdministration{}
		s.holdsOther()
	}, AdministerUser, UserSources{Everybody: true}},
	{"R11 everybody, and so nobody by location", func(s *scene) {
		s.staff().Admin = Admin{Global: &UserAdministration{}, Local: &UserAdministration{Scope: OnlyLocation}}
	}, AdministerUser, UserSources{Everybody: true}},
	{"C7 no action on users", func(s *scene) { s.staff().Admin.Global = &UserAdministration{} }, DoView, UserSources{}},
}

func TestUserSources(t *testing.T) {
	for _, tt := range userSources {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			tt.given(s)
			m := Compile(s.policy)
			if got := m.UserSources(m.Subject(s.maria, now), tt.action, "other"); fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
	s := newScene()
	s.seen()
	s.staff().Admin.Global = &UserAdministration{Grantable: Grantable{All: true}}
	m := Compile(s.policy)
	foreign := Compile(s.policy).Subject(s.maria, now)
	if m.UserSources(foreign, AdministerUser, "").Everybody || len(m.ItemSources(foreign, DoView).Templates) > 0 {
		t.Error("C11 a subject of another model has somewhere to look")
	}
	if got := m.UserSources(m.Subject(s.maria, now), GrantRole, "none"); got.Everybody {
		t.Error("R12 a role that does not exist can be given to nobody")
	}
}
