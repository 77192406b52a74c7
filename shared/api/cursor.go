package api

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"gemba/shared/directory"
	"gemba/shared/fault"
)

// DefaultLimit is the limit of a page that names none, MaxLimit the largest.
const (
	DefaultLimit = 50
	MaxLimit     = 500
)

// cursor is a place in a list, bound to the list it was given for. It names
// nothing but what was in the list, so that it may be read.
type cursor struct {
	After string `json:"a"`
	List  string `json:"l"`
}

// opened is a cursor of this list; false when it is none.
func opened(text, list string) (cursor, bool) {
	var c cursor
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(raw, &c) != nil || c.List != list {
		return cursor{}, false
	}
	return c, true
}

func (c cursor) text() string {
	raw, _ := json.Marshal(c) // text and a number always marshal
	return base64.RawURLEncoding.EncodeToString(raw)
}

// Page reads limit and cursor. Invalid when the limit is not 1 to 500, or
// the cursor was given to another query; both are named.
func (r *Request) Page() (directory.Page, error) {
	page, err := r.Limit()
	var problems []fault.Problem
	if err != nil {
		problems = fault.Of(err).Problems
	}
	if text := r.Query.Get("cursor"); text != "" {
		c, ok := opened(text, r.list())
		if !ok {
			problems = append(problems, notGiven)
		}
		page.After = c.After
	}
	return page, fault.Faulty(fault.Invalid, "malformed", problems)
}

// Limit is the page that a limit alone asks for, the first; Invalid when it is
// not 1 to 500.
func (r *Request) Limit() (directory.Page, error) {
	page := directory.Page{Limit: DefaultLimit}
	text := r.Query.Get("limit")
	if text == "" {
		return page, nil
	}
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > MaxLimit {
		return page, fault.Faulty(fault.Invalid, "malformed", []fault.Problem{{Pointer: "/limit", Detail: "limit is 1 to 500."}})
	}
	page.Limit = limit
	return page, nil
}

// notGiven is the fault of a cursor of another list, or of none.
var notGiven = fault.Problem{Pointer: "/cursor", Detail: "This cursor was not given for this list."}

// Opening is the page at the place that the request's sealed cursor leads to;
// Invalid when it was given to another caller or for another query.
func (r *Request) Opening(o directory.Organization, page directory.Page) (directory.Page, error) {
	text := r.Query.Get("cursor")
	if text == "" {
		return page, nil
	}
	at, ok := r.Opened(o, text, "")
	if !ok {
		return page, fault.Faulty(fault.Invalid, "malformed", []fault.Problem{notGiven})
	}
	page.After = at.After
	return page, nil
}

// Sealed is the cursor that goes on after a place that its reader may not know
// of (T4). Pages of any size lead on from it.
func (r *Request) Sealed(o directory.Organization, after string) string {
	return r.Token(o, directory.Page{After: after}, "")
}

// SealedPage is the answer with as much of a list's part as one can carry, whose
// cursor goes on after end, "" for none, or after the last thing carried, as Sealed
// does.
func SealedPage[Thing any](r *Request, o directory.Organization, things []Thing, end string, body func(Thing) any, place func(Thing) string) (Response, error) {
	items, next, err := SealedItems(r, o, things, end, end != "", body, place)
	return Response{Status: http.StatusOK, Body: Page{Items: items, Next: next}}, err
}

// SealedItems are as much of a list's part as one answer can carry, and the cursor
// that goes on after the last thing carried, or after end when there is more; "" when
// there is none. End may be the beginning.
func SealedItems[Thing any](r *Request, o directory.Organization, things []Thing, end string, more bool, body func(Thing) any, place func(Thing) string) (items []json.RawMessage, next string, err error) {
	items, end, err = Fit(things, end, body, place)
	if more || len(items) < len(things) {
		next = r.Sealed(o, end)
	}
	return items, next, err
}

// Next is the cursor that goes on after a place; "" stays "".
func (r *Request) Next(after string) string {
	if after == "" {
		return ""
	}
	return cursor{After: after, List: r.list()}.text()
}

// list names caller and query, but for the place in it; asked is what a body
// asks.
func (r *Request) list(asked ...string) string {
	parts := []string{r.Claims["sub"], r.header[sessionHeader], r.route}
	for _, name := range slices.Sorted(maps.Keys(r.Path)) {
		parts = append(parts, name, r.Path[name])
	}
	for _, name := range slices.Sorted(maps.Keys(r.Query)) {
		if name != "cursor" && name != "limit" {
			parts = append(append(parts, name), r.Query[name]...)
		}
	}
	parts = append(parts, asked...)
	return hash(parts...)[:16]
}
