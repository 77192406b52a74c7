package endpoints

import (
	"fmt"
	"mime"
	"strconv"
	"strings"

	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/body"
	"gemba/shared/fault"
	"gemba/shared/permission"
)

const (
	// mostQuestions is the most evaluations of a request.
	mostQuestions = 100
	// mostListed bounds a list read only to say that it is too long; the size
	// of a body bounds it first.
	mostListed = api.MaxBody
	// mostLocations bounds the locations of a board or card.
	mostLocations = 1000
)

// word is a name that may be unknown here, or an id of something that is.
var word = body.Rule{Least: 1, Most: 256}

var semantics = body.Vocabulary(permission.SemanticCount)

// decodeOne reads the request of an evaluation.
func decodeOne(r *api.Request) (asking, error) {
	if err := isJSON(r); err != nil {
		return asking{}, err
	}
	return body.Read(r.Body, func(o *body.Object) asking {
		return asking{questions: []permission.Question{readParts(o).question(o)}}
	})
}

// decodeSeveral reads the request of evaluations; without any it is that of
// an evaluation.
func decodeSeveral(r *api.Request) (asking, error) {
	if err := isJSON(r); err != nil {
		return asking{}, err
	}
	in, err := body.Read(r.Body, readSeveral)
	return in.own(err)
}

func isJSON(r *api.Request) error {
	given := r.Header("content-type")
	kind, _, err := mime.ParseMediaType(given)
	if given == "" || err == nil && kind == "application/json" {
		return nil
	}
	return fault.New(fault.Invalid, "content_type", "The content type of a request is application/json.")
}

func readSeveral(o *body.Object) asking {
	defaults := readParts(o)
	options := o.Object("options")
	options.Open()
	in := asking{semantic: body.Word(options, "evaluations_semantic", semantics)}
	entries := o.Objects("evaluations", mostListed)
	switch {
	case len(entries) > mostQuestions:
		o.Fault("evaluations", fmt.Sprintf("At most %d evaluations are answered at once.", mostQuestions))
		for _, entry := range entries {
			entry.Open() // they are not read, so nothing in them is a fault
		}
		return in
	case len(entries) == 0:
		in.questions = []permission.Question{defaults.question(o)}
		return in
	}
	in.several = true
	for _, entry := range entries {
		in.questions = append(in.questions, readParts(entry).over(defaults).question(entry))
	}
	return in
}

// own gives each question its own faults; any other fault is one of the whole
// request, which is then refused with all of them.
func (in asking) own(err error) (asking, error) {
	if err == nil {
		return in, nil
	}
	for _, p := range fault.Of(err).Problems {
		i, ok := entryOf(p.Pointer)
		if !ok || i >= len(in.questions) || !in.several {
			return asking{}, err
		}
		in.questions[i].Faults = append(in.questions[i].Faults, p)
	}
	return in, nil
}

// entryOf is the place of the evaluation in which the pointer's member is.
func entryOf(pointer string) (int, bool) {
	inside, ok := strings.CutPrefix(pointer, "/evaluations/")
	place, _, _ := strings.Cut(inside, "/")
	i, err := strconv.Atoi(place)
	return i, ok && err == nil
}

// parts are what a question is made of; what is absent is nil.
type parts struct {
	subject  *permission.Subject
	action   *string
	resource *permission.Resource
	// properties are the resource's, unless the resource is a default.
	properties *body.Object
	context    *setting
}

func readParts(o *body.Object) parts {
	o.Open()
	p := parts{context: readContext(o.Object("context"))}
	p.subject, p.action = readSubject(o.Object("subject")), readAction(o.Object("action"))
	p.resource, p.properties = readResource(o.Object("resource"))
	return p
}

// over is the parts with defaults for those that are absent.
func (p parts) over(defaults parts) parts {
	if p.subject == nil {
		p.subject = defaults.subject
	}
	if p.action == nil {
		p.action = defaults.action
	}
	if p.resource == nil {
		p.resource = defaults.resource
	}
	if p.context == nil {
		p.context = defaults.context
	}
	return p
}

// question is the question that the parts make; what they lack is a fault of o.
func (p parts) question(o *body.Object) permission.Question {
	if p.subject == nil {
		o.Need("subject")
	}
	if p.action == nil {
		o.Need("action")
	}
	if p.resource == nil {
		o.Need("resource")
	}
	if p.subject == nil || p.action == nil || p.resource == nil {
		return permission.Question{}
	}
	q := permission.Question{Subject: *p.subject, Action: *p.action, Resource: *p.resource}
	if p.context != nil {
		q.Explain, q.Hypothetical = p.context.explain, p.context.hypothetical
	}
	p.needProperties(o, q)
	return q
}

// needProperties notes what the question must say about its resource (C7, C8).
func (p parts) needProperties(o *body.Object, q permission.Question) {
	lacking := func(name string, there bool) {
		switch {
		case there:
		case p.properties != nil:
			p.properties.Need(name)
		default:
			o.Fault("resource", "Its properties need "+name+".")
		}
	}
	kind, _ := authz.ParseResourceType(q.Resource.Type)
	action, _ := authz.ParseAction(kind, q.Action)
	if facts := q.Resource.Facts; facts != nil {
		lacking("template", facts.Template != "")
		lacking("status", facts.Status != authz.NoStatus || action == authz.DoParticipate)
	}
	if action == authz.GrantRole || action == authz.RevokeRole {
		lacking("role", q.Resource.Role != "")
	}
}

func readSubject(o *body.Object) *permission.Subject {
	if o == nil {
		return nil
	}
	kind, id, _ := readThing(o, func(kind string) bool { return kind == authz.UserResource.String() })
	return &permission.Subject{Type: kind, ID: id}
}

func readAction(o *body.Object) *string {
	if o == nil {
		return nil
	}
	o.Open()
	o.Need("name")
	o.Object("properties").Open()
	name := o.Text("name", word)
	return &name
}

// readResource is the resource with its properties.
func readResource(o *body.Object) (*permission.Resource, *body.Object) {
	if o == nil {
		return nil, nil
	}
	var kind authz.ResourceType
	known := func(text string) (ours bool) { kind, ours = authz.ParseResourceType(text); return ours }
	r := &permission.Resource{}
	var properties *body.Object
	r.Type, r.ID, properties = readThing(o, known)
	switch kind {
	case authz.ItemResource:
		r.Facts = readFacts(r.ID, properties)
	case authz.UserResource:
		r.Role = properties.ID("role")
	case authz.BoardResource, authz.CardResource:
		r.Locations = properties.IDs("locations", mostLocations)
	}
	return r, properties
}

// readThing is type, id and properties of a subject or resource. The id of a
// type that is known here has the contract's alphabet.
func readThing(o *body.Object, known func(string) bool) (kind, id string, properties *body.Object) {
	o.Open()
	o.Need("type", "id")
	kind = o.Text("type", word)
	if known(kind) {
		id = o.ID("id")
	} else {
		id = o.Text("id", word)
	}
	properties = o.Object("properties")
	properties.Open()
	return kind, id, properties
}

// readFacts are an item's facts, nil when the properties carry none (C8).
func readFacts(id string, properties *body.Object) *authz.Item {
	for _, fact := range []string{"template", "locations", "status", "private", "team"} {
		if properties.Has(fact) {
			item := &authz.Item{ID: id}
			body.ReadFacts(properties, item)
			return item
		}
	}
	return nil
}
