// Package body turns the contract's JSON bodies into domain values and back.
//
// It decides what is well-formed: which members there are, their types, sizes
// and alphabets. It reads on after a fault and names every one by its JSON
// pointer. It refuses to know HTTP and storage, and whether a well-formed body
// obeys the rules: that is the use case's to say (role.Validate), with another
// status.
//
// The well-kept JSON libraries stop at the first value that does not fit, and
// schema validators know the form twice and the domain not at all; so the
// members are read here by hand, over encoding/json's tokens. A body is read
// by a function over an Object:
//
//	r, err := body.Read(data, body.ReadRole)
//
// A member that no getter asked for is unknown and refused, so the form of a
// body is exactly what its function reads. A null is the same as an absent
// member. Lists of ids are sets: naming one twice is a fault.
package body

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gemba/shared/fault"
)

// Object is a JSON object being read. Its getters note what does not fit and
// answer a zero value then, as for a member that is absent; which must be
// there is said by Need. A nil Object is one that is absent: it answers zero
// values and notes nothing.
type Object struct {
	*reading
	pointer string
	members *members
	asked   map[string]bool
	open    bool
}

// Read reads a body by its form. Errors: Invalid malformed with every fault.
func Read[T any](data []byte, form func(*Object) T) (T, error) {
	r := &reading{}
	var out T
	if len(bytes.TrimSpace(data)) == 0 {
		r.note("", "A body is needed, and there is none.")
	} else if n, ok := r.parse(data); ok {
		out = form(r.object("", n))
		r.unknown()
	}
	return out, fault.Faulty(fault.Invalid, "malformed", r.all())
}

// object is a node as an object, nil with the fault noted when it is not one.
func (r *reading) object(pointer string, n node) *Object {
	m, ok := n.value.(*members)
	if !ok {
		r.note(pointer, "An object is expected.")
		return nil
	}
	o := &Object{reading: r, pointer: pointer, members: m, asked: map[string]bool{}}
	r.objects = append(r.objects, o)
	return o
}

// unknown notes every member that nobody asked for.
func (r *reading) unknown() {
	for _, o := range r.objects {
		if o.members.unusable && !o.open {
			r.note(o.pointer, "A member's name is too long or holds characters that are not allowed.")
		}
		for _, name := range o.members.names {
			if !o.open && !o.asked[name] {
				r.note(o.Pointer(name), "This member is not known here.")
			}
		}
	}
}

// Pointer is the JSON pointer of a member.
func (o *Object) Pointer(member string) string { return o.pointer + "/" + escaped.Replace(member) }

// Fault notes a fault of a member; of the object itself when member is empty.
func (o *Object) Fault(member, detail string) {
	switch {
	case o == nil:
	case member == "":
		o.note(o.pointer, detail)
	default:
		o.note(o.Pointer(member), detail)
	}
}

// Open lets members be that nobody asks for, as AuthZEN wants it.
func (o *Object) Open() {
	if o != nil {
		o.open = true
	}
}

// Names are the members that are there, in the document's order.
func (o *Object) Names() []string {
	if o == nil {
		return nil
	}
	return o.members.names
}

// Has tells whether a member is there and is not null.
func (o *Object) Has(member string) bool {
	return o != nil && o.members.values[member].value != nil
}

// Need notes those of the members that are absent.
func (o *Object) Need(names ...string) {
	for _, member := range names {
		if o != nil && !o.Has(member) {
			o.Fault(member, "This member is required.")
		}
	}
}

// ask is a member's value, nil when it is absent.
func (o *Object) ask(member string) any {
	if o == nil {
		return nil
	}
	o.asked[member] = true
	return o.members.values[member].value
}

// as is a member of a Go type, the zero value when it is absent or, which is
// noted with what was expected, of another.
func as[T any](o *Object, member, expected string) (T, bool) {
	value := o.ask(member)
	out, ok := value.(T)
	if !ok && value != nil {
		o.Fault(member, expected+" is expected.")
	}
	return out, ok
}

// Text is a text member that obeys the rule.
func (o *Object) Text(member string, rule Rule) string {
	text, ok := as[string](o, member, "Text")
	if !ok {
		return ""
	}
	if why := rule.fault(text); why != "" {
		o.Fault(member, why)
		return ""
	}
	return text
}

// ID is an id member: [A-Za-z0-9][A-Za-z0-9_.-]{0,63}.
func (o *Object) ID(member string) string { return o.Text(member, id) }

// IDs is a list of ids, each at most once; nil when it is absent, empty but
// not nil when it is there and empty.
func (o *Object) IDs(member string, most int) []string {
	nodes := o.list(member, most)
	if nodes == nil {
		return nil
	}
	out := []string{}
	o.texts(member, nodes, func(text, pointer string) {
		switch why := id.fault(text); {
		case why != "":
			o.note(pointer, why)
		case slices.Contains(out, text):
			o.note(pointer, "This is named more than once.")
		default:
			out = append(out, text)
		}
	})
	return out
}

