package role_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/role"
)

// kept is a store of roles, which it finds in an order of its own.
type kept struct {
	role.Store
	roles []role.Role
}

func (k kept) RolesOf(_ context.Context, _ string, ids []string) ([]role.Role, error) {
	found := slices.DeleteFunc(slices.Clone(k.roles), func(r role.Role) bool { return !slices.Contains(ids, r.ID) })
	slices.Reverse(found)
	return found, nil
}

// united is what several roles come to together.
type united struct {
	Default                           string
	Notifications, Boards, Subscribed []string
}

// TestR15SeveralRolesComeTogether: of Anna, who holds ant, bee and cat, whose
// lists overlap, each given so many days after the first.
func TestR15SeveralRolesComeTogether(t *testing.T) {
	ant := role.Role{Notifications: []string{"assigned", "mentioned"}, DefaultBoard: "ant-board", BoardAccess: []string{"b1", "b2"}, BoardSubscriptions: []string{"b1"}}
	bee := role.Role{Notifications: []string{"mentioned"}, DefaultBoard: "bee-board", BoardAccess: []string{"b2", "b3"}, BoardSubscriptions: []string{"b3", "b1"}}
	cat := role.Role{Notifications: []string{"due"}, BoardAccess: []string{"b0"}, BoardSubscriptions: []string{"b2"}}
	roles := []role.Role{ant, bee, cat}
	var rules authz.Policy
	for i, id := range []string{"ant", "bee", "cat"} {
		roles[i].Role = authz.Role{RoleRef: authz.RoleRef{ID: id, Birth: 1}, Name: id}
		rules.Roles = append(rules.Roles, roles[i].Role)
	}
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	facts := directory.Facts{Organization: directory.Organization{ID: "o"}, Model: authz.Compile(rules), Policy: 1}
	all := united{"ant-board", []string{"assigned", "due", "mentioned"}, []string{"b0", "b1", "b2", "b3"}, []string{"b1", "b2", "b3"}}
	for name, c := range map[string]struct {
		since  [3]int
		over   string // a role that has ended
		chosen map[string]bool
		want   united
	}{
		"lists are united, and of boards given at once the lowest id's is the default": {since: [3]int{4, 4, 9}, want: all},
		"the default of the role held longest gives way": {
			since: [3]int{1, 2, 3}, want: united{"bee-board", all.Notifications, all.Boards, all.Subscribed},
		},
		"a lower id given later is the default": {since: [3]int{2, 1, 3}, want: all},
		"the user's own choices come over those of the roles": {
			chosen: map[string]bool{"mentioned": false, "weekly": true, "due": true},
			want:   united{"ant-board", []string{"assigned", "due", "weekly"}, all.Boards, all.Subscribed},
		},
		"a choice against what no role gives changes nothing": {chosen: map[string]bool{"weekly": false}, want: all},
		"a role that is over gives nothing": {
			since: [3]int{1, 2, 3}, over: "bee",
			want: united{"ant-board", all.Notifications, []string{"b0", "b1", "b2"}, []string{"b1", "b2"}},
		},
		"nor what it alone gave": {
			over: "ant", want: united{"bee-board", []string{"due", "mentioned"}, []string{"b0", "b2", "b3"}, []string{"b1", "b2", "b3"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			anna := directory.User{ID: "anna", Type: authz.General, Notifications: c.chosen}
			for i, r := range slices.Backward(roles) {
				held := directory.Assignment{Assignment: authz.Assignment{Role: r.RoleRef}, Since: now.AddDate(0, -1, c.since[i])}
				if r.ID == c.over {
					held.Until = now
				}
				anna.Assignments = append(anna.Assignments, held)
			}
			facts.Users = map[string]directory.User{"anna": anna}
			a, err := role.New(kept{roles: roles}).Access(t.Context(), directory.Caller{At: now, Facts: facts}, "anna")
			if err != nil {
				t.Fatal(err)
			}
			got := united{a.DefaultBoard, a.Notifications, a.BoardAccess, a.BoardSubscriptions}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("R15 (-want +got):\n%s", diff)
			}
			for _, h := range a.Assignments {
				if h.Expired != (h.Role.ID == c.over) {
					t.Errorf("R5 %s: expired %v", h.Role.ID, h.Expired)
				}
			}
		})
	}
}
