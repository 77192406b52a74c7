package authz

import (
	"slices"
	"testing"
)

// closed is an enum as its words show it.
type closed struct {
	words []string
	count int
	parse func(string) (int, bool)
	print func(int) string
}

func enumOf[E interface {
	~uint8
	String() string
}](words []string, count E, parse func(string) (E, bool)) closed {
	return closed{
		words: words,
		count: int(count),
		parse: func(w string) (int, bool) { e, ok := parse(w); return int(e), ok },
		print: func(i int) string { return E(i).String() },
	}
}

func enums() map[string]closed {
	return map[string]closed{
		"user type":     enumOf(userTypeNames, UserTypeCount, ParseUserType),
		"team type":     enumOf(teamTypeNames, TeamTypeCount, ParseTeamType),
		"team role":     enumOf(teamRoleNames, TeamRoleCount, ParseTeamRole),
		"status":        enumOf(statusNames, StatusCount, ParseStatus),
		"permission":    enumOf(permissionNames, PermissionCount, ParsePermission),
		"scope":         enumOf(scopeNames, ScopeCount, ParseScope),
		"advanced":      enumOf(advancedNames, AdvancedCount, ParseAdvanced),
		"resource type": enumOf(resourceTypeNames, ResourceTypeCount, ParseResourceType),
		"condition":     enumOf(conditionNames, ConditionCount, func(w string) (Condition, bool) { return parse[Condition](conditionNames, w) }),
		"step kind":     enumOf(stepKindNames, StepKindCount, func(w string) (StepKind, bool) { return parse[StepKind](stepKindNames, w) }),
		"reason":        enumOf(reasonNames, ReasonCount, func(w string) (Reason, bool) { return parse[Reason](reasonNames, w) }),
	}
}

func TestEveryMemberHasItsWord(t *testing.T) {
	for kind, e := range enums() {
		if len(e.words) != e.count {
			t.Errorf("%s: %d words for %d members", kind, len(e.words), e.count)
			continue
		}
		for i, w := range e.words {
			if e.print(i) != w {
				t.Errorf("%s %d is %q, want %q", kind, i, e.print(i), w)
			}
			got, ok := e.parse(w)
			if want := i != 0 && (kind != "scope" || i != int(Yes)); ok != want || ok && got != i {
				t.Errorf("%s %q parses to %d, %v", kind, w, got, ok)
			}
			if i > 0 && (w == "" || slices.Index(e.words, w) != i) {
				t.Errorf("%s %d has no word of its own: %q", kind, i, w)
			}
		}
		if e.print(0) != "" || e.print(e.count) != "" || e.print(255) != "" {
			t.Errorf("%s: what is none has a word", kind)
		}
		if _, ok := e.parse("no such word"); ok {
			t.Errorf("%s: a word that is none is parsed", kind)
		}
	}
}

func TestEveryActionHasItsWordAndResource(t *testing.T) {
	seen := map[string]bool{}
	for a := NoAction + 1; a < ActionCount; a++ {
		word, on := a.String(), a.On()
		if word == "" || on == NoResourceType || seen[word+on.String()] {
			t.Errorf("action %d: %q on %q is missing or taken", a, word, on)
		}
		seen[word+on.String()] = true
		internal := a >= SignIn
		if got, ok := ParseAction(on, word); ok == internal || ok && got != a {
			t.Errorf("%q on %s parses to %d, %v", word, on, got, ok)
		}
		if _, ok := ParseAction(NoResourceType, word); ok {
			t.Errorf("%q is an action on nothing", word)
		}
	}
	for _, a := range []Action{NoAction, ActionCount, 255} {
		if a.String() != "" || a.On() != NoResourceType {
			t.Errorf("action %d: %q on %s", a, a, a.On())
		}
	}
	if _, ok := ParseAction(ItemResource, ""); ok {
		t.Error("no word is an action")
	}
}

// TestC7ActionsOnTheOrganization: the advanced permissions by their own names.
func TestC7ActionsOnTheOrganization(t *testing.T) {
	asked := map[Advanced]Action{}
	for a := NoAction + 1; a < ActionCount; a++ {
		p := advanced[a]
		if p == NoAdvanced {
			continue
		}
		asked[p] = a
		if a.String() != p.String() || a.On() != OrganizationResource || a.Admin() {
			t.Errorf("%s asks for %s", a, p)
		}
	}
	if len(asked) != int(AdvancedCount)-1 {
		t.Errorf("%d advanced permissions can be asked for, want %d", len(asked), AdvancedCount-1)
	}
}

