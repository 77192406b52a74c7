package worlds_test

import (
	"fmt"
	"hash/fnv"
	"reflect"
	"slices"
	"testing"

	"gemba/infra/worlds"
	"gemba/shared/authz"
)

var sizes = map[string]worlds.Size{"small": worlds.Small, "medium": worlds.Medium, "large": worlds.Large}

// sample is so many numbers below the limit, evenly spread.
func sample(limit int) []int {
	var numbers []int
	for n := 0; n < limit; n += 1 + limit/2000 {
		numbers = append(numbers, n)
	}
	return numbers
}

func TestAWorldIsTheSameEachTime(t *testing.T) {
	for name, size := range sizes {
		one, other := worlds.New(size), worlds.New(size)
		if !reflect.DeepEqual(one, other) {
			t.Errorf("%s: two policies", name)
		}
		for _, n := range sample(min(size.Users, size.Items)) {
			if !reflect.DeepEqual(one.User(n), other.User(n)) || !reflect.DeepEqual(one.Item(n), other.Item(n)) {
				t.Errorf("%s: two users or items %d", name, n)
			}
		}
		if !slices.Equal(one.Questions(1000), other.Questions(1000)) || !slices.Equal(one.Questions(10), one.Questions(1000)[:10]) {
			t.Errorf("%s: two streams of questions", name)
		}
	}
}

// What was measured yesterday must be what is measured today.
func TestAWorldIsTheSameEverywhere(t *testing.T) {
	w := worlds.New(worlds.Medium)
	sum := fnv.New64a()
	var locations []struct{ ID, Name, Parent string }
	for _, l := range w.Policy.Locations {
		locations = append(locations, struct{ ID, Name, Parent string }{l.ID, l.Name, l.Parent})
	}
	type template struct {
		ID, Name, Workflow string
		TeamType           authz.TeamType
	}
	var templates []template
	for _, t := range w.Policy.Templates {
		templates = append(templates, template{t.ID, t.Name, t.Workflow, t.TeamType})
	}
	fmt.Fprint(sum, locations, templates)
	for _, r := range w.Policy.Roles {
		fmt.Fprint(sum, r.RoleRef, r.SpecificLocations, r.Grants, r.Advanced)
	}
	for n := range 100 {
		fmt.Fprint(sum, w.User(n), w.Item(n))
	}
	fmt.Fprint(sum, w.Questions(1000))
	if got, want := sum.Sum64(), uint64(8236076938937367147); got != want {
		t.Errorf("the medium world's sum is %d, was %d: figures measured on it are no longer comparable", got, want)
	}
}

func TestPoliciesAreLawful(t *testing.T) {
	for name, size := range sizes {
		p := worlds.New(size).Policy
		if got := [...]int{len(p.Locations), len(p.Workflows), len(p.Templates), len(p.Roles)}; got != [...]int{size.Locations, size.Workflows, size.Templates, size.Roles} {
			t.Errorf("%s: %v of %v", name, got, size)
		}
		m := authz.Compile(p)
		for i, l := range p.Locations {
			if _, known := m.Location(l.Parent); known == (i == 0) {
				t.Errorf("%s: U3: parent %q of %s", name, l.Parent, l.ID)
			}
		}
		for _, tmpl := range p.Templates {
			if _, known := m.Workflow(tmpl.Workflow); !known || tmpl.TeamType == authz.NoTeamType || tmpl.TeamType >= authz.TeamTypeCount {
				t.Errorf("%s: template %+v", name, tmpl)
			}
		}
		for _, r := range p.Roles {
			for _, fault := range unlawful(m, r) {
				t.Errorf("%s: %s: %s", name, r.ID, fault)
			}
		}
	}
}

