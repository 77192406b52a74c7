package body

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"gemba/shared/fault"
)

const (
	// mostDepth bounds recursion: the deepest body of the contract, a world
	// with a role's grant, is seven deep.
	mostDepth = 32
	// mostName bounds a member's name, so that a pointer stays readable.
	mostName = 100
	// mostProblems bounds an answer: a megabyte of nonsense has half a million
	// faults, and nobody mends them one by one.
	mostProblems = 1000
)

// node is a JSON value. Its kind is the type of value: nil, bool,
// json.Number, string, []node or *members.
type node struct{ value any }

// members are an object's, in the order of the document. Names that no pointer
// may carry are not among names: they are unknown wherever they stand.
type members struct {
	names    []string
	values   map[string]node
	unusable bool
}

// reading is one document being read: the faults so far and the objects that
// were handed out.
type reading struct {
	problems []fault.Problem
	dropped  int
	objects  []*Object
}

// note adds a fault.
func (r *reading) note(pointer, detail string) {
	if len(r.problems) >= mostProblems {
		r.dropped++
		return
	}
	r.problems = append(r.problems, fault.Problem{Pointer: pointer, Detail: detail})
}

// all is every fault noted, with a last line that counts those left out.
func (r *reading) all() []fault.Problem {
	if r.dropped == 0 {
		return r.problems
	}
	return append(r.problems, fault.Problem{Detail: fmt.Sprintf("There are %d more faults.", r.dropped)})
}

// parser turns tokens into nodes. Its path is where it is: the names and
// places that lead there.
type parser struct {
	*reading
	tokens *json.Decoder
	path   []string
}

// parse is the document as one value; false when it is not JSON at all, which
// has been noted.
func (r *reading) parse(data []byte) (node, bool) {
	if !utf8.Valid(data) {
		r.note("", "This is not JSON: it is not UTF-8.")
		return node{}, false
	}
	p := parser{reading: r, tokens: json.NewDecoder(bytes.NewReader(data))}
	p.tokens.UseNumber()
	n, err := p.value()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ends before it is whole")
	}
	if err == nil && len(bytes.TrimSpace(data[p.tokens.InputOffset():])) > 0 {
		err = fmt.Errorf("something follows its end")
	}
	if err != nil {
		r.note("", fmt.Sprintf("This is not JSON: %v (near byte %d).", err, p.tokens.InputOffset()))
		return node{}, false
	}
	return n, true
}

// value is the next value. An error ends the reading of the document.
func (p *parser) value() (node, error) {
	token, err := p.tokens.Token()
	if err != nil {
		return node{}, err
	}
	opened, nested := token.(json.Delim)
	switch {
	case !nested:
		return node{token}, nil
	case len(p.path) == mostDepth:
		return node{}, fmt.Errorf("it is nested deeper than %d", mostDepth)
	case opened == '[':
		return p.list()
	default:
		return p.object()
	}
}

// inside is the next value as the one that has this name or place.
func (p *parser) inside(name string) (node, error) {
	p.path = append(p.path, name)
	n, err := p.value()
	p.path = p.path[:len(p.path)-1]
	return n, err
}

// list is the rest of a list that was opened.
func (p *parser) list() (node, error) {
	list := []node{}
	for p.tokens.More() {
		n, err := p.inside(strconv.Itoa(len(list)))
		if err != nil {
			return node{}, err
		}
		list = append(list, n)
	}
	_, err := p.tokens.Token()
	return node{list}, err
}

// object is the rest of an object that was opened. A member that is there
// twice is a fault: readers differ in which of the two they take.
func (p *parser) object() (node, error) {
	m := &members{values: map[string]node{}}
	for p.tokens.More() {
		token, err := p.tokens.Token()
		if err != nil {
			return node{}, err
		}
		name, _ := token.(string)
		n, err := p.inside(usable(name))
		if err != nil {
			return node{}, err
		}
		p.member(m, name, n)
	}
	_, err := p.tokens.Token()
	return node{m}, err
}

// usable is a name as a pointer may carry it, empty when none may.
func usable(name string) string {
	if utf8.RuneCountInString(name) > mostName || !clean(name, false) {
		return ""
	}
	return name
}

// member adds a member, or notes that it is there already.
func (p *parser) member(m *members, name string, n node) {
	carried := usable(name) == name
	_, twice := m.values[name]
	switch {
	case twice && carried:
		p.note(p.pointer()+"/"+escaped.Replace(name), "This member is there more than once.")
		return
	case twice:
		p.note(p.pointer(), "A member is there more than once.")
		return
	case carried:
		m.names = append(m.names, name)
	default:
		m.unusable = true
	}
	m.values[name] = n
}

// escaped is what a name becomes as a component of a JSON pointer (RFC 6901).
var escaped = strings.NewReplacer("~", "~0", "/", "~1")

// pointer is the place in the document that the parser has come to.
func (p *parser) pointer() string {
	var b strings.Builder
	for _, name := range p.path {
		b.WriteString("/" + escaped.Replace(name))
	}
	return b.String()
}
