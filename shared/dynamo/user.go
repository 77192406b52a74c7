package dynamo

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

type userItem struct {
	stored
	ID            string           `dynamodbav:"id"`
	Name          string           `dynamodbav:"name"`
	Email         string           `dynamodbav:"email,omitempty"`
	Username      string           `dynamodbav:"username"`
	Type          string           `dynamodbav:"type"`
	Internal      bool             `dynamodbav:"internal,omitempty"`
	Locations     []string         `dynamodbav:"locations"`
	Persona       string           `dynamodbav:"persona,omitempty"`
	Assignments   []assignmentItem `dynamodbav:"assignments,omitempty"`
	SignIn        string           `dynamodbav:"signIn"`
	Sub           string           `dynamodbav:"sub,omitempty"`
	Untold        bool             `dynamodbav:"untold,omitempty"`
	Notifications map[string]bool  `dynamodbav:"notifications,omitempty"`
	Seen          directory.Day    `dynamodbav:"seen,omitempty"`
	OnTeam        bool             `dynamodbav:"onTeam,omitempty"`
	Pulse         uint64           `dynamodbav:"pulse,omitempty"`
}

type assignmentItem struct {
	Role      string    `dynamodbav:"role"`
	Birth     uint64    `dynamodbav:"birth"`
	Locations []string  `dynamodbav:"locations,omitempty"`
	Until     time.Time `dynamodbav:"until"`
	Since     time.Time `dynamodbav:"since"`
	By        string    `dynamodbav:"by"`
}

func userForm(u directory.User) userItem {
	item := userItem{
		stored: stored{V: u.Version}, ID: u.ID, Name: u.Name, Email: u.Email, Username: u.Username,
		Type: u.Type.String(), Internal: u.Internal, Locations: u.Locations, Persona: u.Persona.String(),
		SignIn: u.SignIn.String(), Sub: u.Sub, Untold: u.Untold, Notifications: u.Notifications,
		Seen: u.Seen, OnTeam: u.OnTeam, Pulse: u.Pulse,
	}
	for _, a := range u.Assignments {
		item.Assignments = append(item.Assignments, assignmentItem{a.Role.ID, a.Role.Birth, a.Locations, a.Until, a.Since, a.By})
	}
	return item
}

func (item userItem) user() directory.User {
	kind, _ := authz.ParseUserType(item.Type)
	signIn, _ := directory.ParseSignIn(item.SignIn)
	u := directory.User{
		ID: item.ID, Name: item.Name, Email: item.Email, Username: item.Username, Type: kind, Internal: item.Internal,
		Locations: item.Locations, Persona: personaOf(item.Persona), SignIn: signIn, Sub: item.Sub, Untold: item.Untold,
		Notifications: item.Notifications, Seen: item.Seen, OnTeam: item.OnTeam, Pulse: item.Pulse, Version: item.V,
	}
	for _, a := range item.Assignments {
		u.Assignments = append(u.Assignments, directory.Assignment{
			Assignment: authz.Assignment{Role: authz.RoleRef{ID: a.Role, Birth: a.Birth}, Locations: a.Locations, Until: a.Until},
			Since:      a.Since, By: a.By,
		})
	}
	return u
}

// Fits is Unprocessable too_large when the user would take more than an item may
// have.
func (s *Store) Fits(u directory.User) error {
	t := s.begin()
	t.bound(userForm(u))
	return t.err
}

// writeUser is everything that a user's next state touches: the user, its
// copy in the directory, its places among a location's users and a role's
// members, its username, and the counts. before is zero for a new user. What is
// noted of the user's engagement is no part of such a change: it stays, and one
// that was noted meanwhile is raced, as the counts would be wrong.
func (t *transaction) writeUser(o string, before, after directory.User) {
	after.Version = before.Version + 1
	after.Seen, after.OnTeam, after.Pulse = before.Seen, before.OnTeam, before.Pulse
	item := userForm(after)
	t.bound(item)
	t.put(userKey(o, after.ID), item, userIs(before), raced())
	t.put(directoryKey(o, after.ID), item, userIs(before), raced())
	left, joined := difference(before.Locations, after.Locations)
	for _, l := range left {
		t.delete(locationUserKey(o, l, after.ID), present, raced())
	}
	for _, l := range joined {
		t.put(locationUserKey(o, l, after.ID), stored{}, absent, raced())
	}
	t.writeMember(o, before, after)
	t.writeUsername(o, before, after)
	t.count(o, before, after)
}

// userIs holds while a user and what is noted of them are what was read.
func userIs(u directory.User) expression.ConditionBuilder {
	if u.Pulse == 0 {
		return versionIs(u.Version).And(expression.AttributeNotExists(expression.Name("pulse")))
	}
	return versionIs(u.Version).And(expression.Name("pulse").Equal(expression.Value(u.Pulse)))
}

// memberItem is a user among a role's members, with the end of the assignment,
// so that members are counted without reading the users.
type memberItem struct {
	stored
	Until string `dynamodbav:"until,omitempty"`
}

func memberForm(a directory.Assignment) memberItem {
	if a.Until.IsZero() {
		return memberItem{}
	}
	return memberItem{Until: a.Until.UTC().Format(time.RFC3339Nano)}
}

// writeMember is a user's places among the members of the roles held.
func (t *transaction) writeMember(o string, before, after directory.User) {
	was, is := membership(before), membership(after)
	for _, a := range before.Assignments {
		if _, kept := is[a.Role]; !kept {
			t.delete(memberKey(o, a.Role, after.ID), absent.Or(present), raced()) // a deleted role's members are swept
		}
	}
	for _, a := range after.Assignments {
		switch item, held := was[a.Role]; {
		case !held:
			t.put(memberKey(o, a.Role, after.ID), memberForm(a), absent, raced())
		case item != is[a.Role]:
			t.put(memberKey(o, a.Role, after.ID), memberForm(a), absent.Or(present), raced())
		}
	}
}

// membership is a user's places among members, by role.
func membership(u directory.User) map[authz.RoleRef]memberItem {
	items := make(map[authz.RoleRef]memberItem, len(u.Assignments))
	for _, a := range u.Assignments {
		items[a.Role] = memberForm(a)
	}
	return items
}

// writeUsername keeps usernames unique in the deployment (U1).
func (t *transaction) writeUsername(o string, before, after directory.User) {
	if before.Username != "" && usernameKey(before.Username) == usernameKey(after.Username) {
		return
	}
	if before.Username != "" {
		t.delete(usernameKey(before.Username), present, raced())
	}
	t.put(usernameKey(after.Username), nameItem{Organization: o, ID: after.ID}, absent,
		fault.New(fault.Conflict, "username_taken", "This username is taken."))
}

// nameItem says whose a unique name is.
type nameItem struct {
	stored
	Organization string `dynamodbav:"organization"`
	ID           string `dynamodbav:"id"`
}

// difference is what is only in before and what is only in after.
func difference[T comparable](before, after []T) (left, joined []T) {
	for _, x := range before {
		if !slices.Contains(after, x) {
			left = append(left, x)
		}
	}
	for _, x := range after {
		if !slices.Contains(before, x) {
			joined = append(joined, x)
		}
	}
	return left, joined
}
