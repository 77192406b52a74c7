package body

import (
	"fmt"

	"gemba/shared/authz"
	"gemba/shared/directory"
)

// The closed sets of the contract by their words.
var (
	userTypes   = Vocabulary(authz.UserTypeCount)
	teamTypes   = Vocabulary(authz.TeamTypeCount)
	teamRoles   = Vocabulary(authz.TeamRoleCount)
	statuses    = Vocabulary(authz.StatusCount)
	permissions = Vocabulary(authz.PermissionCount)
	advanced    = Vocabulary(authz.AdvancedCount)
	signIns     = Vocabulary(directory.SignInCount)
	scopes      = scopeWords()
	personas    = PersonaWords()

	onlyUsersRules = map[string]authz.OnlyUsersRule{"team_role": authz.ByTeamRole, "team_member": authz.ByTeamMember}
	reachRules     = map[string]authz.ReachRule{"all": authz.ReachAll, "any": authz.ReachAny}
)

// Vocabulary is the members of an enum before its count, by their words; the
// sentinel has none.
func Vocabulary[E interface {
	~uint8
	fmt.Stringer
}](count E) map[string]E {
	out := map[string]E{}
	for e := E(0); e < count; e++ {
		if word := e.String(); word != "" {
			out[word] = e
		}
	}
	return out
}

// scopeWords are the scopes but for the plain yes, which is JSON's true.
func scopeWords() map[string]authz.Scope {
	out := Vocabulary(authz.ScopeCount)
	delete(out, authz.Yes.String())
	return out
}

// PersonaWords are the personas by their words and their older names (P1).
func PersonaWords() map[string]directory.Persona {
	out := Vocabulary(directory.PersonaCount)
	out["CI Expert"] = directory.CICoach
	out["Implementation Lead"] = directory.Champion
	return out
}

// word is the word of a member of a small closed set.
func word[E comparable](words map[string]E, e E) string {
	for w, member := range words {
		if member == e {
			return w
		}
	}
	return ""
}
