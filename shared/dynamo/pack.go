package dynamo

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"io"

	"gemba/shared/authz"
)

// A policy as bytes. One description of it is both written and read, so that
// the two cannot differ; words are kept for what is closed, as in all items, and
// each text once.

// packForm begins what is packed; another form is another policy's.
const packForm = "policy 1"

var errPacked = errors.New("no packed policy")

// tape is bytes that are written, or read from their beginning.
type tape struct {
	bytes   []byte
	writing bool
	places  map[string]uint64 // of the texts written
	texts   []string          // read
	broken  bool
}

// pack is the policy but for its settings, compressed.
func pack(p authz.Policy) []byte {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.DefaultCompression) // the level is one
	_, _ = w.Write(writing(p))                              // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// unpack is the policy that was packed.
func unpack(packed []byte) (authz.Policy, error) {
	raw, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	if err != nil {
		return authz.Policy{}, err
	}
	return reading(raw)
}

func writing(p authz.Policy) []byte {
	t := &tape{writing: true, places: map[string]uint64{}}
	t.policy(&p)
	return t.bytes
}

func reading(raw []byte) (authz.Policy, error) {
	var p authz.Policy
	t := &tape{bytes: raw}
	t.policy(&p)
	if t.broken || len(t.bytes) > 0 {
		return authz.Policy{}, errPacked
	}
	return p, nil
}

func (t *tape) policy(p *authz.Policy) {
	form := packForm
	t.text(&form)
	if t.broken = t.broken || form != packForm; t.broken {
		return
	}
	list(t, &p.Locations, func(l *authz.Location) { t.text(&l.ID, &l.Name, &l.Parent) })
	list(t, &p.Workflows, func(w *authz.Workflow) { t.text(&w.ID, &w.Name) })
	list(t, &p.Templates, func(m *authz.Template) {
		t.text(&m.ID, &m.Name, &m.Workflow)
		word(t, &m.TeamType, authz.ParseTeamType)
	})
	list(t, &p.Roles, t.role)
}

func (t *tape) role(r *authz.Role) {
	t.reference(&r.RoleRef)
	t.text(&r.Name)
	t.names(&r.SpecificLocations)
	list(t, &r.Grants, t.grant)
	list(t, &r.Advanced, func(a *authz.Advanced) { word(t, a, authz.ParseAdvanced) })
	a := &r.Admin
	t.administration(&a.Global)
	t.administration(&a.Local)
	t.flag(&a.Impersonate, &a.Roles, &a.Quality, &a.System, &a.AccessReader, &a.ItemWriter)
	t.scope(&a.Board, &a.Card, &a.Escalation)
}

func (t *tape) reference(r *authz.RoleRef) {
	t.text(&r.ID)
	t.number(&r.Birth)
}

// granted is one of a grant's permissions.
type granted struct {
	permission authz.Permission
	scope      authz.Scope
}

func (t *tape) grant(g *authz.Grant) {
	t.names(&g.Workflows)
	t.names(&g.Templates)
	var all []granted
	for p := range authz.PermissionCount {
		if scope, has := g.Permissions[p]; has {
			all = append(all, granted{p, scope})
		}
	}
	list(t, &all, func(one *granted) {
		word(t, &one.permission, authz.ParsePermission)
		t.scope(&one.scope)
	})
	if t.writing {
		return
	}
	g.Permissions = make(map[authz.Permission]authz.Scope, len(all))
	for _, one := range all {
		g.Permissions[one.permission] = one.scope
	}
}

func (t *tape) administration(a **authz.UserAdministration) {
	held := *a != nil
	t.flag(&held)
	if !held || t.broken {
		return
	}
	if !t.writing {
		*a = &authz.UserAdministration{}
	}
	t.scope(&(*a).Scope)
	t.flag(&(*a).CreateUsers, &(*a).Grantable.All)
	list(t, &(*a).Grantable.Roles, t.reference)
}

func (t *tape) scope(scopes ...*authz.Scope) {
	for _, s := range scopes {
		word(t, s, parseGrantedScope)
	}
}

func (t *tape) names(all *[]string) { list(t, all, func(one *string) { t.text(one) }) }

// word is a member of a closed set; none is the empty word.
func word[E interface {
	comparable
	String() string
}](t *tape, member *E, parse func(string) (E, bool)) {
	text := (*member).String()
	t.text(&text)
	if t.writing || text == "" {
		return
	}
	known := false
	*member, known = parse(text)
	t.broken = t.broken || !known
}

// list is a number of things, each as one says.
func list[E any](t *tape, all *[]E, one func(*E)) {
	n := uint64(len(*all))
	t.number(&n)
	if !t.writing {
		if n > uint64(len(t.bytes)) {
			t.broken = true
		}
		if n == 0 || t.broken {
			return
		}
		*all = make([]E, n)
	}
	for i := range *all {
		if one(&(*all)[i]); t.broken {
			return
		}
	}
}

func (t *tape) flag(flags ...*bool) {
	for _, f := range flags {
		var n uint64
		if *f {
			n = 1
		}
		t.number(&n)
		*f = n == 1
	}
}

func (t *tape) number(n *uint64) {
	if t.writing {
		t.bytes = binary.AppendUvarint(t.bytes, *n)
		return
	}
	read, size := binary.Uvarint(t.bytes)
	if size <= 0 {
		t.broken = true
		return
	}
	*n, t.bytes = read, t.bytes[size:]
}

// text is the place of a text that was there before, or 0 and the text.
func (t *tape) text(texts ...*string) {
	for _, s := range texts {
		if t.broken {
			return
		}
		if t.writing {
			t.writeText(*s)
		} else {
			*s = t.readText()
		}
	}
}

func (t *tape) writeText(s string) {
	place, before := t.places[s]
	t.number(&place)
	if before {
		return
	}
	t.places[s] = uint64(len(t.places)) + 1
	n := uint64(len(s))
	t.number(&n)
	t.bytes = append(t.bytes, s...)
}

func (t *tape) readText() string {
	var place, n uint64
	t.number(&place)
	if place > 0 {
		if t.broken = t.broken || place > uint64(len(t.texts)); t.broken {
			return ""
		}
		return t.texts[place-1]
	}
	t.number(&n)
	if t.broken = t.broken || n > uint64(len(t.bytes)); t.broken {
		return ""
	}
	s := string(t.bytes[:n])
	t.bytes, t.texts = t.bytes[n:], append(t.texts, s)
	return s
}
