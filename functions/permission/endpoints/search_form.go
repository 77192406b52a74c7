package endpoints

import (
	"bytes"
	"encoding/json"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/permission"
)

const (
	// usualResults is the limit of a page that names none, mostResults what a
	// larger one is taken as: a limit is the most that is wanted.
	usualResults = 50
	mostResults  = 500
	// mostLimit is the largest number that JSON has exactly.
	mostLimit = 1<<53 - 1
)

// decodeSearch reads the request of a search.
func decodeSearch(r *api.Request, what permission.Searched) (searching, error) {
	if err := isJSON(r); err != nil {
		return searching{}, err
	}
	return body.Read(r.Body, func(o *body.Object) searching {
		o.Open()
		hypothetical := readSearchContext(o.Object("context"), what)
		query, question := asked(r.Body, what), readSearch(o, what)
		question.Hypothetical = hypothetical
		return searching{
			search: permission.Search{For: what, Question: question},
			page:   readPage(o.Object("page"), func(token string) (directory.Page, bool) { return r.Opened(token, query) }),
			next:   func(p directory.Page) string { return r.Token(p, query) },
		}
	})
}

// readSearchContext is what the subject is supposed to have. Of nobody in
// particular nothing can be supposed.
func readSearchContext(o *body.Object, what permission.Searched) *permission.Hypothetical {
	if what != permission.Subjects {
		if c := readContext(o); c != nil {
			return c.hypothetical
		}
		return nil
	}
	o.Open()
	if o.Has("hypothetical") {
		o.Fault("hypothetical", "A search for subjects has no subject of whom something could be supposed.")
	}
	return nil
}

// readSearch is the question with the searched part left open.
func readSearch(o *body.Object, what permission.Searched) permission.Question {
	var p parts
	switch what {
	case permission.Subjects:
		p.subject = readKind(o.Object("subject"))
		p.action = readAction(o.Object("action"))
		p.resource, p.properties = readResource(o.Object("resource"))
	case permission.Resources:
		p.subject = readSubject(o.Object("subject"))
		p.action = readAction(o.Object("action"))
		p.resource, p.properties = readResourceKind(o.Object("resource"))
	default:
		p.subject = readSubject(o.Object("subject"))
		p.resource, p.properties = readResource(o.Object("resource"))
		return p.ofAnyAction(o)
	}
	return p.question(o)
}

// ofAnyAction is the question without an action. Of an item's facts it needs
// what all actions need, which is what participate needs (C8).
func (p parts) ofAnyAction(o *body.Object) permission.Question {
	least := authz.DoParticipate.String()
	p.action = &least
	q := p.question(o)
	q.Action = ""
	return q
}

// readKind is a subject that is searched for: its type. An id is ignored.
func readKind(o *body.Object) *permission.Subject {
	if o == nil {
		return nil
	}
	o.Open()
	o.Need("type")
	o.Object("properties").Open()
	return &permission.Subject{Type: o.Text("type", word)}
}

// readResourceKind is a resource that is searched for: its type, and the role
// to be given or taken. Facts are those of what is stored, so given ones are
// ignored as an id is.
func readResourceKind(o *body.Object) (*permission.Resource, *body.Object) {
	if o == nil {
		return nil, nil
	}
	o.Open()
	o.Need("type")
	r := &permission.Resource{Type: o.Text("type", word)}
	properties := o.Object("properties")
	properties.Open()
	if r.Type == authz.UserResource.String() {
		r.Role = properties.ID("role")
	}
	return r, properties
}

// readPage is the page asked for: the first, or the one that a token leads to,
// which was given for the same search and limit.
func readPage(o *body.Object, opened func(string) (directory.Page, bool)) directory.Page {
	o.Open()
	o.Object("properties").Open()
	page := directory.Page{Limit: usualResults}
	if o.Has("limit") {
		page.Limit = min(mostResults, o.Int("limit", 0, mostLimit))
	}
	if !o.Has("token") {
		return page
	}
	at, ok := opened(o.Text("token", body.Opaque))
	if !ok || o.Has("limit") && at.Limit != page.Limit {
		o.Fault("token", "This token was not given for this search.")
	}
	return at
}

// asked is what a search asks for, as it has to be with a token: the members
// that say it, in a form that does not depend on how they are written, without
// the id that is ignored. The properties of the page are among them: nothing
// here goes by them, but who changed them wants another order than was begun.
func asked(document []byte, what permission.Searched) string {
	var members map[string]any
	reader := json.NewDecoder(bytes.NewReader(document))
	reader.UseNumber()
	if reader.Decode(&members) != nil {
		return "" // body.Read tells why
	}
	query := map[string]any{}
	for _, name := range []string{"subject", "action", "resource", "context"} {
		query[name] = members[name]
	}
	page, _ := members["page"].(map[string]any)
	query["page"] = page["properties"]
	searched := map[permission.Searched]string{permission.Subjects: "subject", permission.Resources: "resource", permission.Actions: "action"}[what]
	if entity, ok := query[searched].(map[string]any); ok {
		delete(entity, "id")
	}
	text, _ := json.Marshal(query)
	return string(text)
}