// unlawful is what R3, R4, R8, R9 and R12 hold against a role.
func unlawful(m *authz.Model, r authz.Role) []string {
	var faults []string
	blame := func(wrong bool, why string) {
		if wrong {
			faults = append(faults, why)
		}
	}
	specific := len(r.SpecificLocations) > 0
	for _, l := range r.SpecificLocations {
		_, known := m.Location(l)
		blame(!known, "R4: location "+l)
	}
	for _, g := range r.Grants {
		blame(len(g.Workflows)+len(g.Templates) == 0, "R3: names neither")
		for _, w := range g.Workflows {
			_, known := m.Workflow(w)
			blame(!known, "R4: workflow "+w)
		}
		for _, t := range g.Templates {
			_, known := m.Template(t)
			blame(!known, "R4: template "+t)
		}
		for p, s := range g.Permissions {
			blame(!authz.Allows(p, s), fmt.Sprintf("R4: %s %s", p, s))
			blame(specific && s == authz.Everywhere, fmt.Sprintf("R8: %s everywhere", p))
		}
	}
	a := r.Admin
	blame(specific && (len(r.Advanced) > 0 || a.Global != nil || a.Roles || a.Quality || a.System || a.AccessReader || a.ItemWriter), "R8: rights of the whole organization")
	for _, s := range []authz.Scope{a.Board, a.Card, a.Escalation} {
		blame(s == authz.Yes || s == authz.OnlyUsers || specific && s == authz.Everywhere, "R8, R10: scope "+s.String())
	}
	blame(slices.Contains(r.Advanced, authz.ShareItemLists) && !slices.Contains(r.Advanced, authz.CreateItemLists), "R9: shares lists and creates none")
	if a.Local != nil {
		blame(a.Local.Scope != authz.OnlyLocation && a.Local.Scope != authz.LocationAndBelow, "R10: reach "+a.Local.Scope.String())
		for _, ref := range a.Local.Grantable.Roles {
			role, known := m.Role(ref.ID)
			blame(!known || role.RoleRef != ref, "R14: grants "+ref.ID)
		}
	}
	return faults
}

func TestUsersAreLawful(t *testing.T) {
	for name, size := range sizes {
		w := worlds.New(size)
		m := authz.Compile(w.Policy)
		if !m.FullAdministrator(w.User(0)) {
			t.Errorf("%s: R13: no full administrator", name)
		}
		for _, n := range sample(size.Users) {
			u := w.User(n)
			if len(u.Locations) < 1 || len(u.Locations) > 3 || len(u.Assignments) > 5 {
				t.Errorf("%s: %+v", name, u)
			}
			for _, a := range u.Assignments {
				role, known := m.Role(a.Role.ID)
				if !known || role.RoleRef != a.Role || len(role.SpecificLocations)*len(a.Locations) > 0 {
					t.Errorf("%s: R5, R14: %s holds %+v", name, u.ID, a)
				}
				for _, l := range a.Locations {
					if !slices.Contains(u.Locations, l) {
						t.Errorf("%s: R5: %s is limited to %s", name, u.ID, l)
					}
				}
			}
			for _, l := range u.Locations {
				if _, known := m.Location(l); !known {
					t.Errorf("%s: %s is at %s", name, u.ID, l)
				}
			}
		}
	}
}

func TestItemsAreLawful(t *testing.T) {
	for name, size := range sizes {
		w := worlds.New(size)
		m := authz.Compile(w.Policy)
		for _, n := range sample(size.Items) {
			it := w.Item(n)
			tmpl, known := m.Template(it.Template)
			people := 0
			for r, users := range it.Team {
				people += len(users)
				if !tmpl.TeamType.Has(r) {
					t.Errorf("%s: C1: %s has a %s", name, it.ID, r)
				}
			}
			if !known || it.Status == authz.NoStatus || it.Status >= authz.StatusCount || people < 1 || people > 6 {
				t.Errorf("%s: %+v", name, it)
			}
			for _, l := range it.Locations {
				if _, known := m.Location(l); !known {
					t.Errorf("%s: %s is at %s", name, it.ID, l)
				}
			}
		}
	}
}

