package authz

// Everything closed is an enum: its zero value is a sentinel that means
// "none", its last value a count, its names are the words of the rules.

// name is the word for e, or "" for the sentinel and what is out of range.
func name[E ~uint8](names []string, e E) string {
	if int(e) < len(names) {
		return names[e]
	}
	return ""
}

// parse is the member with this word; false when there is none.
func parse[E ~uint8](names []string, word string) (E, bool) {
	for i := 1; i < len(names); i++ {
		if names[i] == word {
			return E(i), true
		}
	}
	return 0, false
}

// UserType gates everything else (U2).
type UserType uint8

// The user types (U2).
const (
	NoUserType UserType = iota
	General
	Capture
	Wallboard
	Kiosk
	Offline
	Setup
	Inactive
	UserTypeCount
)

var userTypeNames = []string{"", "general", "capture", "wallboard", "kiosk", "offline", "setup", "inactive"}

// String is the type's word.
func (t UserType) String() string { return name(userTypeNames, t) }

// ParseUserType is the type with this word.
func ParseUserType(word string) (UserType, bool) { return parse[UserType](userTypeNames, word) }

// TeamType says which team roles an item has (C1).
type TeamType uint8

// The team types (C1).
const (
	NoTeamType TeamType = iota
	Simple
	Standard
	AdvancedTeam
	AuthorOnly
	TeamTypeCount
)

var teamTypeNames = []string{"", "simple", "standard", "advanced", "author_only"}

// String is the type's word.
func (t TeamType) String() string { return name(teamTypeNames, t) }

// ParseTeamType is the type with this word.
func ParseTeamType(word string) (TeamType, bool) { return parse[TeamType](teamTypeNames, word) }

// TeamRole is what a user is on one item (C1).
type TeamRole uint8

// The team roles (C1).
const (
	NoTeamRole TeamRole = iota
	Responsible
	Assigner
	Author
	Collaborator
	Follower
	Sponsor
	Facilitator
	Leader
	Participant
	TeamRoleCount
)

var teamRoleNames = []string{"", "responsible", "assigner", "author", "collaborator", "follower",
	"sponsor", "facilitator", "leader", "participant"}

// String is the role's word.
func (r TeamRole) String() string { return name(teamRoleNames, r) }

// ParseTeamRole is the role with this word.
func ParseTeamRole(word string) (TeamRole, bool) { return parse[TeamRole](teamRoleNames, word) }

// Status is an item's status (C1).
type Status uint8

// The statuses (C1).
const (
	NoStatus Status = iota
	Draft
	New
	Planned
	Active
	Overdue
	ResolutionSubmitted
	Complete
	Deferred
	StatusCount
)

var statusNames = []string{"", "draft", "new", "planned", "active", "overdue", "resolution_submitted", "complete", "deferred"}

// String is the status's word.
func (s Status) String() string { return name(statusNames, s) }

// ParseStatus is the status with this word.
func ParseStatus(word string) (Status, bool) { return parse[Status](statusNames, word) }

// Permission is an item permission that a grant gives (R4).
type Permission uint8

// The item permissions (R4).
const (
	NoPermission Permission = iota
	Participate
	View
	ViewNew
	Edit
	Request
	Assign
	ViewPrivate
	TogglePrivate
	HonorRoll
	Delete
	PermissionCount
)

var permissionNames = []string{"", "participate", "view", "view_new", "edit", "request", "assign",
	"view_private", "toggle_private", "honor_roll", "delete"}

// String is the permission's word.
func (p Permission) String() string { return name(permissionNames, p) }

// ParsePermission is the permission with this word.
func ParsePermission(word string) (Permission, bool) {
	return parse[Permission](permissionNames, word)
}

// Scope is where a permission is valid (R4). Yes is the plain yes of
// participate.
type Scope uint8

// The scopes (R4).
const (
	NoScope Scope = iota
	Yes
	OnlyUsers
	OnlyLocation
	LocationAndBelow
	Everywhere
	ScopeCount
)

var scopeNames = []string{"", "yes", "only_users", "only_location", "location_and_below", "everywhere"}

// String is the scope's word.
func (s Scope) String() string { return name(scopeNames, s) }

// ParseScope is the scope with this word; the plain yes has none.
func ParseScope(word string) (Scope, bool) {
	s, ok := parse[Scope](scopeNames, word)
	return s, ok && s != Yes
}

// The words of R10 for what is told by itself in explanations and changes.
const (
	globalUserAdministrator = "global_user_administrator"
	localUserAdministrator  = "local_user_administrator"
	impersonateUser         = "impersonate_user"
	boardAdministrator      = "board_administrator"
	cardAdministrator       = "card_administrator"
	// escalationAdministrator stands beside the permissions of grants.
	escalationAdministrator = "escalation_administrator"
)

