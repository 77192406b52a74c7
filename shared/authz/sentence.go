package authz

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Sentences tells an explanation to a person, in the words of the rules: of a
// yes a sentence for each path, of a no one for each condition that is not met
// and one for each thing held that stops short. Roles and locations have their
// names.
func (m *Model) Sentences(e Explanation) []string {
	var all []string
	for _, p := range e.Paths {
		all = append(all, m.pathSentence(p))
	}
	for _, miss := range e.Missing {
		all = append(all, missingSentence(miss))
		for _, h := range miss.Held {
			all = append(all, m.heldSentence(h))
		}
	}
	return all
}

// subjects is what a condition is about, at the head of a sentence.
var subjects = [ConditionCount]string{
	ByUserType:        "The type of the user",
	ToView:            "To view the item",
	ToHold:            "For the action itself",
	ToEdit:            "To edit the item",
	ToAdministerUsers: "To administer the user",
}

// SentencesTo are the sentences for somebody who may read the names of these
// locations alone: all others go by their ids.
func (m *Model) SentencesTo(e Explanation, known []string) []string {
	some := *m
	some.locations = map[string]Location{}
	for _, id := range known {
		some.locations[id] = m.locations[id]
	}
	return some.Sentences(e)
}

func (m *Model) pathSentence(p Path) string {
	head := subjects[p.Condition] + ": "
	if p.Given.Role == "" {
		return head + "the user is on the item's team as " + p.Team.String() + "."
	}
	text := head + m.givenPhrase(p.Given, []string{p.Held})
	switch {
	case p.Team != NoTeamRole:
		text += ", and the user is that as " + p.Team.String()
	case p.Met != "" && p.Met == p.Held:
		text += ", and it is needed there"
	case p.Met != "":
		text += ", and it is needed at " + m.locationName(p.Met)
	}
	return text + "."
}

// reasonPhrases say what a missing condition lacks; %s is the permission that
// would meet it.
var reasonPhrases = [ReasonCount]string{
	WrongUserType: "does not admit this action, whatever roles are held.",
	IsDraft:       "it is a draft, and a draft is viewed by its team alone.",
	IsPrivate:     "it is private, which needs %s in scope.",
	IsNew:         "it is new, which needs %s in scope.",
	NoGrant:       "no role held gives %s.",
	OutOfScope:    "%s is held, but does not reach there.",
	NeedsEdit:     "neither is %s held in scope, nor a team role that edits.",
	NotGrantable:  "%s reaches there, but may not grant this role.",
}

func missingSentence(miss Missing) string {
	head, phrase := subjects[miss.Condition], reasonPhrases[miss.Reason]
	if miss.Condition != ByUserType {
		head += ":"
	}
	if strings.Contains(phrase, "%s") {
		phrase = fmt.Sprintf(phrase, miss.Permission)
	}
	text := head + " " + phrase
	if len(miss.Team) > 0 {
		text += " Of the item's team, " + listed(names(miss.Team), "or") + " would do."
	}
	return text
}

func (m *Model) heldSentence(h Held) string {
	text := "Held: " + m.givenPhrase(h.Given, h.Locations)
	if h.Stops == NotGrantable {
		return text + ", which may not grant this role."
	}
	return text + ", which does not reach there."
}

// givenPhrase says what a role gives and where.
func (m *Model) givenPhrase(g Given, from []string) string {
	text := "the role " + m.roleName(g.Role)
	if g.Grant != NotOfGrant {
		text += " (grant " + strconv.Itoa(g.Grant+1) + ")"
	}
	text += " gives " + g.Permission + m.wherePhrase(g.Scope, from)
	if g.Implies != "" {
		text += ", which implies " + g.Implies
	}
	return text
}

// wherePhrase says in which scope, measured from where.
func (m *Model) wherePhrase(s Scope, from []string) string {
	at := m.locationNames(from)
	switch s {
	case Everywhere:
		return " everywhere"
	case OnlyUsers:
		return " on the items that only_users means"
	case OnlyLocation:
		return " at " + listed(at, "and") + " only"
	case LocationAndBelow:
		return " at " + listed(at, "and") + " and below"
	default:
		return ""
	}
}

// Sentence tells a suggestion to a person.
func (m *Model) Sentence(s Suggestion) string {
	var steps []string
	for _, step := range s.Steps {
		steps = append(steps, m.stepPhrase(step))
	}
	text := listed(steps, "and")
	rights := "rights"
	if s.Gained == 1 {
		rights = "right"
	}
	return strings.ToUpper(text[:1]) + text[1:] + ": the user gains " + strconv.Itoa(s.Gained) + " " + rights + "."
}

func (m *Model) stepPhrase(s Step) string {
	switch s.Kind {
	case JoinTeam:
		return "put the user on the item's team as " + s.Team.String()
	case AssignRole:
		return "assign the role " + m.roleName(s.Role) + m.limitPhrase(s.Locations)
	case WidenAssignment:
		text := "assign the role " + m.roleName(s.Role) + " anew"
		if len(s.Locations) == 0 {
			text += " without a limit"
		}
		text += m.limitPhrase(s.Locations)
		if !s.Until.IsZero() {
			text += " until " + s.Until.UTC().Format(time.RFC3339)
		}
		return text
	case AddLocation:
		return "add " + m.locationName(s.Locations[0]) + " to the user's locations"
	case ChangeType:
		return "make the user's type general"
	default:
		return "let the role " + m.roleName(s.Role) + " give " + s.Permission + scopePhrases[s.Scope] + " (to everybody who holds it)"
	}
}

// scopePhrases say where a scope lets do what it is edited to.
var scopePhrases = [ScopeCount]string{
	Yes:              " too",
	OnlyUsers:        " on one's own items, only_users",
	OnlyLocation:     " at the location held, only_location",
	LocationAndBelow: " from the location held, location_and_below",
	Everywhere:       " everywhere",
}

func (m *Model) limitPhrase(locations []string) string {
	if len(locations) == 0 {
		return ""
	}
	return " limited to " + listed(m.locationNames(locations), "and")
}

func (m *Model) locationNames(ids []string) []string {
	var all []string
	for _, id := range ids {
		all = append(all, m.locationName(id))
	}
	return all
}

func (m *Model) roleName(id string) string {
	if r, ok := m.roles[id]; ok && r.Name != "" {
		return strconv.Quote(r.Name)
	}
	return id
}

func (m *Model) locationName(id string) string {
	if l := m.locations[id]; l.Name != "" {
		return l.Name
	}
	return id
}

func names[E fmt.Stringer](members []E) []string {
	var all []string
	for _, e := range members {
		all = append(all, e.String())
	}
	return all
}

// listed is a list as it is spoken.
func listed(words []string, last string) string {
	switch n := len(words); n {
	case 0:
		return "no location"
	case 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " " + last + " " + words[n-1]
	}
}
