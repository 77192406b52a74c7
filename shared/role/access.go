package role

import (
	"context"
	"maps"
	"slices"
	"strings"

	"gemba/shared/authz"
	"gemba/shared/directory"
)

// Access is everything that somebody has: the rights with all that gives them,
// what several roles come to together (R15), and the assignments.
type Access struct {
	Rights             []authz.Right
	Notifications      []string
	DefaultBoard       string
	BoardAccess        []string
	BoardSubscriptions []string
	Assignments        []Held
}

// Held is an assignment of a role that lives. One that is over gives nothing (R5).
type Held struct {
	directory.Assignment
	Expired bool
}

// Access is that of one of the caller's facts' users.
func (s *Service) Access(ctx context.Context, c directory.Caller, user string) (Access, error) {
	u := c.Users[user]
	a := Access{Rights: c.Model.Access(c.Model.Subject(u.Decisive(), c.At)), Assignments: heldBy(c, u)}
	var counting []directory.Assignment
	var ids []string
	for _, h := range a.Assignments {
		if !h.Expired {
			counting, ids = append(counting, h.Assignment), append(ids, h.Role.ID)
		}
	}
	roles, err := s.store.RolesOf(ctx, c.Organization.ID, ids)
	if err != nil {
		return Access{}, err
	}
	a.unite(u, counting, roles)
	return a, nil
}

// heldBy is the user's assignments of roles that live (R14), by the roles' ids.
func heldBy(c directory.Caller, u directory.User) []Held {
	var all []Held
	for _, a := range c.Shown(u).Assignments {
		all = append(all, Held{a, a.Over(c.At)})
	}
	slices.SortFunc(all, func(a, b Held) int { return strings.Compare(a.Role.ID, b.Role.ID) })
	return all
}

// unite is R15. The assignments are in the order of their roles' ids.
func (a *Access) unite(u directory.User, held []directory.Assignment, roles []Role) {
	notified, boards, subscribed := map[string]bool{}, map[string]bool{}, map[string]bool{}
	var latest directory.Assignment
	for _, assignment := range held {
		i := slices.IndexFunc(roles, func(r Role) bool { return r.RoleRef == assignment.Role })
		if i < 0 {
			continue // deleted since the assignments were read
		}
		r := roles[i]
		add(notified, r.Notifications)
		add(boards, r.BoardAccess)
		add(subscribed, r.BoardSubscriptions)
		if r.DefaultBoard != "" && (a.DefaultBoard == "" || assignment.Since.After(latest.Since)) {
			a.DefaultBoard, latest = r.DefaultBoard, assignment
		}
	}
	for name, chosen := range u.Notifications {
		notified[name] = chosen
	}
	maps.DeleteFunc(notified, func(_ string, on bool) bool { return !on })
	a.Notifications, a.BoardAccess = slices.Sorted(maps.Keys(notified)), slices.Sorted(maps.Keys(boards))
	a.BoardSubscriptions = slices.Sorted(maps.Keys(subscribed))
}

func add(set map[string]bool, names []string) {
	for _, name := range names {
		set[name] = true
	}
}
