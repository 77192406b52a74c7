package timeline

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gemba/shared/letter"
)

// This file says an entry in a sentence, for people who do not read its members.

// deed is a kind of change: the type and the action of its entries.
type deed struct {
	kind   Type
	action string
}

// words say each deed that is done, but for the ends of their sentences.
var words = func() map[deed]func(Entry) string {
	w := map[deed]func(Entry) string{
		{Persona, "set"}: func(e Entry) string {
			return "The persona of " + quoted(e.Target.ID) + " became " + spelt(e.After["persona"])
		},
		{Persona, "change"}: func(e Entry) string {
			return "The persona of " + quoted(e.Target.ID) + " changed " + fromTo(e, "persona")
		},
		{Persona, "clear"}: func(e Entry) string {
			return "The persona of " + quoted(e.Target.ID) + ", " + spelt(e.Before["persona"]) + ", was taken away"
		},
		{Assignment, "assign"}: func(e Entry) string {
			return "The role " + quoted(e.After["role"]) + " was given to " + quoted(e.Target.ID) + limits(e.After)
		},
		{Assignment, "limit"}: func(e Entry) string {
			return "The role " + quoted(e.After["role"]) + " of " + quoted(e.Target.ID) + " was limited otherwise" + changes(e)
		},
		{Assignment, "revoke"}: func(e Entry) string {
			return "The role " + quoted(e.Before["role"]) + " was taken from " + quoted(e.Target.ID)
		},
		{User, "prefer"}:    preferred,
		{Role, "clone"}:     func(e Entry) string { return sentenceOf(e, "was made as a copy of another") + changes(e) },
		{SignIn, "invite"}:  func(e Entry) string { return quoted(e.Target.ID) + " was invited to sign in" },
		{SignIn, "enable"}:  func(e Entry) string { return "The sign-in of " + quoted(e.Target.ID) + " was switched on" },
		{SignIn, "disable"}: func(e Entry) string { return "The sign-in of " + quoted(e.Target.ID) + " was switched off" },
		{Audit, "audit"}:    audited,
		{Audit, "mend"}:     func(Entry) string { return "The counts of personas were set right" },
		{Audit, "reconcile"}: func(e Entry) string {
			return "The counts of personas were held against the users: a drift of " + spelt(e.After["drift"])
		},
		{Impersonation, "start"}: func(e Entry) string { return "An impersonation of " + quoted(e.Subject.Name) + " began" },
		{Impersonation, "end"}: func(e Entry) string {
			return "An impersonation of " + quoted(e.Subject.Name) + " ended (" + spelt(e.Cause) + ")"
		},
	}
	for _, kind := range []Type{Settings, User, Role, Location, Workflow, Template, Item} {
		w[deed{kind, "create"}] = func(e Entry) string { return sentenceOf(e, "was made") + changes(e) }
		w[deed{kind, "edit"}] = func(e Entry) string { return sentenceOf(e, "was changed") + changes(e) }
		w[deed{kind, "delete"}] = func(e Entry) string { return sentenceOf(e, "was deleted") }
	}
	return w
}()

// Sentence is what was done, in one line: when, in UTC, and what. Whatever the
// entry's names and values hold is text in it (T5), and long ones are cut.
func (e Entry) Sentence() string {
	say, ok := words[deed{e.Type, e.Action}]
	if !ok {
		say = func(e Entry) string { return sentenceOf(e, "had another change, "+quoted(e.Action)) }
	}
	return e.At.UTC().Format("15:04") + " UTC: " + say(e) + "."
}

// sentenceOf says what became of the target, by its name too where that is told.
func sentenceOf(e Entry, became string) string {
	was := e.Before["name"]
	if _, renamed := e.After["name"]; renamed || was == nil {
		return "The " + plain(e.Target.Type) + " " + quoted(e.Target.ID) + " " + became
	}
	return "The " + plain(e.Target.Type) + " " + quoted(e.Target.ID) + ", named " + quoted(was) + ", " + became
}

// preferred tells which notifications somebody gets from now on, and which not.
func preferred(e Entry) string {
	before, after := map[string]any{}, map[string]any{}
	flatten(before, "", e.Before["notifications"])
	flatten(after, "", e.After["notifications"])
	var said []string
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if on, is := after[name].(bool); is && !reflect.DeepEqual(before[name], on) {
			said = append(said, quoted(name)+map[bool]string{true: " on", false: " off"}[on])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, still := after[name]; !still {
			said = append(said, quoted(name)+" as the roles have it")
		}
	}
	if len(said) > mostChanges {
		said = append(said[:mostChanges], fmt.Sprintf("and %d more", len(said)-mostChanges))
	}
	if len(said) == 0 {
		return "The notifications of " + quoted(e.Target.ID) + " were chosen anew"
	}
	return "The notifications of " + quoted(e.Target.ID) + " were switched: " + strings.Join(said, ", ")
}

