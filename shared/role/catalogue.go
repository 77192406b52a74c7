package role

import "gemba/shared/authz"

// Catalogue is what a role can give, as an editor needs it: each permission in
// words, with the scopes that it may have, what it implies and what it needs.
// What decides in it is authz's own tables and Validate's.
type Catalogue struct {
	Scopes   []ScopeWords
	Grants   []GrantWords
	Advanced []AdvancedWords
	Admin    []AdminWords
}

// Words are what an editor shows of a permission or scope.
type Words struct{ Label, Description string }

// ScopeWords is a scope (R4). Wider are those that are wider.
type ScopeWords struct {
	Words
	Scope             authz.Scope
	Wider             []authz.Scope
	SpecificLocations bool // a role with specific locations may have it (R8)
}

// GrantWords is an item permission (R4). Scopes is empty for a plain yes.
type GrantWords struct {
	Words
	Permission authz.Permission
	Scopes     []authz.Scope
	Implies    []Implication
	Needs      []Need
}

// Implication is a permission that comes with another in the same scope (R7):
// on all items, or only on those whose template has a Standard team.
type Implication struct {
	Permission   authz.Permission
	StandardOnly bool
}

// Place is where what a permission needs has to be.
type Place uint8

// The places: on the item that is acted on (C4), in the same role (R9), in any
// role of the user (R10).
const (
	OnItem Place = iota
	SameRole
	AnyRole
	PlaceCount
)

// Need is that one of these permissions is needed besides, by their words.
type Need struct {
	AnyOf []string
	Where Place
}

// AdvancedWords is an advanced permission, a plain yes (R9).
type AdvancedWords struct {
	Words
	Permission authz.Advanced
	Needs      []Need
}

// AdminWords is an admin permission (R10): by its word, and by its member in a
// role's body. Scopes is empty for one of the whole organization.
type AdminWords struct {
	Words
	Permission, Member string
	Scopes             []authz.Scope
	Options            []Option
	Needs              []Need
	SpecificLocations  bool // a role with specific locations may have it (R8)
	held               func(authz.Admin) bool
}

// Option is a choice that comes with user administration (R10).
type Option struct {
	Words
	Member  string
	Default any // false; "all"; an empty list of roles
}

// scopesThat are the scopes that something is allowed in, the widest first.
func scopesThat(allowed func(authz.Scope) bool) []authz.Scope {
	var all []authz.Scope
	for s := authz.ScopeCount - 1; s > authz.Yes; s-- {
		if allowed(s) {
			all = append(all, s)
		}
	}
	return all
}

var scopeWords = [authz.ScopeCount]Words{
	authz.Everywhere:       {"Everywhere", "On every item of the organization, also one without a location."},
	authz.LocationAndBelow: {"Location and below", "On items at the user's locations and at all below them."},
	authz.OnlyLocation:     {"Only location", "On items at the user's locations themselves."},
	authz.OnlyUsers:        {"Only the user's", "On items on whose team the user is, in the team roles that the organization's setting says."},
}

var grantWords = [authz.PermissionCount]Words{
	authz.Participate:   {"Participate", "Create items and be on their team."},
	authz.View:          {"View", "See public items that are not new."},
	authz.ViewNew:       {"View new", "See public items in every status but draft."},
	authz.Edit:          {"Edit", "Edit items they may view."},
	authz.Request:       {"Request", "Ask someone to become Responsible."},
	authz.Assign:        {"Assign", "Assign items they may view."},
	authz.ViewPrivate:   {"View private", "See private items in every status but draft."},
	authz.TogglePrivate: {"Toggle private", "Make public items private and back."},
	authz.HonorRoll:     {"Honor Roll", "Add or remove Honor Roll on items they may view."},
	authz.Delete:        {"Delete", "Delete items they may view."},
}

var advancedWords = [authz.AdvancedCount]Words{
	authz.CreateBoards:      {"Create boards", "Create boards of their own."},
	authz.CreateItemLists:   {"Create item lists", "Create lists of items."},
	authz.ShareItemLists:    {"Share item lists", "Share lists of items with others."},
	authz.ViewImpact:        {"View impact", "See the impact of items."},
	authz.ViewReportData:    {"View report data", "See the data behind reports."},
	authz.ItemsSection:      {"Items section", "Open the section of items."},
	authz.PeopleSection:     {"People section", "Open the section of people."},
	authz.ReportsSection:    {"Reports section", "Open the section of reports."},
	authz.ApproveMilestones: {"Approve milestones", "Approve milestones."},
}

