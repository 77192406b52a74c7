package whole

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// password is that of everybody in an organization of a test.
const password = "Correct-horse-1"

// organization is one that a test has to itself.
type organization struct {
	url, id string
	mu      sync.Mutex
	clients map[string]client
}

var organizations atomic.Int64

// found loads clinic into the running stack, under an id of its own; change,
// if any, makes it another one first.
func found(t *testing.T, change func(world object)) *organization {
	t.Helper()
	stack := running(t)
	o := &organization{url: stack.URL, id: fmt.Sprintf("clinic-%d", organizations.Add(1)), clients: map[string]client{}}
	w := clinic()
	if change != nil {
		change(w)
	}
	named(w, o.id)
	document, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	if err := seed(t.Context(), stack.Parts, document); err != nil {
		t.Fatal(err)
	}
	return o
}

// quiet is an organization that tests share who change nothing in it.
func quiet(t *testing.T) *organization {
	t.Helper()
	quietly.once.Do(func() { quietly.organization = found(t, nil) })
	if quietly.organization == nil {
		t.Fatal("there is no organization to ask")
	}
	return quietly.organization
}

var quietly struct {
	once         sync.Once
	organization *organization
}

// named gives a clinic an id, and its users names and addresses of their own.
func named(w object, id string) object {
	o := &organization{id: id}
	w["organization"].(object)["id"] = id
	for _, user := range w["users"].([]object) {
		user["username"] = o.username(text(user["id"]))
		if _, there := user["email"]; there {
			user["email"] = o.email(text(user["id"]))
		}
	}
	return w
}

// username is the sign-in name of a user, unique in the pool.
func (o *organization) username(user string) string { return o.id + "." + user }

// email is the address of a user, as unique.
func (o *organization) email(user string) string { return user + "@" + o.id + ".example" }

// as is a signed-in user of the organization; the same sign-in each time.
func (o *organization) as(t *testing.T, user string) client {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, signedIn := o.clients[user]; !signedIn {
		o.clients[user] = o.anew(t, user)
	}
	return o.clients[user]
}

// anew is the user with a new sign-in.
func (o *organization) anew(t *testing.T, user string) client {
	t.Helper()
	return signIn(t, o.url, o.username(user), password)
}

// own are the credentials of a user, as a start of an impersonation takes them.
func (o *organization) own(user string) object {
	return object{"username": o.username(user), "password": password}
}

// timeline is all of the record, newest first, that a query string selects.
func timeline(t *testing.T, c client, query string) []object {
	t.Helper()
	var out []object
	path := "/v1/timeline?limit=500&" + query
	for next := ""; ; {
		r := c.get(t, path+"&cursor="+url.QueryEscape(next)).is(t, http.StatusOK)
		for _, entry := range r.body["items"].(list) {
			out = append(out, entry.(object))
		}
		if next = text(r.body["next"]); next == "" {
			return out
		}
	}
}

// entries are what a request left in the record, as ada sees it.
func (o *organization) entries(t *testing.T, of reply) []object {
	t.Helper()
	return entriesOf(t, o.as(t, "ada"), of)
}

func entriesOf(t *testing.T, administrator client, of reply) []object {
	t.Helper()
	var out []object
	since := of.sent.Truncate(time.Millisecond).UTC().Format(time.RFC3339Nano) // an entry's id has milliseconds
	for _, entry := range timeline(t, administrator, "from="+url.QueryEscape(since)) {
		if entry["requestId"] == of.request() {
			out = append(out, entry)
		}
	}
	return out
}

// tells holds the record to exactly one entry of a request, with these
// members.
func (o *organization) tells(t *testing.T, of reply, want object) object {
	t.Helper()
	return tells(t, o.as(t, "ada"), of, want)
}

func tells(t *testing.T, administrator client, of reply, want object) object {
	t.Helper()
	entries := entriesOf(t, administrator, of)
	if len(entries) != 1 {
		t.Errorf("%s left %d entries in the timeline: %v", of.call, len(entries), entries)
		return nil
	}
	entry := reply{call: "timeline of " + of.call, body: entries[0]}
	for _, member := range []string{"id", "at", "type", "action", "outcome", "subject", "impersonator", "target", "before", "after", "requestId"} {
		if _, there := entries[0][member]; !there {
			t.Errorf("%s: an entry without %s", of.call, member)
		}
	}
	entry.has(t, want)
	return entries[0]
}

// silent holds the record to no entry of a request.
func (o *organization) silent(t *testing.T, of reply) {
	t.Helper()
	if entries := o.entries(t, of); len(entries) > 0 {
		t.Errorf("%s left in the timeline: %v", of.call, entries)
	}
}

// instant is a time of an answer: RFC 3339, in UTC.
func instant(t *testing.T, value any) time.Time {
	t.Helper()
	out, err := time.Parse(time.RFC3339, text(value))
	if err != nil || !strings.HasSuffix(text(value), "Z") {
		t.Errorf("%v is no time in UTC", value)
	}
	return out
}

// eventually asks again until it is so: for what a stream does in its own
// time.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come about", what)
		}
	}
}