func audited(e Entry) string {
	of := "everybody"
	if location := e.After["location"]; location != nil {
		of = "the location " + quoted(location)
	}
	return "The personas of " + of + " were audited: " + spelt(e.After["base"]) + " people"
}

func limits(v Values) string {
	said := ""
	if at := v["locations"]; at != nil {
		said += ", at " + spelt(at) + " alone"
	}
	if until := v["until"]; until != nil {
		said += ", until " + spelt(until)
	}
	return said
}

func fromTo(e Entry, member string) string {
	return "from " + spelt(e.Before[member]) + " to " + spelt(e.After[member])
}

// mostChanges is how many members one sentence tells.
const mostChanges = 10

// changes tell what of the target is another now, member by member, those inside
// of others by their whole names. Of an item's team they tell who came and went.
func changes(e Entry) string {
	before, after := map[string]any{}, map[string]any{}
	flatten(before, "", e.Before)
	flatten(after, "", e.After)
	names := maps.Clone(before)
	maps.Copy(names, after)
	var said []string
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, had := before[name]
		is, has := after[name]
		if !reflect.DeepEqual(was, is) || had != has {
			said = append(said, change(name, was, had, is, has))
		}
	}
	if more := len(said) - mostChanges; more > 0 {
		said = append(said[:mostChanges], fmt.Sprintf("and %d more", more))
	}
	if len(said) == 0 {
		return ""
	}
	return ": " + strings.Join(said, "; ")
}

func change(name string, was any, had bool, is any, has bool) string {
	name = letter.Short(plain(name), mostName)
	role, team := strings.CutPrefix(name, "team.")
	switch {
	case team:
		return came(role, was, had, is, has)
	case !had:
		return name + " is " + spelt(is)
	case !has:
		return name + " was " + spelt(was) + " and is no more"
	case spelt(was) == spelt(is):
		return name + " is another"
	}
	return name + " from " + spelt(was) + " to " + spelt(is)
}

// came tells of a team role who is new in it and who is not in it any more.
func came(role string, left any, some bool, joined any, others bool) string {
	var said []string
	if others {
		said = append(said, spelt(joined)+" joined")
	}
	if some {
		said = append(said, spelt(left)+" left")
	}
	return role + ": " + strings.Join(said, ", ")
}

// flatten puts a value that has members into out by the names of the innermost; what
// has none is as good as not there.
func flatten(out map[string]any, name string, value any) {
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Map {
		out[name] = value
		return
	}
	for _, k := range v.MapKeys() {
		inner := k.String()
		if name != "" {
			inner = name + "." + inner
		}
		flatten(out, inner, v.MapIndex(k).Interface())
	}
}

// mostValue is how many characters of a value are told, mostName of a member's name.
const (
	mostValue = 200
	mostName  = 80
)

// spelt is a value in words. Text stands in quotation marks, but for a single word.
func spelt(value any) string {
	v := reflect.ValueOf(value)
	switch v.Kind() {
	case reflect.Invalid:
		return "none"
	case reflect.Bool:
		return map[bool]string{true: "yes", false: "no"}[v.Bool()]
	case reflect.Float32, reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	case reflect.Slice, reflect.Array:
		return listed(v)
	case reflect.Map:
		return "none"
	case reflect.String:
		if text := v.String(); text != "" && len(text) <= mostName && !strings.ContainsFunc(text, parts) {
			return text
		}
	}
	return quoted(value)
}

// parts tells whether a character can part one word from another.
func parts(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_-.:@", r))
}

// listed is a list's members, as many as mostValue takes; of things that have
// members of their own, their number.
func listed(v reflect.Value) string {
	if v.Len() == 0 {
		return "none"
	}
	var said []string
	room := mostValue
	for i := range v.Len() {
		member := v.Index(i).Interface()
		if k := reflect.ValueOf(member).Kind(); k == reflect.Map || k == reflect.Slice {
			return strconv.Itoa(v.Len()) + " in all"
		}
		word := spelt(member)
		if room -= len(word); room < 0 && i > 0 {
			return strings.Join(said, ", ") + fmt.Sprintf(" and %d more", v.Len()-i)
		}
		said = append(said, word)
	}
	return strings.Join(said, ", ")
}

// quoted is a text in quotation marks, which it has none of itself: what follows
// cannot be of its making.
func quoted(value any) string { return `"` + plain(fmt.Sprint(value)) + `"` }

// plain is a text in one line and without quotation marks.
func plain(text string) string {
	return letter.Short(letter.Line(strings.ReplaceAll(text, `"`, "'")), mostValue)
}