// adminWords is R10's table, in its order, and R8's.
var adminWords = []AdminWords{
	{
		Words: Words{"Global user administrator", "Manage every user."}, Permission: "global_user_administrator", Member: "globalUserAdministrator",
		Options: administrationOptions("all"), held: func(a authz.Admin) bool { return a.Global != nil },
	},
	{
		Words: Words{"Local user administrator", "Manage the users there."}, Permission: "local_user_administrator", Member: "localUserAdministrator",
		Scopes: scopesThat(authz.AllowsLocalAdministration), Options: administrationOptions([]string{}), SpecificLocations: true, held: func(a authz.Admin) bool { return a.Local != nil },
	},
	{
		Words:      Words{"Impersonate users", "Start an impersonation of a user within the reach of the user administration held."},
		Permission: "impersonate_user", Member: "impersonateUser",
		Needs:             []Need{{[]string{"global_user_administrator", "local_user_administrator"}, AnyRole}},
		SpecificLocations: true, held: func(a authz.Admin) bool { return a.Impersonate },
	},
	{
		Words: Words{"Role administrator", "Create, edit, clone and delete roles."}, Permission: "role_administrator", Member: "roleAdministrator",
		held: func(a authz.Admin) bool { return a.Roles },
	},
	{
		Words:      Words{"Quality administrator", "Manage locations, workflows, templates, attribute values and weighted scores."},
		Permission: "quality_administrator", Member: "qualityAdministrator", held: func(a authz.Admin) bool { return a.Quality },
	},
	{
		Words:      Words{"System administrator", "Manage settings and persona targets, read the admin timeline, import."},
		Permission: "system_administrator", Member: "systemAdministrator", held: func(a authz.Admin) bool { return a.System },
	},
	{
		Words: Words{"Board administrator", "Manage the public boards there."}, Permission: "board_administrator", Member: "boardAdministrator",
		Scopes: scopesThat(authz.AllowsPlaced), SpecificLocations: true, held: func(a authz.Admin) bool { return a.Board != authz.NoScope },
	},
	{
		Words: Words{"Card administrator", "Manage the public cards there."}, Permission: "card_administrator", Member: "cardAdministrator",
		Scopes: scopesThat(authz.AllowsPlaced), SpecificLocations: true, held: func(a authz.Admin) bool { return a.Card != authz.NoScope },
	},
	{
		Words: Words{"Escalation administrator", "Escalate items they may edit, there."}, Permission: "escalation_administrator", Member: "escalationAdministrator",
		Scopes: scopesThat(authz.AllowsPlaced), Needs: onItem(authz.EscalationNeeds()), SpecificLocations: true, held: func(a authz.Admin) bool { return a.Escalation != authz.NoScope },
	},
	{
		Words:      Words{"Access reader", "Ask the permission service about other users; for services."},
		Permission: "access_reader", Member: "accessReader", held: func(a authz.Admin) bool { return a.AccessReader },
	},
	{
		Words: Words{"Item writer", "Record the facts of items; for services."}, Permission: "item_writer", Member: "itemWriter",
		held: func(a authz.Admin) bool { return a.ItemWriter },
	},
}

func administrationOptions(grantable any) []Option {
	return []Option{
		{Words{"Create users", "Create users, too."}, "createUsers", false},
		{Words{"Grantable roles", "The roles that may be given and taken: all, or a list."}, "grantableRoles", grantable},
	}
}

// onItem is what C4 needs besides.
func onItem(view, edit bool) []Need {
	var needs []Need
	if view {
		needs = append(needs, Need{[]string{authz.View.String()}, OnItem})
	}
	if edit {
		needs = append(needs, Need{[]string{authz.Edit.String()}, OnItem})
	}
	return needs
}

// advancedNeeds is what an advanced permission needs in the same role (R9).
var advancedNeeds = map[authz.Advanced]authz.Advanced{authz.ShareItemLists: authz.CreateItemLists}

// Permissions is the catalogue.
func Permissions() Catalogue {
	c := Catalogue{Admin: adminWords}
	for s := authz.ScopeCount - 1; s > authz.Yes; s-- {
		words := ScopeWords{Words: scopeWords[s], Scope: s, SpecificLocations: s != authz.Everywhere}
		for other := authz.Yes + 1; other < authz.ScopeCount; other++ {
			if authz.Wider(other, s) {
				words.Wider = append(words.Wider, other)
			}
		}
		c.Scopes = append(c.Scopes, words)
	}
	for p := authz.NoPermission + 1; p < authz.PermissionCount; p++ {
		c.Grants = append(c.Grants, grantOf(p))
	}
	for a := authz.NoAdvanced + 1; a < authz.AdvancedCount; a++ {
		words := AdvancedWords{Words: advancedWords[a], Permission: a}
		if needed, needs := advancedNeeds[a]; needs {
			words.Needs = []Need{{[]string{needed.String()}, SameRole}}
		}
		c.Advanced = append(c.Advanced, words)
	}
	return c
}

// grantOf is an item permission with what authz's tables say of it.
func grantOf(p authz.Permission) GrantWords {
	words := GrantWords{
		Words: grantWords[p], Permission: p, Needs: onItem(p.Needs()),
		Scopes: scopesThat(func(s authz.Scope) bool { return authz.Allows(p, s) }),
	}
	always := map[authz.Permission]bool{}
	for _, q := range p.Implied(authz.Simple) {
		always[q] = true
	}
	for _, q := range p.Implied(authz.Standard) {
		words.Implies = append(words.Implies, Implication{q, !always[q]})
	}
	return words
}
