package authz

import "testing"

// gainedCases are how many rights the role staff gives, held at north: there are
// four templates, four locations of which two are north and below, and two roles.
var gainedCases = []struct {
	name  string
	given func(*scene)
	want  int
}{
	{"nothing", func(*scene) {}, 0},
	{"a plain yes: each template", func(s *scene) { s.gives(Participate, Yes) }, 4},
	{"only_users: each template", func(s *scene) { s.gives(Delete, OnlyUsers) }, 4},
	{"only_location", func(s *scene) { s.gives(Edit, OnlyLocation) }, 4},
	{"and below", func(s *scene) { s.gives(Edit, LocationAndBelow) }, 8},
	{"everywhere: the locations, none, and one's own", func(s *scene) { s.gives(Edit, Everywhere) }, 24},
	{"R3 on one template", func(s *scene) {
		s.staff().Grants = []Grant{{Templates: []string{"note"}, Permissions: map[Permission]Scope{Edit: OnlyLocation}}}
	}, 1},
	{"R7 the implied too", func(s *scene) { s.gives(ViewNew, OnlyLocation) }, 8},
	{"R2 what two grants give, once", func(s *scene) { s.gives(Edit, OnlyLocation); s.gives(Edit, LocationAndBelow) }, 8},
	{"R2 and what was held, not at all", func(s *scene) {
		s.gives(Edit, LocationAndBelow)
		s.holdsOther()
		s.other().gives(Edit, OnlyLocation)
	}, 4},

	{"U2 capture: participate alone", func(s *scene) { s.everything(); s.maria.Type = Capture }, 4},
	{"U2 kiosk: the same", func(s *scene) { s.everything(); s.maria.Type = Kiosk }, 4},
	{"U2 wallboard: three to view", func(s *scene) { s.everything(); s.maria.Type = Wallboard }, 72},
	{"U2 inactive", func(s *scene) { s.everything(); s.maria.Type = Inactive }, 0},
	{"U4 capture: no admin permission", func(s *scene) {
		holdingAllBut(func(*Role) {})(s)
		s.maria.Type = Capture
	}, 0},

	{"R9 advanced", func(s *scene) { s.staff().Advanced = []Advanced{ViewImpact, ItemsSection} }, 2},
	{"R10 global", func(s *scene) { s.global() }, 6},
	{"R10 global, to create", having(Admin{Global: &UserAdministration{CreateUsers: true}}), 12},
	{"R12 global, one role", func(s *scene) { s.global(ref("other")) }, 12},
	{"R12 global, all roles", having(Admin{Global: &UserAdministration{Grantable: Grantable{All: true}}}), 18},
	{"R10 local", func(s *scene) { s.local(LocationAndBelow) }, 2},
	{"R10 local, to create", having(Admin{Local: &UserAdministration{Scope: LocationAndBelow, CreateUsers: true}}), 4},
	{"R12 local, one role", func(s *scene) { s.local(LocationAndBelow, ref("other")) }, 4},
	{"R11 local within global", having(Admin{Global: someGlobal, Local: someLocal}), 6},
	{"R10 board", having(Admin{Board: LocationAndBelow}), 2},
	{"R10 card", having(Admin{Card: OnlyLocation}), 1},
	{"R10 escalation, not on each template", having(Admin{Escalation: LocationAndBelow}), 2},
	{"R10 impersonate_user", having(Admin{Impersonate: true}), 1},
	{"R10 role_administrator", having(Admin{Roles: true}), 1},
	{"R10 quality_administrator", having(Admin{Quality: true}), 1},
	{"R10 system_administrator", having(Admin{System: true}), 1},
	{"R10 access_reader", having(Admin{AccessReader: true}), 1},
	{"R10 item_writer", having(Admin{ItemWriter: true}), 1},
}

func TestGained(t *testing.T) {
	for _, c := range gainedCases {
		t.Run(c.name, func(t *testing.T) {
			s := newScene()
			s.lead()
			c.given(s)
			m, before := Compile(s.policy), s.maria
			before.Assignments = before.Assignments[1:] // without staff
			if got := m.account().gained(m.Subject(before, now), m.Subject(s.maria, now)); got != c.want {
				t.Errorf("%d rights, want %d", got, c.want)
			}
		})
	}
}