// texts hands each text of a list to use, with its pointer.
func (o *Object) texts(member string, nodes []node, use func(text, pointer string)) {
	for i, n := range nodes {
		pointer := o.Pointer(member) + "/" + strconv.Itoa(i)
		if text, ok := n.value.(string); ok {
			use(text, pointer)
		} else {
			o.note(pointer, "Text is expected.")
		}
	}
}

// list is a list of at most so many values.
func (o *Object) list(member string, most int) []node {
	list, _ := as[[]node](o, member, "A list")
	if len(list) > most {
		o.Fault(member, fmt.Sprintf("At most %d are allowed.", most))
		return nil
	}
	return list
}

// empty tells that a member is a list without members.
func (o *Object) empty(member string) bool {
	list, ok := o.ask(member).([]node)
	return ok && len(list) == 0
}

// Bool is true or false, false when it is absent.
func (o *Object) Bool(member string) bool {
	yes, _ := as[bool](o, member, "true or false")
	return yes
}

// Int is a whole number between two bounds.
func (o *Object) Int(member string, least, most int) int {
	number, ok := as[json.Number](o, member, "A whole number")
	if !ok {
		return 0
	}
	n, ok := wholeNumber(number)
	if !ok || n < least || n > most {
		o.Fault(member, fmt.Sprintf("A whole number from %d to %d is expected.", least, most))
		return 0
	}
	return n
}

// mostExact is the largest whole number up to which JSON's numbers are exact to
// every reader (RFC 7493).
const mostExact = 1<<53 - 1

// wholeNumber is a number without a fraction, however it is written: 10, 10.0
// and 1e1 are the same number.
func wholeNumber(number json.Number) (int, bool) {
	f, err := number.Float64()
	return int(f), err == nil && f == math.Trunc(f) && math.Abs(f) <= mostExact
}

// Version is the version that a read gave, 0 when it is absent.
func (o *Object) Version() uint64 {
	number, ok := as[json.Number](o, "version", "A whole number")
	if !ok {
		return 0
	}
	v, err := strconv.ParseUint(number.String(), 10, 64)
	if err != nil {
		o.Fault("version", "A whole number is expected.")
	}
	return v
}

// Fraction is a number from 0 to 1.
func (o *Object) Fraction(member string) float64 {
	number, ok := as[json.Number](o, member, "A number")
	if !ok {
		return 0
	}
	f, err := number.Float64()
	if err != nil || f < 0 || f > 1 {
		o.Fault(member, "A number from 0 to 1 is expected.")
		return 0
	}
	return f
}

// Time is an RFC 3339 time, in UTC.
func (o *Object) Time(member string) time.Time {
	text, ok := as[string](o, member, "A time")
	if !ok {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	// An offset can lead out of the years that RFC 3339 writes with four digits;
	// nothing could read such a time again.
	if year := at.UTC().Year(); err != nil || year < 0 || year > 9999 {
		o.Fault(member, "A time as RFC 3339 has it is expected, like 2030-01-31T00:00:00Z.")
		return time.Time{}
	}
	return at.UTC()
}

// Object is an object member, nil when it is absent.
func (o *Object) Object(member string) *Object {
	if o.ask(member) == nil {
		return nil
	}
	return o.object(o.Pointer(member), o.members.values[member])
}

// Objects is a list of at most so many objects, one nil for each that is
// none, so that places in the list stay what they are in the document.
func (o *Object) Objects(member string, most int) []*Object {
	var out []*Object
	for i, n := range o.list(member, most) {
		out = append(out, o.object(o.Pointer(member)+"/"+strconv.Itoa(i), n))
	}
	return out
}

// Word is a member of a closed set of words.
func Word[E any](o *Object, member string, words map[string]E) E {
	var none E
	text, ok := as[string](o, member, "Text")
	if !ok {
		return none
	}
	word, ok := words[text]
	if !ok {
		o.Fault(member, oneOf(words))
	}
	return word
}

// Words is a list of words of a closed set, each at most once.
func Words[E comparable](o *Object, member string, words map[string]E) []E {
	var out []E
	o.texts(member, o.list(member, len(words)), func(text, pointer string) {
		switch word, ok := words[text]; {
		case !ok:
			o.note(pointer, oneOf(words))
		case slices.Contains(out, word):
			o.note(pointer, "This is named more than once.")
		default:
			out = append(out, word)
		}
	})
	return out
}

// oneOf tells the words of a closed set.
func oneOf[E any](words map[string]E) string {
	return "One of these is expected: " + strings.Join(slices.Sorted(maps.Keys(words)), ", ") + "."
}
