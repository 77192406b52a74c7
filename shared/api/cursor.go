package api

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"gemba/shared/directory"
	"gemba/shared/fault"
)

const (
	defaultLimit = 50
	maxLimit     = 500
)

// cursor is a place in a list, bound to the list it was given for.
type cursor struct {
	After string `json:"a"`
	List  string `json:"l"`
}

// Page reads limit and cursor. Invalid when the limit is not 1 to 500, or
// the cursor was given to another query; both are named.
func (r *Request) Page() (directory.Page, error) {
	page := directory.Page{Limit: defaultLimit}
	var problems []fault.Problem
	if text := r.Query.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > maxLimit {
			problems = append(problems, fault.Problem{Pointer: "/limit", Detail: "limit is 1 to 500."})
		}
		page.Limit = limit
	}
	if text := r.Query.Get("cursor"); text != "" {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		var c cursor
		if err != nil || json.Unmarshal(raw, &c) != nil || c.List != r.list() {
			problems = append(problems, fault.Problem{Pointer: "/cursor", Detail: "This cursor was not given for this list."})
		}
		page.After = c.After
	}
	return page, fault.Faulty(fault.Invalid, "malformed", problems)
}

// Next is the cursor that goes on after a place; "" stays "".
func (r *Request) Next(after string) string {
	if after == "" {
		return ""
	}
	raw, _ := json.Marshal(cursor{After: after, List: r.list()})
	return base64.RawURLEncoding.EncodeToString(raw)
}

// list names caller and query, but for the place in it.
func (r *Request) list() string {
	parts := []string{r.Claims["sub"], r.header[sessionHeader], r.route}
	for _, name := range slices.Sorted(maps.Keys(r.Path)) {
		parts = append(parts, name, r.Path[name])
	}
	for _, name := range slices.Sorted(maps.Keys(r.Query)) {
		if name != "cursor" && name != "limit" {
			parts = append(append(parts, name), r.Query[name]...)
		}
	}
	return hash(parts...)[:16]
}
