package authz

import (
	"testing"

	"pgregory.net/rapid"
)

// acting is maria acting as tom: what each of them holds, and what comes of it.
type acting struct {
	name          string
	actor, target Role // maria's and tom's role
	action        Action
	about         func(s *scene, r *Resource)
	want          Decision
}

func TestI6Acting(t *testing.T) {
	nothing := Role{}
	system := Role{Admin: Admin{System: true}}
	administrator := Role{Admin: Admin{Global: &UserAdministration{Grantable: Grantable{All: true}}}}
	creator := Role{Admin: Admin{Global: &UserAdministration{CreateUsers: true}}}
	viewer := Role{Grants: []Grant{{Templates: []string{"idea"}, Permissions: map[Permission]Scope{View: Everywhere}}}}
	people := Role{Advanced: []Advanced{PeopleSection}}
	others := func(s *scene, r *Resource) { r.User = &User{ID: "ann", Type: General, Locations: []string{"ward"}} }
	actor := func(s *scene, r *Resource) { r.User = &s.maria }

	for _, c := range []acting{
		{"I6 item rights are the subject's", nothing, viewer, DoView, nil, yes(RoleGrant)},
		{"I6 the actor's item rights count for nothing", viewer, nothing, DoView, nil, no(NoGrant)},
		{"I6 advanced permissions are the subject's", nothing, people, DoPeopleSection, nil, yes(RoleGrant)},
		{"I6 the actor's advanced permissions count for nothing", people, nothing, DoPeopleSection, nil, no(NoGrant)},
		{"I6 an admin action by both", system, system, AdministerSystem, nil, yes(RoleGrant)},
		{"I6 an admin action by the subject alone", nothing, system, AdministerSystem, nil, no(NoGrant)},
		{"I6 an admin action by the actor alone", system, nothing, AdministerSystem, nil, no(NoGrant)},
		{"I6 admin data is read by both", administrator, system, ReadAdministration, nil, yes(RoleGrant)},
		{"I6 admin data is not read by one", nothing, system, ReadAdministration, nil, no(NoGrant)},
		{"I6 others are administered by both", administrator, administrator, GrantRole, others, yes(RoleGrant)},
		{"I6 others are not administered by the actor alone", administrator, nothing, GrantRole, others, no(NoGrant)},
		{"I6 the subject's reason comes first", nothing, system, GrantRole, others, no(NoGrant)},
		{"C12 oneself is the subject", nothing, nothing, ReadUser, nil, yes(NoReason)},
		{"C12 the actor is another", administrator, nothing, ReadUser, actor, no(NoGrant)},
		{"C12 the actor is read as others are", nothing, administrator, ReadUser, actor, no(NoGrant)},
		{"C12 others are read by both", administrator, administrator, ReadUser, others, yes(RoleGrant)},
		{"I6 others' preferences are changed by both", administrator, administrator, ChangePreferences, others, yes(RoleGrant)},
		{"I6 … not by the subject alone", nothing, administrator, ChangePreferences, others, no(NoGrant)},
		{"I6 one's own are the subject's", nothing, nothing, ChangePreferences, nil, yes(NoReason)},
		{"I6 the actor's own are another's", administrator, nothing, ChangePreferences, actor, no(NoGrant)},
		{"I6 users are created by both", creator, creator, CreateUser, others, yes(RoleGrant)},
		{"I6 … not by the subject alone", administrator, creator, CreateUser, others, no(NoGrant)},
		{"I6 … nor by the actor alone", creator, administrator, CreateUser, others, no(NoGrant)},
		{"I6 locations are given by both", administrator, administrator, PlaceUser, others, yes(RoleGrant)},
		{"I6 … not by the subject alone", nothing, administrator, PlaceUser, others, no(NoGrant)},
		{"C8 nobody is read", administrator, administrator, ReadUser, func(_ *scene, r *Resource) { r.User = nil }, no(UnknownResource)},
		{"U2 it is the actor who signs in", nothing, nothing, SignIn, nil, yes(NoReason)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene()
			if c.action == SignIn {
				s.tom.Type = Setup // who may be acted as, but signs in nowhere (I1)
			}
			*s.staff(), *s.other() = c.actor, c.target
			s.staff().RoleRef, s.other().RoleRef = ref("staff"), ref("other")
			s.tom.Assignments = []Assignment{{Role: ref("other")}}
			r := s.usually(c.action)
			if c.about != nil {
				c.about(s, &r)
			}
			m := Compile(s.policy)
			w := Who{Subject: m.Subject(s.tom, now), Actor: m.Subject(s.maria, now)}
			if d := m.DecideBoth(w, c.action, r); d != c.want {
				t.Errorf("%v %q, want %v %q", d.Allowed, d.Reason, c.want.Allowed, c.want.Reason)
			}
		})
	}
}

