package authz

import "time"

// Settings are the organization's choices that decide (R6, R11).
type Settings struct {
	OnlyUsers  OnlyUsersRule
	LocalReach ReachRule
}

// Location is a node of the location forest; Parent is empty for a root (U3).
// Closing is of one that is being deleted: it decides as before, and nothing
// may come to name it.
type Location struct {
	ID, Name, Parent string
	Closing          bool
}

// Workflow has templates. Closing as of locations.
type Workflow struct {
	ID, Name string
	Closing  bool
}

// Template makes items; its team type says which team roles they have (C1).
// Closing as of locations.
type Template struct {
	ID, Name, Workflow string
	TeamType           TeamType
	Closing            bool
}

// RoleRef names a role and the policy version at which it was created, so
// that a new role under an old id is another role (R14).
type RoleRef struct {
	ID    string
	Birth uint64
}

// Role is what of a system role decides (R1).
type Role struct {
	RoleRef
	Name              string
	SpecificLocations []string
	Grants            []Grant
	Advanced          []Advanced
	Admin             Admin
}

// Grant gives permissions on the items of templates and of workflows'
// templates (R3). Participate's scope is Yes.
type Grant struct {
	Workflows, Templates []string
	Permissions          map[Permission]Scope
}

// Admin is a role's admin permissions (R10). A scope that is NoScope and a
// nil administration are not held.
type Admin struct {
	Global, Local           *UserAdministration
	Impersonate             bool
	Roles, Quality, System  bool
	AccessReader            bool
	ItemWriter              bool
	Board, Card, Escalation Scope
}

// UserAdministration is global or local user administration with its two
// options (R10). Scope stands for the local one only.
type UserAdministration struct {
	Scope       Scope
	CreateUsers bool
	Grantable   Grantable
}

// Grantable is the list of roles that an administrator may give (R10, R12).
type Grantable struct {
	All   bool
	Roles []RoleRef
}

// User is what of a person decides.
type User struct {
	ID        string
	Type      UserType
	Locations []string
	// SignIn is whether the sign-in is enabled: it decides R13 alone.
	SignIn      bool
	Assignments []Assignment
}

// Assignment is a role that a user holds, limited to Locations when there are
// some (R5), over from Until on when that is not zero.
type Assignment struct {
	Role      RoleRef
	Locations []string
	Until     time.Time
}

// Item is the facts of an item that decide (C8).
type Item struct {
	ID, Template string
	Locations    []string
	Status       Status
	Private      bool
	Team         map[TeamRole][]string
}

// Resource is what a question is about. A nil Item or User of that type is a
// thing that does not exist (C8).
type Resource struct {
	Type      ResourceType
	ID        string
	Item      *Item    // of ItemResource
	User      *User    // of UserResource
	Role      string   // of UserResource, for GrantRole and RevokeRole (C7)
	Locations []string // of BoardResource and CardResource (C7); of UserResource, for PlaceUser
}

// Decision is an answer with its reason; the zero value denies.
type Decision struct {
	Allowed bool
	Reason  Reason
}

// Policy is everything of an organization that a Model is compiled from.
type Policy struct {
	Settings  Settings
	Locations []Location
	Workflows []Workflow
	Templates []Template
	Roles     []Role
}
