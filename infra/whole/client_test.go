package whole

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/infra/openapi"
)

// object is a JSON object as a client without types has it.
type object = map[string]any

// list is a JSON list.
type list = []any

// client is somebody at the service: the address, a token, and the session
// that requests name, both empty for none.
type client struct {
	url, token, session string
}

// in is the client in an impersonation.
func (c client) in(session string) client {
	c.session = session
	return c
}

// reply is what came back.
type reply struct {
	call   string
	sent   time.Time
	status int
	header http.Header
	raw    []byte
	body   object
}

// send makes a request. The body is a text as it is, nil for none, or a value
// to be sent as JSON; headers come in pairs.
func (c client) send(t *testing.T, method, path string, body any, headers ...string) reply {
	t.Helper()
	sent := time.Now()
	response, err := http.DefaultClient.Do(c.request(t, method, path, body, headers...))
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	r := reply{call: method + " " + path, sent: sent, status: response.StatusCode, header: response.Header, raw: raw}
	_ = json.Unmarshal(raw, &r.body) // a body that is no object stays raw
	asPromised(t, r, method, path, body)
	return r
}

// contract is what the API promises.
var contract = func() *openapi.Document {
	read, err := openapi.Read(filepath.Join(repository, "infra/openapi.yaml"))
	if err != nil {
		panic(err)
	}
	return read
}()

// asPromised holds every answer of every test to the OpenAPI document, and
// what was taken from a request to what the document says that is taken.
func asPromised(t *testing.T, r reply, method, path string, body any) {
	t.Helper()
	path, _, _ = strings.Cut(path, "?")
	route, promised := contract.Match(method, path)
	if !promised {
		return // a local path, or none
	}
	if err := contract.Answer(route, r.status, r.header, r.raw); err != nil {
		t.Errorf("%s is not answered as promised: %v: %s", r.call, err, r.raw)
	}
	if body == nil || r.status >= 300 {
		return
	}
	sent, ok := body.(string)
	if !ok {
		sent = stringOf(body)
	}
	if err := contract.Request(route, []byte(sent)); err != nil {
		t.Errorf("%s was taken and not promised: %v: %s", r.call, err, sent)
	}
}

func (c client) request(t *testing.T, method, path string, body any, headers ...string) *http.Request {
	t.Helper()
	var content []byte
	switch body := body.(type) {
	case nil:
	case string:
		content = []byte(body)
	default:
		var err error
		if content, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), method, c.url+path, bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if content != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	if c.session != "" {
		request.Header.Set("Impersonation-Session", c.session)
	}
	for pair := range slices.Chunk(headers, 2) {
		request.Header.Set(pair[0], pair[1])
	}
	return request
}

func (c client) get(t *testing.T, path string, headers ...string) reply {
	t.Helper()
	return c.send(t, http.MethodGet, path, nil, headers...)
}

func (c client) post(t *testing.T, path string, body any, headers ...string) reply {
	t.Helper()
	return c.send(t, http.MethodPost, path, body, headers...)
}

func (c client) put(t *testing.T, path string, body any, headers ...string) reply {
	t.Helper()
	return c.send(t, http.MethodPut, path, body, headers...)
}

func (c client) delete(t *testing.T, path string, headers ...string) reply {
	t.Helper()
	return c.send(t, http.MethodDelete, path, nil, headers...)
}

// is holds an answer to a status, and a good one to JSON.
func (r reply) is(t *testing.T, status int) reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("%s: %d instead of %d: %s", r.call, r.status, status, r.raw)
	}
	if status < 300 && len(r.raw) > 0 && r.header.Get("Content-Type") != "application/json" {
		t.Errorf("%s: Content-Type %q", r.call, r.header.Get("Content-Type"))
	}
	return r
}

