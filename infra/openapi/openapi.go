// Package openapi holds what the service says to infra/openapi.yaml: its
// routes, and whether a request's or an answer's form is what is promised
// there, members, headers and problem codes included.
//
// It reads the OpenAPI 3.1 document as it is, whose schemas are JSON Schema
// 2020-12 and judged by a validator of that. It refuses to know what the
// answers mean. The codes that a problem may have stand between backticks in
// the description of its response, as readers see them.
package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// Document is an OpenAPI document. It is safe for concurrent use.
type Document struct {
	root       map[string]any
	operations []Operation
	schemas    map[string]*jsonschema.Schema
}

// Operation is a call. Public needs no sign-in.
type Operation struct {
	Route, ID string
	Public    bool
	pointer   string
}

// methods are the keys of a path that are calls.
var methods = []string{"get", "put", "post", "delete", "patch"}

const base = "file:///openapi.json"

// Read reads a document and compiles every schema in it, so that what refers
// to nothing is found here.
func Read(path string) (*Document, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := yaml.Unmarshal(content, &tree); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	encoded, err := json.Marshal(tree)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	plain, err := jsonschema.UnmarshalJSON(bytes.NewReader(encoded))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	root, ok := plain.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s is no mapping", path)
	}
	d := &Document{root: root, schemas: map[string]*jsonschema.Schema{}}
	if err := d.compile(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	d.list()
	return d, nil
}

// compile makes a validator of every value of a member named schema, and of
// every named one.
func (d *Document) compile() error {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource(base, d.root); err != nil {
		return err
	}
	var pointers []string
	walk(d.root, "", func(pointer string, _ map[string]any) {
		if strings.HasSuffix(pointer, "/schema") || parent(pointer) == "/components/schemas" {
			pointers = append(pointers, pointer)
		}
	})
	for _, pointer := range pointers {
		schema, err := compiler.Compile(base + "#" + fragment(pointer))
		if err != nil {
			return err
		}
		d.schemas[pointer] = schema
	}
	return nil
}

// list finds the calls.
func (d *Document) list() {
	paths, _ := d.at("/paths")
	for path, item := range paths {
		calls, _ := item.(map[string]any)
		for _, method := range methods {
			call, ok := calls[method].(map[string]any)
			if !ok {
				continue
			}
			security, said := call["security"].([]any)
			id, _ := call["operationId"].(string)
			d.operations = append(d.operations, Operation{
				Route: strings.ToUpper(method) + " " + path, ID: id, Public: said && len(security) == 0,
				pointer: "/paths/" + escape(path) + "/" + method,
			})
		}
	}
	slices.SortFunc(d.operations, func(a, b Operation) int { return strings.Compare(a.Route, b.Route) })
}

// Operations are the calls, by route.
func (d *Document) Operations() []Operation { return slices.Clone(d.operations) }

func (d *Document) operation(route string) (Operation, error) {
	for _, o := range d.operations {
		if o.Route == route {
			return o, nil
		}
	}
	return Operation{}, fmt.Errorf("%s is not in the document", route)
}

// Request tells in what the body of a request to a route ("PUT /v1/roles/{id}")
// is not what the document asks for.
func (d *Document) Request(route string, body []byte) error {
	o, err := d.operation(route)
	if err != nil {
		return err
	}
	asked, pointer := d.at(o.pointer + "/requestBody")
	switch {
	case asked == nil && len(body) == 0:
		return nil
	case asked == nil:
		return fmt.Errorf("%s has no body", route)
	case len(body) == 0 && asked["required"] != true:
		return nil
	}
	return d.content(pointer, "application/json", body)
}

// Answer tells in what an answer is not what the document promises for the
// route: a status it does not name, a body or a header of another form, a
// problem code that it does not name there.
func (d *Document) Answer(route string, status int, header http.Header, body []byte) error {
	o, err := d.operation(route)
	if err != nil {
		return err
	}
	promised, pointer := d.at(o.pointer + "/responses/" + strconv.Itoa(status))
	if promised == nil {
		return fmt.Errorf("%s does not name the status %d", route, status)
	}
	if err := d.headers(pointer, header); err != nil {
		return fmt.Errorf("%s %d: %w", route, status, err)
	}
	if promised["content"] == nil {
		if len(body) > 0 || header.Get("Content-Type") != "" {
			return fmt.Errorf("%s %d has no content", route, status)
		}
		return nil
	}
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("%s %d: content type %q: %w", route, status, header.Get("Content-Type"), err)
	}
	if err := d.content(pointer, kind, body); err != nil {
		return fmt.Errorf("%s %d: %w", route, status, err)
	}
	if kind == "application/problem+json" {
		return d.code(o, status, body)
	}
	return nil
}

