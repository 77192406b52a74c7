package endpoints

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"

	"gemba/shared/api"
)

// What a page of the record can be: a list for programs that look into it, or
// lines for those that keep it elsewhere, one entry each.
const (
	asList  = "application/json"
	asLines = "application/x-ndjson"
)

// answer is the page in the form that is preferred, with the cursor of the next,
// "" at the end.
func (l listing) answer(items []json.RawMessage, next string) api.Response {
	r := api.Response{Status: http.StatusOK, Header: map[string]string{"vary": "Accept"}}
	if l.form != asLines {
		r.Body = api.Page{Items: items, Next: next}
		return r
	}
	r.Body = api.Text{Type: asLines, Bytes: lines(items)}
	if next != "" {
		r.Header["link"] = "<" + l.path(next) + `>; rel="next"`
	}
	return r
}

// lines are JSON texts, each ended by a newline, so that pages can be put one after
// the other.
func lines(items []json.RawMessage) []byte {
	var out []byte
	for _, item := range items {
		out = append(append(out, item...), '\n')
	}
	return out
}

// path leads to the page of this cursor: the same filters and limit as asked for,
// relative to what was asked (RFC 8288), so that no host has to be believed. What
// the query holds is escaped, so that it cannot end the reference (T5).
func (l listing) path(cursor string) string {
	query := maps.Clone(l.asked.Query)
	query["cursor"] = []string{cursor}
	return (&url.URL{Path: route, RawQuery: query.Encode()}).String()
}
