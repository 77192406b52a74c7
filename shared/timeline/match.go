package timeline

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// wants tells whether the query asks for this entry. The person is left out:
// a person's own part of the record is read.
func (q Query) wants(e Entry) bool {
	return (q.Type == NoType || q.Type == e.Type) && (q.Target == Target{} || q.Target == e.Target) && !(q.Done && e.Denied) &&
		!e.At.Before(q.From) && (q.To.IsZero() || e.At.Before(q.To)) &&
		(q.Text == "" || e.says(strings.ToLower(q.Text)))
}

// says tells whether the entry has this text, which is lower-case, in a name,
// an id, the action, the target, the cause or a value before or after.
func (e Entry) says(text string) bool {
	for _, s := range []string{
		e.ID, e.Subject.ID, e.Subject.Name, e.Impersonator.ID, e.Impersonator.Name,
		e.Action, e.Target.Type, e.Target.ID, e.Cause, e.RequestID, e.Session,
	} {
		if strings.Contains(strings.ToLower(s), text) {
			return true
		}
	}
	return holds(reflect.ValueOf(e.Before), text) || holds(reflect.ValueOf(e.After), text)
}

// holds looks for text in a value and all that is inside it, but not in the
// names of members: every change of a persona has a member "persona".
func holds(v reflect.Value, text string) bool {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		return !v.IsNil() && holds(v.Elem(), text)
	case reflect.Map:
		for _, k := range v.MapKeys() {
			if holds(v.MapIndex(k), text) {
				return true
			}
		}
		return false
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if holds(v.Index(i), text) {
				return true
			}
		}
		return false
	case reflect.Float32, reflect.Float64:
		return strings.Contains(strconv.FormatFloat(v.Float(), 'f', -1, 64), text)
	case reflect.Invalid:
		return false
	}
	return strings.Contains(strings.ToLower(fmt.Sprint(v.Interface())), text)
}