// code holds a problem to the codes that its response names.
func (d *Document) code(o Operation, status int, body []byte) error {
	var problem struct{ Type string }
	if err := json.Unmarshal(body, &problem); err != nil {
		return err
	}
	code := strings.TrimPrefix(problem.Type, "urn:problem:")
	if named := d.Codes(o.Route, status); !slices.Contains(named, code) {
		return fmt.Errorf("%s %d does not name the code %s, only %v", o.Route, status, code, named)
	}
	return nil
}

var quoted = regexp.MustCompile("`([a-z_]+)`")

// Codes are the problem codes that a route's answer with a status may have.
func (d *Document) Codes(route string, status int) []string {
	o, err := d.operation(route)
	if err != nil {
		return nil
	}
	at := o.pointer + "/responses/" + strconv.Itoa(status)
	promised, _ := d.at(at)
	text, _ := promised["description"].(string)
	if said, ok := d.raw(at)["description"].(string); ok {
		text = said // beside a $ref, it speaks for this call
	}
	var codes []string
	for _, found := range quoted.FindAllStringSubmatch(text, -1) {
		codes = append(codes, found[1])
	}
	return codes
}

// Statuses are those that a route's answers may have.
func (d *Document) Statuses(route string) []int {
	o, err := d.operation(route)
	if err != nil {
		return nil
	}
	promised, _ := d.at(o.pointer + "/responses")
	var statuses []int
	for text := range promised {
		if status, err := strconv.Atoi(text); err == nil {
			statuses = append(statuses, status)
		}
	}
	slices.Sort(statuses)
	return statuses
}

// headers holds those headers that the response names, where they are there.
func (d *Document) headers(pointer string, header http.Header) error {
	named, at := d.at(pointer + "/headers")
	for name := range named {
		if header.Get(name) == "" {
			continue
		}
		_, own := d.at(at + "/" + escape(name))
		if err := d.schemas[own+"/schema"].Validate(header.Get(name)); err != nil {
			return fmt.Errorf("header %s: %w", name, err)
		}
	}
	return nil
}

// content holds a body to the schema of its media type, each line of lines; of what
// is no JSON, only the type is held.
func (d *Document) content(pointer, kind string, body []byte) error {
	media, at := d.at(pointer + "/content/" + escape(kind))
	switch {
	case media == nil:
		return fmt.Errorf("the content type %s is not named", kind)
	case strings.HasSuffix(kind, "ndjson"):
		return d.lines(at, body)
	case !strings.HasSuffix(kind, "json"):
		return nil
	}
	return d.json(at, body)
}

// lines are texts of JSON, each ended by a newline; none is as good as any.
func (d *Document) lines(at string, body []byte) error {
	for line := range bytes.Lines(body) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			return errors.New("the last line does not end")
		}
		if err := d.json(at, line); err != nil {
			return err
		}
	}
	return nil
}

func (d *Document) json(at string, body []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("the body is no JSON: %w", err)
	}
	return d.schemas[at+"/schema"].Validate(value)
}

// Match is the route of a request by its method and its path as it is sent;
// false when the document has none. A path without parameters goes before one
// with.
func (d *Document) Match(method, path string) (string, bool) {
	path, err := url.PathUnescape(path)
	if err != nil {
		return "", false
	}
	found := ""
	for _, o := range d.operations {
		if of, template, _ := strings.Cut(o.Route, " "); of == method && fits(template, path) {
			if found == "" || strings.Count(template, "{") < strings.Count(found, "{") {
				found = o.Route
			}
		}
	}
	return found, found != ""
}

// fits tells whether a path is one of a template's.
func fits(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	return len(want) == len(got) && !slices.ContainsFunc(want, func(part string) bool {
		own := got[0]
		got = got[1:]
		return part != own && (!strings.HasPrefix(part, "{") || own == "")
	})
}