func TestEveryActionHasItsRule(t *testing.T) {
	for a := NoAction + 1; a < ActionCount; a++ {
		rules := 0
		if len(itemRules[a].gates) > 0 || a == DoView {
			rules++
		}
		if advanced[a] != NoAdvanced {
			rules++
		}
		if organizationRights[a] != nil || a == SignIn {
			rules++
		}
		if a.On() == UserResource || a.On() == BoardResource || a.On() == CardResource {
			rules++
		}
		if rules != 1 {
			t.Errorf("%s on %s has %d rules", a, a.On(), rules)
		}
		if itemActions.has(a) != (a.On() == ItemResource) {
			t.Errorf("%s: C1's list and the table disagree", a)
		}
	}
}

// The nearest miss of several administrations is the largest reason, and a yes
// is larger than any (C7).
func TestReasonsOfUsersAreOrdered(t *testing.T) {
	if !slices.IsSorted([]Reason{NoGrant, OutOfScope, NotGrantable, RoleGrant}) {
		t.Error("the reasons of C7 are out of order")
	}
}

func TestR4Scopes(t *testing.T) {
	for p := NoPermission; p <= PermissionCount; p++ {
		for s := NoScope; s <= ScopeCount; s++ {
			want := slices.Contains(plainAllowed[p.String()], s.String())
			if got := Allows(p, s); got != want {
				t.Errorf("%q in %q: %v", p, s, got)
			}
		}
	}
}

func TestR4Width(t *testing.T) {
	wider := map[[2]Scope]bool{
		{LocationAndBelow, OnlyLocation}: true,
		{Everywhere, OnlyLocation}:       true,
		{Everywhere, LocationAndBelow}:   true,
		{Everywhere, OnlyUsers}:          true,
	}
	for a := NoScope; a <= ScopeCount; a++ {
		for b := NoScope; b <= ScopeCount; b++ {
			if want := wider[[2]Scope{a, b}] || b == NoScope && a != NoScope; Wider(a, b) != want {
				t.Errorf("%q wider than %q: %v", a, b, !want)
			}
		}
	}
}

func TestR7ImplicationsNeedOnePass(t *testing.T) {
	for _, teamType := range []TeamType{NoTeamType, Simple, Standard, AdvancedTeam, AuthorOnly} {
		for p := Participate; p < PermissionCount; p++ {
			once := implied(rights(0).with(p, setOf(OnlyLocation)), teamType)
			if twice := implied(once, teamType); twice != once {
				t.Errorf("%s on a %q team: a second pass finds more", p, teamType)
			}
		}
	}
}

func TestC1C2TeamRoles(t *testing.T) {
	for teamType := NoTeamType; teamType <= TeamTypeCount; teamType++ {
		for r := NoTeamRole; r <= TeamRoleCount; r++ {
			if want := slices.Contains(plainTeams[teamType.String()], r.String()); teamType.Has(r) != want {
				t.Errorf("C1: %q on a %q team: %v", r, teamType, !want)
			}
			if want := slices.Contains(plainPrimaryEdit[teamType.String()], r.String()); teamType.team().primaryEditors.has(r) != want {
				t.Errorf("C2: %q edits on a %q team: %v", r, teamType, !want)
			}
		}
	}
}

// FuzzWords: what parses prints itself, and nothing else parses.
func FuzzWords(f *testing.F) {
	for _, e := range enums() {
		for _, w := range e.words {
			f.Add(w)
		}
	}
	for a := range ActionCount {
		f.Add(a.String())
	}
	f.Fuzz(func(t *testing.T, w string) {
		for kind, e := range enums() {
			if i, ok := e.parse(w); ok && (w == "" || e.print(i) != w) {
				t.Errorf("%s: %q parses to %q", kind, w, e.print(i))
			}
		}
		for on := range ResourceTypeCount {
			if a, ok := ParseAction(on, w); ok && (a.String() != w || a.On() != on || a >= SignIn) {
				t.Errorf("%q on %s parses to %s on %s", w, on, a, a.On())
			}
		}
	})
}
