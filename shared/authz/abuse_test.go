package authz

import (
	"testing"

	"pgregory.net/rapid"
)

// almighty holds all that a role can give, for organization and places.
var almighty = Role{RoleRef: ref("almighty"), Admin: Admin{
	Global:      &UserAdministration{CreateUsers: true, Grantable: Grantable{All: true}},
	Local:       &UserAdministration{Scope: LocationAndBelow, CreateUsers: true, Grantable: Grantable{All: true}},
	Impersonate: true, Roles: true, Quality: true, System: true, AccessReader: true, ItemWriter: true,
	Board: Everywhere, Card: Everywhere, Escalation: Everywhere,
}}

// TestI6AnAdminActionIsWhatBothMay: not more, whoever is signed in as, and not less. One
// of the two may do everything that there is: then the session may what the other may.
func TestI6AnAdminActionIsWhatBothMay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := randomPolicy(t)
		policy.Roles = append(policy.Roles, almighty)
		m := Compile(policy)
		weak := m.Subject(randomUser(t, "u0"), now)
		strong := m.Subject(User{ID: "u1", Type: General, Locations: []string{"l0"}, Assignments: []Assignment{{Role: almighty.RoleRef}}}, now)
		for _, q := range randomQuestions(t) {
			if !bothNeeded.has(q.action) {
				continue
			}
			for _, w := range []Who{{Subject: strong, Actor: weak}, {Subject: weak, Actor: strong}, {Subject: weak, Actor: weak}} {
				action := q.action
				if q.resource.User != nil && action.ownedByAll() {
					if q.resource.User.ID == w.Subject.ID() {
						continue // oneself, who is the subject (C12)
					}
					action = AdministerUser
				}
				want := m.Decide(w.Subject, action, q.resource).Allowed && m.Decide(w.Actor, action, q.resource).Allowed
				if d := m.DecideBoth(w, q.action, q.resource); d.Allowed != want {
					t.Fatalf("%s\nsubject %s, actor %s: %+v, want %v", q, w.Subject.ID(), w.Actor.ID(), d, want)
				}
			}
		}
	})
}

// TestI6ItemRightsAreTheSubjectsWhoeverActs: neither more for an actor who may
// everything nor less for one who may nothing.
func TestI6ItemRightsAreTheSubjectsWhoeverActs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := randomPolicy(t)
		policy.Roles = append(policy.Roles, almighty)
		m := Compile(policy)
		subject := m.Subject(randomUser(t, "u0"), now)
		actors := []Subject{
			{}, m.Subject(User{ID: "u1", Type: Inactive}, now), m.Subject(randomUser(t, "u2"), now),
			m.Subject(User{ID: "u3", Type: General, Locations: []string{"l0"}, Assignments: []Assignment{{Role: almighty.RoleRef}}}, now),
		}
		for _, q := range randomQuestions(t) {
			if bothNeeded.has(q.action) || q.action == SignIn {
				continue
			}
			alone := m.Decide(subject, q.action, q.resource)
			for _, actor := range actors {
				if d := m.DecideBoth(Who{Subject: subject, Actor: actor}, q.action, q.resource); d != alone {
					t.Fatalf("%s\nthe subject alone %+v, with actor %q %+v", q, alone, actor.ID(), d)
				}
			}
		}
	})
}

// TestR11NobodyIsReachedByNothing: all of no places are not covered, and a reach over no
// place covers none (R5, R11), whichever the rule about somebody at several places is.
func TestR11NobodyIsReachedByNothing(t *testing.T) {
	for rule := range 2 {
		s := newScene()
		s.policy.Settings.LocalReach = ReachRule(rule)
		local := &UserAdministration{Scope: LocationAndBelow, CreateUsers: true, Grantable: Grantable{All: true}}
		s.staff().Admin = Admin{Local: local, Impersonate: true}
		m := Compile(s.policy)
		reach := func(actor User, target User) bool {
			r := Resource{Type: UserResource, ID: target.ID, User: &target}
			who := m.Subject(actor, now)
			return m.Decide(who, ImpersonateUser, r).Allowed || m.Decide(who, AdministerUser, r).Allowed
		}
		if !reach(withRole(s.maria, s.staff().RoleRef), User{ID: "x", Type: General, Locations: s.maria.Locations}) {
			t.Fatal("maria does not reach who is where she is")
		}
		placeless := withRole(s.maria, s.staff().RoleRef)
		placeless.Locations = nil
		lost := withRole(s.maria, s.staff().RoleRef)
		lost.Locations = []string{"nowhere"}
		limited := withRole(s.maria, s.staff().RoleRef)
		limited.Assignments[0].Locations = []string{"nowhere"}
		everywhere := [][]string{nil, {}, {"nowhere"}, {""}, s.maria.Locations}
		for _, actor := range []User{placeless, lost, limited} {
			for _, locations := range everywhere {
				if reach(actor, User{ID: "x", Type: General, Locations: locations}) {
					t.Errorf("rule %d: at %v, limited to %v, reaches somebody at %v", rule, actor.Locations, actor.Assignments[0].Locations, locations)
				}
			}
		}
		for _, locations := range everywhere[:4] {
			if reach(withRole(s.maria, s.staff().RoleRef), User{ID: "x", Type: General, Locations: locations}) {
				t.Errorf("rule %d: somebody at %v is reached", rule, locations)
			}
		}
	}
}

// withRole is a user who holds this role alone.
func withRole(u User, r RoleRef) User {
	u.Assignments = []Assignment{{Role: r}}
	return u
}