// A measurement says little about what never comes up in it.
func TestThereIsEverything(t *testing.T) {
	for _, name := range []string{"medium", "large"} {
		w := worlds.New(sizes[name])
		seen := map[string]bool{}
		for _, r := range w.Policy.Roles {
			for _, g := range r.Grants {
				for p, s := range g.Permissions {
					seen[p.String()+" "+s.String()] = true
				}
			}
			seen["specific"] = seen["specific"] || len(r.SpecificLocations) > 0
			seen["escalation "+r.Admin.Escalation.String()] = true
		}
		for _, tmpl := range w.Policy.Templates {
			seen[tmpl.TeamType.String()] = true
		}
		for _, n := range sample(w.Size.Items) {
			it := w.Item(n)
			seen[it.Status.String()], seen[fmt.Sprint("private ", it.Private)], seen[fmt.Sprint("at ", len(it.Locations))] = true, true, true
			for r := range it.Team {
				seen[r.String()] = true
			}
		}
		for _, n := range sample(w.Size.Users) {
			u := w.User(n)
			seen[u.Type.String()], seen[fmt.Sprint("of ", len(u.Locations))] = true, true
			for _, a := range u.Assignments {
				seen[fmt.Sprint("limited ", len(a.Locations) > 0)], seen[fmt.Sprint("over ", !a.Until.IsZero() && !a.Until.After(worlds.Now))] = true, true
				seen[fmt.Sprint("until ", a.Until.After(worlds.Now))] = true
			}
		}
		for _, what := range everything() {
			if !seen[what] {
				t.Errorf("%s: there is no %q", name, what)
			}
		}
	}
}

func everything() []string {
	all := []string{"specific", "escalation everywhere", "escalation location_and_below", "escalation only_location",
		"private true", "private false", "at 0", "at 1", "at 2", "of 1", "of 2", "of 3",
		"limited true", "limited false", "over true", "over false", "until true"}
	for p := authz.NoPermission + 1; p < authz.PermissionCount; p++ {
		for s := authz.NoScope + 1; s < authz.ScopeCount; s++ {
			if authz.Allows(p, s) {
				all = append(all, p.String()+" "+s.String())
			}
		}
	}
	for e := authz.NoTeamType + 1; e < authz.TeamTypeCount; e++ {
		all = append(all, e.String())
	}
	for e := authz.NoStatus + 1; e < authz.StatusCount; e++ {
		all = append(all, e.String())
	}
	for e := authz.NoTeamRole + 1; e < authz.TeamRoleCount; e++ {
		all = append(all, e.String())
	}
	for e := authz.NoUserType + 1; e < authz.UserTypeCount; e++ {
		all = append(all, e.String())
	}
	return all
}

func TestQuestionsMeetYesAndNo(t *testing.T) {
	for name, size := range sizes {
		w := worlds.New(size)
		m := authz.Compile(w.Policy)
		const asked = 9000
		yes, reasons := map[authz.Action]int{}, map[authz.Reason]int{}
		all, total := map[authz.Action]int{}, 0
		for _, q := range w.Questions(asked) {
			it := w.Item(q.Item)
			d := m.Decide(m.Subject(w.User(q.User), worlds.Now), q.Action, authz.Resource{Type: authz.ItemResource, Item: &it})
			all[q.Action]++
			reasons[d.Reason]++
			if d.Allowed {
				yes[q.Action]++
				total++
			}
		}
		if total < asked/3 || total > asked*2/3 {
			t.Errorf("%s: %d of %d are yes", name, total, asked)
		}
		for a := authz.DoParticipate; a <= authz.DoEscalate; a++ {
			if yes[a] < all[a]/20 || yes[a] > all[a]*19/20 || all[a] == 0 {
				t.Errorf("%s: %s: %d of %d are yes", name, a, yes[a], all[a])
			}
		}
		if size == worlds.Small {
			continue
		}
		for _, r := range []authz.Reason{authz.WrongUserType, authz.IsDraft, authz.IsPrivate, authz.IsNew, authz.NoGrant,
			authz.OutOfScope, authz.NeedsEdit, authz.TeamMember, authz.RoleGrant} {
			if reasons[r] == 0 {
				t.Errorf("%s: nothing is answered with %s", name, r)
			}
		}
	}
}