// problem holds an answer to a problem document of this status and code, and
// to exactly these pointers (none: no list of errors).
func (r reply) problem(t *testing.T, status int, code string, pointers ...string) reply {
	t.Helper()
	r.is(t, status)
	if kind := r.header.Get("Content-Type"); kind != "application/problem+json" {
		t.Errorf("%s: Content-Type %q", r.call, kind)
	}
	if r.body["type"] != "urn:problem:"+code || r.body["status"] != float64(status) || text(r.body["title"]) == "" || r.body["requestId"] != r.request() {
		t.Errorf("%s: this is no problem %s: %s", r.call, code, r.raw)
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(pointers)), r.pointers(t)); diff != "" {
		t.Errorf("%s: faults (-expected +told): %s\n%s", r.call, diff, r.raw)
	}
	return r
}

// pointers are those of a problem's errors, sorted; each must say why.
func (r reply) pointers(t *testing.T) []string {
	t.Helper()
	var out []string
	errors, _ := r.body["errors"].(list)
	for _, e := range errors {
		pointer, ok := at(e, "pointer").(string)
		if !ok || text(at(e, "detail")) == "" {
			t.Errorf("%s: an error without pointer or detail: %s", r.call, r.raw)
		}
		out = append(out, pointer)
	}
	slices.Sort(out)
	return out
}

// says holds a problem to the words of the rule that was broken.
func (r reply) says(t *testing.T, words string) reply {
	t.Helper()
	if !strings.Contains(string(r.raw), words) {
		t.Errorf("%s: %q is not said: %s", r.call, words, r.raw)
	}
	return r
}

// has holds members of an answer's body; what else there is does not matter.
func (r reply) has(t *testing.T, want object) reply {
	t.Helper()
	got := object{}
	for name := range want {
		if value, ok := r.body[name]; ok {
			got[name] = value
		}
	}
	if diff := cmp.Diff(plain(t, want), got); diff != "" {
		t.Errorf("%s (-expected +answered): %s", r.call, diff)
	}
	return r
}

// members holds an answer's body to exactly these members.
func (r reply) members(t *testing.T, names ...string) reply {
	t.Helper()
	if diff := cmp.Diff(slices.Sorted(slices.Values(names)), slices.Sorted(maps.Keys(r.body))); diff != "" {
		t.Errorf("%s: members (-expected +answered): %s", r.call, diff)
	}
	return r
}

// at is a value deep in a JSON value, nil when it is not there.
func (r reply) at(path ...any) any { return at(r.body, path...) }

// list is an answer that is a list.
func (r reply) list(t *testing.T) list {
	t.Helper()
	var out list
	if err := json.Unmarshal(r.raw, &out); err != nil {
		t.Fatalf("%s is no list: %v: %s", r.call, err, r.raw)
	}
	return out
}

func (r reply) etag() string { return r.header.Get("Etag") }

// request is the id under which the timeline has what the request did.
func (r reply) request() string { return r.header.Get("Apigw-Requestid") }

func at(value any, path ...any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			members, _ := value.(object)
			value = members[step]
		case int:
			entries, _ := value.(list)
			if step >= len(entries) {
				return nil
			}
			value = entries[step]
		default:
			panic(fmt.Sprintf("%T is no step", step))
		}
	}
	return value
}

func text(value any) string {
	out, _ := value.(string)
	return out
}

// stringOf is a value as JSON.
func stringOf(value any) string {
	out, _ := json.Marshal(value) // it came as JSON
	return string(out)
}

// plain is a value as JSON would give it back.
func plain(t *testing.T, value any) object {
	t.Helper()
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var out object
	if err := json.Unmarshal(encoded, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// signIn is somebody with a token of the local sign-in.
func signIn(t *testing.T, url, username, password string) client {
	t.Helper()
	r := client{url: url}.post(t, "/_local/token", object{"username": username, "password": password}).is(t, http.StatusOK)
	r.members(t, "accessToken", "idToken", "refreshToken")
	return client{url: url, token: text(r.body["accessToken"])}
}