// Advanced is an advanced permission, a plain yes (R9).
type Advanced uint8

// The advanced permissions (R9).
const (
	NoAdvanced Advanced = iota
	CreateBoards
	CreateItemLists
	ShareItemLists
	ViewImpact
	ViewReportData
	ItemsSection
	PeopleSection
	ReportsSection
	ApproveMilestones
	AdvancedCount
)

var advancedNames = []string{"", "create_boards", "create_item_lists", "share_item_lists", "view_impact",
	"view_report_data", "items_section", "people_section", "reports_section", "approve_milestones"}

// String is the permission's word.
func (a Advanced) String() string { return name(advancedNames, a) }

// ParseAdvanced is the permission with this word.
func ParseAdvanced(word string) (Advanced, bool) { return parse[Advanced](advancedNames, word) }

// OnlyUsersRule says what only_users means (R6).
type OnlyUsersRule uint8

// The readings of only_users (R6). The zero value is the default.
const (
	ByTeamRole OnlyUsersRule = iota
	ByTeamMember
)

// ReachRule says when a local administrator reaches a user (R11).
type ReachRule uint8

// The reaches (R11). The zero value is the default.
const (
	ReachAll ReachRule = iota
	ReachAny
)

// ResourceType is the kind of thing that a question is about (C7, C8).
type ResourceType uint8

// The resource types (C7).
const (
	NoResourceType ResourceType = iota
	ItemResource
	UserResource
	OrganizationResource
	BoardResource
	CardResource
	ResourceTypeCount
)

var resourceTypeNames = []string{"", "item", "user", "organization", "board", "card"}

// String is the type's word.
func (t ResourceType) String() string { return name(resourceTypeNames, t) }

// ParseResourceType is the type with this word.
func ParseResourceType(word string) (ResourceType, bool) {
	return parse[ResourceType](resourceTypeNames, word)
}

// Reason says why a decision is what it is; the contract lists the words.
type Reason uint8

// The reasons, in the order in which they apply.
const (
	NoReason Reason = iota
	UnknownSubject
	UnknownResourceType
	UnknownAction
	UnknownResource
	WrongUserType
	IsDraft
	IsPrivate
	IsNew
	NoGrant
	OutOfScope
	NeedsEdit
	NotGrantable
	TeamMember
	RoleGrant
	ReasonCount
)

var reasonNames = []string{"", "unknown_subject", "unknown_resource_type", "unknown_action", "unknown_resource",
	"user_type", "draft", "private", "new", "no_grant", "out_of_scope", "needs_edit", "not_grantable",
	"team_member", "role_grant"}

// String is the reason's word.
func (r Reason) String() string { return name(reasonNames, r) }

// Action is what a subject wants to do. The words of C1 and C7 can be asked
// by anybody; those from SignIn on stand for what the API itself needs and
// cannot be named from outside.
type Action uint8

// The actions. One word can be an action on several resource types
// (administer), so an action is known by its word and resource type.
const (
	NoAction Action = iota

	// On an item (C1).
	DoParticipate
	DoView
	DoEdit
	DoRequest
	DoAssign
	DoTogglePrivate
	DoHonorRoll
	DoDelete
	DoEscalate

	// On a user (C7).
	AdministerUser
	ChangePersona
	ImpersonateUser
	GrantRole
	RevokeRole

	// On the organization (C7): create_users, the advanced permissions and the
	// organization-wide admin permissions.
	CreateUsers
	DoCreateBoards
	DoCreateItemLists
	DoShareItemLists
	DoViewImpact
	DoViewReportData
	DoItemsSection
	DoPeopleSection
	DoReportsSection
	DoApproveMilestones
	AdministerAllUsers
	AdministerRoles
	AdministerQuality
	AdministerSystem
	ReadAccess
	WriteItems

	// On a board or card (C7).
	AdministerBoard
	AdministerCard

	// Of the API alone, never parsed.
	// SignIn: the user's type may sign in (U2).
	SignIn
	// ReadAdministration: any admin permission (R10, last clause).
	ReadAdministration
	// ReadUser: oneself, or user administration of the user.
	ReadUser
	// AdministerSomeUsers: a user administrator at all, wherever.
	AdministerSomeUsers
	// CreateUser: make the resource's user, at its locations (R10, R12).
	CreateUser
	// PlaceUser: administer the user, and give it the resource's locations (R12).
	PlaceUser
	// ChangePreferences: those of oneself, or of a user that one administers.
	ChangePreferences
	// ReadItems: the facts of items, by who asks about others or records them.
	ReadItems
	// RecordItems: item_writer or quality_administrator.
	RecordItems
	ActionCount
)
