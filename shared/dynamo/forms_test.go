package dynamo

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/role"
	"gemba/shared/timeline"
)

// What is stored comes back as it was, whatever it is: a member that a form
// forgets is a right or a person lost without a word.

// stores holds that a form gives back what it was made of.
func stores[Thing, Form any](t *testing.T, draw *rapid.Generator[Thing], form func(Thing) Form, back func(Form) Thing) {
	rapid.Check(t, func(t *rapid.T) {
		want := draw.Draw(t, "thing")
		av, err := attributevalue.MarshalMap(form(want))
		if err != nil {
			t.Fatal(err)
		}
		var read Form
		if err := decode(av, &read); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, back(read), cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

var (
	ids      = rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9_.-]{0,8}`)
	someIDs  = rapid.SliceOfNDistinct(ids, 0, 4, rapid.ID[string])
	texts    = rapid.String()
	versions = rapid.Uint64Range(1, 1<<60)
	times    = rapid.Custom(func(t *rapid.T) time.Time {
		return time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "second"), rapid.Int64Range(0, 999_999_999).Draw(t, "nano")).UTC()
	})
	maybeTimes = rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "never") {
			return time.Time{}
		}
		return times.Draw(t, "time")
	})
)

// anyOf draws a member of a closed set, from first on.
func anyOf[E ~uint8](first, count E) *rapid.Generator[E] {
	return rapid.Custom(func(t *rapid.T) E { return E(rapid.IntRange(int(first), int(count)-1).Draw(t, "member")) })
}

var refs = rapid.Custom(func(t *rapid.T) authz.RoleRef {
	return authz.RoleRef{ID: ids.Draw(t, "id"), Birth: versions.Draw(t, "birth")}
})

var administrations = rapid.Custom(func(t *rapid.T) *authz.UserAdministration {
	if rapid.Bool().Draw(t, "none") {
		return nil
	}
	return &authz.UserAdministration{
		Scope: anyOf(authz.NoScope, authz.ScopeCount).Draw(t, "scope"), CreateUsers: rapid.Bool().Draw(t, "creates"),
		Grantable: authz.Grantable{All: rapid.Bool().Draw(t, "all"), Roles: rapid.SliceOfN(refs, 0, 3).Draw(t, "grantable")},
	}
})

var grants = rapid.Custom(func(t *rapid.T) authz.Grant {
	return authz.Grant{
		Workflows: someIDs.Draw(t, "workflows"), Templates: someIDs.Draw(t, "templates"),
		Permissions: rapid.MapOf(anyOf(authz.NoPermission+1, authz.PermissionCount), anyOf(authz.NoScope+1, authz.ScopeCount)).Draw(t, "permissions"),
	}
})

var rolesOf = rapid.Custom(func(t *rapid.T) role.Role {
	yes := rapid.Bool()
	scope := anyOf(authz.NoScope, authz.ScopeCount)
	return role.Role{
		Role: authz.Role{
			RoleRef: refs.Draw(t, "ref"), Name: texts.Draw(t, "name"), SpecificLocations: someIDs.Draw(t, "specific"),
			Grants:   rapid.SliceOfN(grants, 0, 3).Draw(t, "grants"),
			Advanced: rapid.SliceOfN(anyOf(authz.NoAdvanced+1, authz.AdvancedCount), 0, 9).Draw(t, "advanced"),
			Admin: authz.Admin{
				Global: administrations.Draw(t, "global"), Local: administrations.Draw(t, "local"), Impersonate: yes.Draw(t, "impersonate"),
				Roles: yes.Draw(t, "roles"), Quality: yes.Draw(t, "quality"), System: yes.Draw(t, "system"),
				AccessReader: yes.Draw(t, "reader"), ItemWriter: yes.Draw(t, "writer"),
				Board: scope.Draw(t, "board"), Card: scope.Draw(t, "card"), Escalation: scope.Draw(t, "escalation"),
			},
		},
		Description: texts.Draw(t, "description"), Persona: anyOf(directory.NoPersona, directory.PersonaCount).Draw(t, "persona"),
		Notifications: someIDs.Draw(t, "notifications"), DefaultBoard: ids.Draw(t, "board"),
		BoardAccess: someIDs.Draw(t, "access"), BoardSubscriptions: someIDs.Draw(t, "subscriptions"), Version: versions.Draw(t, "version"),
	}
})

var usersOfForm = rapid.Custom(func(t *rapid.T) directory.User {
	u := directory.User{
		ID: ids.Draw(t, "id"), Name: texts.Draw(t, "name"), Email: texts.Draw(t, "email"), Username: texts.Draw(t, "username"),
		Type: anyOf(authz.NoUserType+1, authz.UserTypeCount).Draw(t, "type"), Internal: rapid.Bool().Draw(t, "internal"),
		Locations: someIDs.Draw(t, "locations"), Persona: anyOf(directory.NoPersona, directory.PersonaCount).Draw(t, "persona"),
		SignIn: anyOf(directory.NoSignIn, directory.SignInCount).Draw(t, "signIn"), Sub: ids.Draw(t, "sub"),
		Notifications: rapid.MapOf(ids, rapid.Bool()).Draw(t, "notifications"), Version: versions.Draw(t, "version"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "assignments") {
		u.Assignments = append(u.Assignments, directory.Assignment{
			Assignment: authz.Assignment{Role: refs.Draw(t, "role"), Locations: someIDs.Draw(t, "limit"), Until: maybeTimes.Draw(t, "until")},
			Since:      times.Draw(t, "since"), By: ids.Draw(t, "by"),
		})
	}
	return u
})

var itemsOfForm = rapid.Custom(func(t *rapid.T) directory.Item {
	return directory.Item{Version: versions.Draw(t, "version"), Item: authz.Item{
		ID: ids.Draw(t, "id"), Template: ids.Draw(t, "template"), Locations: someIDs.Draw(t, "locations"),
		Status: anyOf(authz.NoStatus+1, authz.StatusCount).Draw(t, "status"), Private: rapid.Bool().Draw(t, "private"),
		Team: rapid.MapOf(anyOf(authz.NoTeamRole+1, authz.TeamRoleCount), rapid.SliceOfN(ids, 1, 3)).Draw(t, "team"),
	}}
})

var organizations = rapid.Custom(func(t *rapid.T) directory.Organization {
	number := rapid.IntRange(0, 10_000)
	share := func(name string) directory.Share {
		return directory.Share{Min: number.Draw(t, name), Max: number.Draw(t, name)}
	}
	return directory.Organization{
		ID: ids.Draw(t, "id"), Name: texts.Draw(t, "name"), Created: times.Draw(t, "created"), Version: versions.Draw(t, "version"),
		Settings: directory.Settings{
			Authz: authz.Settings{
				OnlyUsers:  anyOf(authz.ByTeamRole, authz.ByTeamMember+1).Draw(t, "onlyUsers"),
				LocalReach: anyOf(authz.ReachAll, authz.ReachAny+1).Draw(t, "reach"),
			},
			ProductName: texts.Draw(t, "product"),
			Targets: directory.Targets{
				Frontline: share("frontline"), Leader: share("leader"), Executive: share("executive"),
				ExpertsUnder: number.Draw(t, "experts"), Champions: directory.People{Min: number.Draw(t, "least"), Max: number.Draw(t, "most")},
			},
			Impersonation: directory.ImpersonationSettings{
				Enabled: rapid.Bool().Draw(t, "enabled"), ReasonRequired: rapid.Bool().Draw(t, "reason"), Receipt: rapid.Bool().Draw(t, "receipt"),
				AbsoluteMinutes: number.Draw(t, "minutes"), Observers: someIDs.Draw(t, "observers"),
			},
			DecisionLogRate: rapid.Float64Range(0, 1).Draw(t, "rate"),
		},
	}
})

var valuesOf = rapid.Custom(func(t *rapid.T) timeline.Values {
	var value func(depth int) any
	value = func(depth int) any {
		switch rapid.IntRange(0, 4+min(depth, 2)).Draw(t, "kind") {
		case 0:
			return nil
		case 1:
			return rapid.Bool().Draw(t, "bool")
		case 2:
			return float64(rapid.IntRange(-1<<40, 1<<40).Draw(t, "number")) / 4
		case 5:
			return []any{value(depth - 1), value(depth - 1)}
		case 6:
			return map[string]any{ids.Draw(t, "member"): value(depth - 1)}
		default:
			return texts.Draw(t, "text")
		}
	}
	values := timeline.Values{}
	for range rapid.IntRange(0, 3).Draw(t, "values") {
		values[ids.Draw(t, "name")] = value(2)
	}
	return values
})

var persons = rapid.Custom(func(t *rapid.T) timeline.Person {
	return timeline.Person{ID: ids.Draw(t, "id"), Name: texts.Draw(t, "name")}
})

var entries = rapid.Custom(func(t *rapid.T) timeline.Entry {
	e := timeline.Entry{
		ID: ids.Draw(t, "id"), At: times.Draw(t, "at"), Type: anyOf(timeline.NoType+1, timeline.TypeCount).Draw(t, "type"), Action: texts.Draw(t, "action"),
		Denied: rapid.Bool().Draw(t, "denied"), Subject: persons.Draw(t, "subject"),
		Target: timeline.Target{Type: texts.Draw(t, "target"), ID: ids.Draw(t, "targetID")},
		Before: valuesOf.Draw(t, "before"), After: valuesOf.Draw(t, "after"), Cause: texts.Draw(t, "cause"), RequestID: texts.Draw(t, "request"),
	}
	if rapid.Bool().Draw(t, "acting") {
		e.Impersonator = persons.Draw(t, "impersonator")
	}
	return e
})

func TestWhatIsStoredComesBack(t *testing.T) {
	t.Run("R1 role", func(t *testing.T) { stores(t, rolesOf, roleForm, roleItem.role) })
	t.Run("U1 user", func(t *testing.T) { stores(t, usersOfForm, userForm, userItem.user) })
	t.Run("C8 item", func(t *testing.T) { stores(t, itemsOfForm, itemForm, itemItem.item) })
	t.Run("organization", func(t *testing.T) { stores(t, organizations, organizationForm, organizationItem.organization) })
	t.Run("T1 entry", func(t *testing.T) {
		stores(t, entries, func(e timeline.Entry) entryItem {
			item := entryForm(e)
			item.SK = e.ID
			return item
		}, entryItem.entry)
	})
	t.Run("U3 location", func(t *testing.T) {
		stores(t, rapid.Custom(func(t *rapid.T) authz.Location {
			return authz.Location{ID: ids.Draw(t, "id"), Name: texts.Draw(t, "name"), Parent: ids.Draw(t, "parent"), Closing: rapid.Bool().Draw(t, "closing")}
		}), func(l authz.Location) locationItem { return locationForm(directory.Location{Location: l}) }, locationItem.location)
	})
	t.Run("workflow", func(t *testing.T) {
		stores(t, rapid.Custom(func(t *rapid.T) authz.Workflow {
			return authz.Workflow{ID: ids.Draw(t, "id"), Name: texts.Draw(t, "name"), Closing: rapid.Bool().Draw(t, "closing")}
		}), func(w authz.Workflow) workflowItem { return workflowForm(directory.Workflow{Workflow: w}) }, workflowItem.workflow)
	})
	t.Run("template", func(t *testing.T) {
		stores(t, rapid.Custom(func(t *rapid.T) authz.Template {
			return authz.Template{
				ID: ids.Draw(t, "id"), Name: texts.Draw(t, "name"), Workflow: ids.Draw(t, "workflow"),
				TeamType: anyOf(authz.NoTeamType+1, authz.TeamTypeCount).Draw(t, "team"), Closing: rapid.Bool().Draw(t, "closing"),
			}
		}), func(w authz.Template) templateItem { return templateForm(directory.Template{Template: w}) }, templateItem.template)
	})
}
