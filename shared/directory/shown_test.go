package directory_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/directory"
)

func held(id string, birth uint64, locations ...string) directory.Assignment {
	return directory.Assignment{Assignment: authz.Assignment{Role: authz.RoleRef{ID: id, Birth: birth}, Locations: locations}}
}

func TestWhatIsShownOfAUser(t *testing.T) {
	f := directory.Facts{Policy: 7, Model: authz.Compile(authz.Policy{Roles: []authz.Role{{RoleRef: authz.RoleRef{ID: "lives", Birth: 3}}, {RoleRef: authz.RoleRef{ID: "again", Birth: 5}}}})}
	for name, c := range map[string]struct{ has, shown []directory.Assignment }{
		"a role that lives":                                {[]directory.Assignment{held("lives", 3)}, []directory.Assignment{held("lives", 3)}},
		"R14 one that was deleted":                         {[]directory.Assignment{held("gone", 2)}, nil},
		"R14 one whose id another has":                     {[]directory.Assignment{held("again", 2), held("again", 5)}, []directory.Assignment{held("again", 5)}},
		"one that is younger than what is known":           {[]directory.Assignment{held("new", 8)}, []directory.Assignment{held("new", 8)}},
		"R5 a limit without what was left":                 {[]directory.Assignment{held("lives", 3, "east", "west")}, []directory.Assignment{held("lives", 3, "east")}},
		"R5 a limit of which nothing is left has ended":    {[]directory.Assignment{held("lives", 3, "west")}, nil},
		"R14, R5 all of it, and the rest stays as it was ": {[]directory.Assignment{held("gone", 2), held("lives", 3), held("again", 4)}, []directory.Assignment{held("lives", 3)}},
	} {
		t.Run(name, func(t *testing.T) {
			u := directory.User{ID: "u", Locations: []string{"east", "north"}, Assignments: c.has, Version: 4}
			want := u
			want.Assignments = c.shown
			if diff := cmp.Diff(want, f.Shown(u), cmp.Transformer("places", func(a authz.Assignment) []any { return []any{a.Role, append([]string{}, a.Locations...), a.Until} })); diff != "" {
				t.Errorf("(-want +shown):\n%s", diff)
			}
		})
	}
}

// TestLosingAnAdministration is R13's question before the guard is asked.
func TestLosingAnAdministration(t *testing.T) {
	full := authz.Admin{Global: &authz.UserAdministration{Grantable: authz.Grantable{All: true}}}
	m := authz.Compile(authz.Policy{Roles: []authz.Role{
		{RoleRef: authz.RoleRef{ID: "full", Birth: 1}, Admin: full}, {RoleRef: authz.RoleRef{ID: "too", Birth: 1}, Admin: full}, {RoleRef: authz.RoleRef{ID: "staff", Birth: 1}},
	}})
	ends := held("full", 1)
	ends.Until = time.Unix(4e9, 0)
	user := func(kind authz.UserType, a ...directory.Assignment) directory.User {
		return directory.User{ID: "u", Type: kind, SignIn: directory.Enabled, Locations: []string{"east"}, Assignments: a}
	}
	both := user(authz.General, held("full", 1), held("too", 1), held("staff", 1))
	for name, c := range map[string]struct {
		before, after directory.User
		loses         bool
	}{
		"nothing changes":                   {both, both, false},
		"another role goes":                 {both, user(authz.General, held("full", 1), held("too", 1)), false},
		"one of two goes":                   {both, user(authz.General, held("too", 1)), true},
		"one of two gets an end":            {both, user(authz.General, ends, held("too", 1)), true},
		"the only one goes":                 {user(authz.General, held("full", 1)), user(authz.General), true},
		"the type":                          {user(authz.General, held("full", 1)), user(authz.Capture, held("full", 1)), true},
		"one more comes":                    {user(authz.General, held("full", 1)), both, false},
		"one with an end never was one":     {user(authz.General, ends), user(authz.General), false},
		"one of a deleted role was none":    {user(authz.General, held("full", 9)), user(authz.General), false},
		"who does not sign in was none":     {user(authz.Kiosk, held("full", 1)), user(authz.Kiosk), false},
		"a deleted one beside one that is":  {user(authz.General, held("full", 1), held("too", 9)), user(authz.General, held("full", 1)), false},
		"one with an end beside one of all": {user(authz.General, ends, held("too", 1)), user(authz.General, held("too", 1)), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := directory.LosesAdministration(m, c.before, c.after); got != c.loses {
				t.Errorf("R13 it loses one: %v", got)
			}
		})
	}
}
