package endpoints

import (
	"bytes"
	"encoding/json"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/permission"
)

// mostLimit is the largest number that JSON has exactly. A limit is the most
// that is wanted, so that one beyond api.MaxLimit is taken as that.
const mostLimit = 1<<53 - 1

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
			wanted: readPage(o.Object("page")),
			opened: func(o directory.Organization, token string) (directory.Page, bool) { return r.Opened(o, token, query) },
			next:   func(o directory.Organization, p directory.Page) string { return r.Token(o, p, query) },
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

// wantedPage is the page that a request asks for: the first, or the one that a
// token leads to. Limit is -1 where it is left out.
type wantedPage struct {
	limit int
	token string
	goOn  bool
}

func readPage(o *body.Object) wantedPage {
	o.Open()
	o.Object("properties").Open()
	p := wantedPage{limit: -1, token: o.Text("token", body.Opaque), goOn: o.Has("token")}
	if o.Has("limit") {
		p.limit = min(api.MaxLimit, o.Int("limit", 0, mostLimit))
	}
	return p
}

// page is the page asked for. Invalid when its token was not given for the same
// search and limit.
func (in searching) page(of directory.Organization) (directory.Page, error) {
	if !in.wanted.goOn {
		if in.wanted.limit < 0 {
			return directory.Page{Limit: api.DefaultLimit}, nil
		}
		return directory.Page{Limit: in.wanted.limit}, nil
	}
	at, ok := in.opened(of, in.wanted.token)
	if !ok || in.wanted.limit >= 0 && in.wanted.limit != at.Limit {
		problem := fault.Problem{Pointer: "/page/token", Detail: "This token was not given for this search."}
		return at, fault.Faulty(fault.Invalid, "malformed", []fault.Problem{problem})
	}
	return at, nil
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