func TestI6AnActorWhoIsNobodyAdministersNothing(t *testing.T) {
	s := newScene()
	s.global()
	m := Compile(s.policy)
	maria := m.Subject(s.maria, now)
	if !m.Administers(Self(maria), s.tom) {
		t.Error("R11: maria administers tom for herself")
	}
	if m.Administers(Who{Subject: maria}, s.tom) {
		t.Error("I6: an admin action without an actor")
	}
	if m.Administers(Who{Actor: maria}, s.tom) {
		t.Error("I6: an admin action without a subject")
	}
	if d := m.DecideBoth(Who{Actor: maria}, ReadUser, Resource{Type: UserResource, User: &User{}}); d != no(UnknownSubject) {
		t.Errorf("C12: nobody reads themselves: %+v", d)
	}
}

func TestR11ReadingOneselfIsNotAdministering(t *testing.T) {
	s := newScene()
	m := Compile(s.policy)
	if m.Administers(Self(m.Subject(s.maria, now)), s.maria) {
		t.Error("R11: who administers nobody administers themselves")
	}
}

// bothNeeded are the actions that need both sides, named once more so that
// none changes sides unseen (I6).
var bothNeeded = setOf(AdministerUser, ChangePersona, ImpersonateUser, GrantRole, RevokeRole, CreateUsers,
	AdministerAllUsers, AdministerRoles, AdministerQuality, AdministerSystem, ReadAccess, WriteItems,
	AdministerBoard, AdministerCard, ReadAdministration, ReadUser, AdministerSomeUsers, CreateUser, PlaceUser, ChangePreferences,
	ReadItems, RecordItems)

func TestI6EveryActionHasItsSide(t *testing.T) {
	for a := NoAction + 1; a < ActionCount; a++ {
		if a.Admin() != bothNeeded.has(a) {
			t.Errorf("%s: admin action %v", a, a.Admin())
		}
	}
	if NoAction.Admin() || ActionCount.Admin() {
		t.Error("what is no action is no admin action")
	}
}

func TestI6ASessionNeverAddsAdministrativePower(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Compile(randomPolicy(t))
		subject := m.Subject(randomUser(t, "u0"), now)
		actor := m.Subject(randomUser(t, "u1"), now)
		for _, q := range randomQuestions(t) {
			alone := m.Decide(subject, q.action, q.resource)
			if d := m.DecideBoth(Self(subject), q.action, q.resource); d != alone {
				t.Fatalf("%s\nfor oneself %+v, as one of two %+v", q, alone, d)
			}
			d := m.DecideBoth(Who{Subject: subject, Actor: actor}, q.action, q.resource)
			oneself := q.resource.User != nil && q.resource.User.ID == "u0"
			switch {
			case q.action == SignIn:
			case !bothNeeded.has(q.action), (q.action == ReadUser || q.action == ChangePreferences) && oneself:
				if d != alone {
					t.Fatalf("%s\nthe subject alone %+v, in the session %+v", q, alone, d)
				}
			case d.Allowed && (!alone.Allowed || !m.Decide(actor, q.action, q.resource).Allowed):
				t.Fatalf("%s\nallowed without one of the two", q)
			}
		}
	})
}
