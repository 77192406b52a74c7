package authz

import (
	"testing"

	"pgregory.net/rapid"
)

// A resolved item is the same item: every action is decided alike, one by one
// and all at once.
func TestResolvedIsTheItem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Compile(randomPolicy(t))
		for _, id := range someUsers[:3] {
			s := m.Subject(randomUser(t, id), now)
			screen := m.Screen(s)
			for range 4 {
				it := randomItem(t)
				r := m.Resolve(it)
				all := m.ItemActions(s, &r)
				if listed := screen.Actions(&r); listed != all {
					t.Fatalf("%s on %+v: in a list %b, alone %b", id, it, listed, all)
				}
				for a := NoAction + 1; a < ActionCount; a++ {
					want := m.Decide(s, a, Resource{Type: ItemResource, Item: it})
					if got := m.DecideItem(s, a, &r); got != want {
						t.Fatalf("%s %s on %+v: %v, want %v", id, a, it, got, want)
					}
					if all.Has(a) != want.Allowed {
						t.Fatalf("%s %s on %+v: among all actions %v, alone %v", id, a, it, all.Has(a), want)
					}
				}
			}
		}
	})
}

// The tables once more, on resolved items: one action, and all at once.
func TestDecideOnResolvedItems(t *testing.T) {
	for _, c := range decideCases {
		t.Run(c.name, func(t *testing.T) {
			s := c.scene()
			if s.resource != nil || c.action.On() != ItemResource {
				return // not on an item of the scene
			}
			m := Compile(s.policy)
			maria, item := m.Subject(s.maria, now), m.Resolve(s.item)
			if d := m.DecideItem(maria, c.action, &item); d != c.want {
				t.Errorf("%v %q, want %v %q", d.Allowed, d.Reason, c.want.Allowed, c.want.Reason)
			}
			if all := m.ItemActions(maria, &item); all.Has(c.action) != c.want.Allowed {
				t.Errorf("among all actions %v", !c.want.Allowed)
			}
		})
	}
}

// Of a team it is all of one's roles that count, in whatever order they are met.
func TestC1AllTeamRolesCount(t *testing.T) {
	s := newScene()
	s.gives(Delete, OnlyUsers)
	for r := Sponsor; r < TeamRoleCount; r++ {
		s.team("project", r)
	}
	m := Compile(s.policy)
	maria := m.Subject(s.maria, now)
	for range 100 {
		if d := m.Decide(maria, DoDelete, s.usually(DoDelete)); d != yes(RoleGrant) {
			t.Fatalf("C1 R6: a facilitator who is more besides: %v %q", d.Allowed, d.Reason)
		}
		item := m.Resolve(s.item)
		if d := m.DecideItem(maria, DoDelete, &item); d != yes(RoleGrant) {
			t.Fatalf("C1 R6: resolved: %v %q", d.Allowed, d.Reason)
		}
	}
}

func TestResolvedNothing(t *testing.T) {
	s := newScene()
	s.seen()
	m, other := Compile(s.policy), Compile(s.policy)
	maria, item := m.Subject(s.maria, now), m.Resolve(s.item)
	if d := m.DecideItem(maria, DoView, &item); d != yes(RoleGrant) {
		t.Errorf("%v", d)
	}
	if d := m.DecideItem(maria, AdministerUser, &item); d != no(UnknownAction) {
		t.Errorf("C8 an action of another resource type: %v", d)
	}
	nothing, foreign := m.Resolve(nil), other.Resolve(s.item)
	for name, c := range map[string]struct {
		subject Subject
		item    *Resolved
		want    Decision
	}{
		"C8 no item":                     {maria, &nothing, no(UnknownResource)},
		"C11 an item of another model":   {maria, &foreign, no(UnknownResource)},
		"C11 a subject of another model": {other.Subject(s.maria, now), &item, no(UnknownSubject)},
		"C8 nobody":                      {Subject{}, &item, no(UnknownSubject)},
	} {
		if d := m.DecideItem(c.subject, DoView, c.item); d != c.want {
			t.Errorf("%s: %v, want %v", name, d, c.want)
		}
		if all := m.ItemActions(c.subject, c.item); all != 0 {
			t.Errorf("%s: actions %b", name, all)
		}
	}
}
