package main

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"gemba/infra/organization/world"
	"gemba/shared/authz"
	"gemba/shared/directory"
)

const file = "../world.json"

// The world that is committed is the one that this command writes.
func TestWorldIsGenerated(t *testing.T) {
	var want bytes.Buffer
	if err := generate(&want); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("infra/demo/world.json is not what `go run ./infra/demo/generate > infra/demo/world.json` writes")
	}
}

func demo(t *testing.T) world.World {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w, problems := world.Read(data)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Pointer, p.Detail)
	}
	if t.Failed() {
		t.FailNow()
	}
	return w
}

// missing are the members of a closed set that the demo does not show.
func missing[E interface {
	~uint8
	String() string
}](count E, shown map[E]bool) []string {
	var out []string
	for e := E(1); e < count; e++ {
		if !shown[e] {
			out = append(out, e.String())
		}
	}
	return out
}

func TestDemoShowsEverything(t *testing.T) {
	w := demo(t)
	types, personas := map[authz.UserType]bool{}, map[directory.Persona]bool{}
	for _, u := range w.Users {
		types[u.Type], personas[u.Persona] = true, true
	}
	permissions, scopes, advanced := map[authz.Permission]bool{}, map[authz.Scope]bool{}, map[authz.Advanced]bool{}
	for _, r := range w.Policy.Roles {
		for _, g := range r.Grants {
			for p, s := range g.Permissions {
				permissions[p], scopes[s] = true, true
			}
		}
		for _, a := range r.Advanced {
			advanced[a] = true
		}
	}
	teams, statuses, roles := map[authz.TeamType]bool{}, map[authz.Status]bool{}, map[authz.TeamRole]bool{}
	for _, tpl := range w.Policy.Templates {
		teams[tpl.TeamType] = true
	}
	for _, i := range w.Items {
		statuses[i.Status] = true
		for r := range i.Team {
			roles[r] = true
		}
	}
	for kind, left := range map[string][]string{
		"user types (U2)": missing(authz.UserTypeCount, types), "personas (P1)": missing(directory.PersonaCount, personas),
		"permissions (R4)": missing(authz.PermissionCount, permissions), "scopes (R4)": missing(authz.ScopeCount, scopes),
		"advanced permissions (R9)": missing(authz.AdvancedCount, advanced), "team types (C1)": missing(authz.TeamTypeCount, teams),
		"statuses (C1)": missing(authz.StatusCount, statuses), "team roles (C1)": missing(authz.TeamRoleCount, roles),
	} {
		if len(left) > 0 {
			t.Errorf("%s that the demo does not show: %v", kind, left)
		}
	}
}

func TestDemoIsAsLargeAsAHospitalGroup(t *testing.T) {
	w := demo(t)
	deepest := 0
	parents := map[string]string{}
	for _, l := range w.Policy.Locations {
		parents[l.ID] = l.Parent
	}
	for id := range parents {
		depth := 0
		for ; id != ""; id = parents[id] {
			depth++
		}
		deepest = max(deepest, depth)
	}
	for what, c := range map[string]struct{ got, want int }{
		"people": {len(w.Users), 200}, "levels of locations": {deepest, 4}, "workflows": {len(w.Policy.Workflows), 5}, "items": {len(w.Items), 300},
	} {
		if c.got != c.want {
			t.Errorf("%d %s, want %d", c.got, what, c.want)
		}
	}
	if n := len(w.Policy.Roles); n < 12 {
		t.Errorf("%d roles, want a dozen", n)
	}
}

func TestDemoHasTheRolesOfARealOrganization(t *testing.T) {
	w := demo(t)
	for what, is := range map[string]func(authz.Role) bool{
		"specific locations (R8)":    func(r authz.Role) bool { return len(r.SpecificLocations) > 0 },
		"a local administrator":      func(r authz.Role) bool { return r.Admin.Local != nil && len(r.Admin.Local.Grantable.Roles) > 0 },
		"a full administrator (R13)": authz.Role.FullAdministrator,
		"an impersonating support":   func(r authz.Role) bool { return r.Admin.Impersonate && r.Admin.Global != nil },
		"a service account":          func(r authz.Role) bool { return r.Admin.AccessReader && r.Admin.ItemWriter },
		"a role designer":            func(r authz.Role) bool { return r.Admin.Roles && r.Admin.Global == nil },
		"a quality manager":          func(r authz.Role) bool { return r.Admin.Quality && r.Admin.Global == nil },
		"escalation":                 func(r authz.Role) bool { return r.Admin.Escalation != authz.NoScope },
	} {
		var holders int
		for _, r := range w.Policy.Roles {
			if !is(r.Role) {
				continue
			}
			for _, u := range w.Users {
				if _, held := u.Assignment(r.ID); held {
					holders++
				}
			}
		}
		if holders == 0 {
			t.Errorf("nobody holds a role that is %s", what)
		}
	}
	var limited, over bool
	for _, u := range w.Users {
		for _, a := range u.Assignments {
			limited = limited || a.Locations != nil
			over = over || !a.Until.IsZero()
		}
	}
	if !limited || !over {
		t.Errorf("R5 assignments with a limit: %v, with an end: %v", limited, over)
	}
}

// One share is below its target, one above, the others within (P4, P5).
func TestDemoSharesAreInstructive(t *testing.T) {
	w := demo(t)
	counts, base := map[directory.Persona]int{}, 0
	for _, u := range w.Users {
		if u.Type == authz.General || u.Type == authz.Capture {
			counts[u.Persona]++
			base++
		}
	}
	targets := w.Organization.Settings.Targets
	verdict := func(p directory.Persona, s directory.Share) string {
		switch n := counts[p]; {
		case n < s.Min*base/10_000:
			return "below"
		case n > (s.Max*base+9_999)/10_000:
			return "above"
		default:
			return "within"
		}
	}
	got := []string{verdict(directory.Frontline, targets.Frontline), verdict(directory.Leader, targets.Leader), verdict(directory.Executive, targets.Executive)}
	if !slices.Equal(got, []string{"below", "above", "within"}) {
		t.Errorf("P5 frontline, leader, executive are %v of %d: %v", got, base, counts)
	}
	if n := counts[directory.Champion]; n < targets.Champions.Min || n > targets.Champions.Max {
		t.Errorf("P4 %d champions", n)
	}
	if n := counts[directory.Champion] + counts[directory.CICoach]; n > targets.Champions.Max {
		t.Errorf("P5 %d experts of %d people", n, base)
	}
}

func TestDemoSignIns(t *testing.T) {
	w := demo(t)
	types := map[authz.UserType]bool{}
	full := 0
	for _, u := range w.Users {
		if u.Password == "" {
			continue
		}
		types[u.Type] = true
		if u.Type != authz.General && u.Type != authz.Capture && u.Type != authz.Wallboard {
			t.Errorf("U2 %s has a password and may not sign in", u.ID)
		}
		if _, champion := u.Assignment("champion"); champion {
			full++
		}
	}
	if !types[authz.General] || !types[authz.Capture] || !types[authz.Wallboard] {
		t.Error("U2 not each type that signs in has a sign-in")
	}
	if full < 2 {
		t.Errorf("R13 %d full administrators sign in, want two, so that one may be revoked", full)
	}
}
