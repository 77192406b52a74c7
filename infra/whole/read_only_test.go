package whole

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"go.yaml.in/yaml/v3"

	"gemba/infra/local/functions"
)

// holdings is what the table holds of an organization, by key, as JSON: but for the
// marks of who was here and what is counted from them, and for when a session was last
// touched. It reads behind the gateway, because what nobody can ask for must not be
// there either.
func holdings(t *testing.T, o *organization) map[string]string {
	t.Helper()
	out := map[string]string{}
	scanned(t, o.id, func(plain object) {
		kind, rest, _ := strings.Cut(text(plain["pk"]), "#")
		if slices.Contains([]string{"SEEN", "CNT", "EI", "EU"}, kind) || !slices.Contains(strings.Split(rest, "#"), o.id) {
			return
		}
		for _, noise := range []string{"at", "seen", "onTeam", "pulse", "last", "idles"} {
			delete(plain, noise)
		}
		out[kind+"#"+rest+" "+text(plain["sk"])] = stringOf(plain)
	})
	return out
}

// scanned is each item of the table, of all organizations, or that has this in its
// partition's name: to read the others takes long.
func scanned(t *testing.T, within string, look func(item object)) {
	t.Helper()
	parts := running(t).Parts
	scan := &dynamodb.ScanInput{TableName: &parts.Table, ConsistentRead: aws.Bool(true)}
	if within != "" {
		scan.FilterExpression = aws.String("contains(pk, :within)")
		scan.ExpressionAttributeValues = map[string]types.AttributeValue{":within": &types.AttributeValueMemberS{Value: within}}
	}
	pages := dynamodb.NewScanPaginator(dynamodb.NewFromConfig(parts.DynamoDB), scan)
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			var plain object
			if err := attributevalue.UnmarshalMap(item, &plain); err != nil {
				t.Fatal(err)
			}
			look(plain)
		}
	}
}

// rewritten are the keys whose items differ, sorted.
func rewritten(before, after map[string]string) []string {
	out := map[string]bool{}
	for key, item := range after {
		if before[key] != item {
			out[key] = true
		}
	}
	for key := range before {
		if _, there := after[key]; !there {
			out[key] = true
		}
	}
	return slices.Sorted(maps.Keys(out))
}

// routed is a route of the template, and whether its own endpoint says that a
// read_only session may call it.
type routed struct {
	Method, Path string
	looks        bool
}

// Key is the route as endpoints name it.
func (r routed) Key() string { return r.Method + " " + r.Path }

// templated are the routes of template.yaml that need a sign-in.
func templated(t *testing.T) []routed {
	t.Helper()
	var read struct {
		Resources map[string]struct {
			Properties struct {
				Events map[string]struct {
					Type       string `yaml:"Type"`
					Properties struct {
						Method string `yaml:"Method"`
						Path   string `yaml:"Path"`
						Auth   struct {
							Authorizer string `yaml:"Authorizer"`
						} `yaml:"Auth"`
					} `yaml:"Properties"`
				} `yaml:"Events"`
			} `yaml:"Properties"`
		} `yaml:"Resources"`
	}
	if err := yaml.Unmarshal(file("template.yaml"), &read); err != nil {
		t.Fatal(err)
	}
	handlers, err := functions.Handlers(idle, time.Now)(running(t).Parts)
	if err != nil {
		t.Fatal(err)
	}
	looks := map[string]bool{}
	for _, handler := range handlers {
		if f, answers := handler.(interface{ Looking() []string }); answers {
			for _, route := range f.Looking() {
				looks[route] = true
			}
		}
	}
	var out []routed
	for _, resource := range read.Resources {
		for _, event := range resource.Properties.Events {
			if p := event.Properties; event.Type == "HttpApi" && p.Auth.Authorizer != "NONE" {
				out = append(out, routed{p.Method, p.Path, looks[p.Method+" "+p.Path]})
			}
		}
	}
	if len(out) < 50 {
		t.Fatalf("the template has %d routes", len(out))
	}
	slices.SortFunc(out, func(a, b routed) int { return strings.Compare(a.Key(), b.Key()) })
	return out
}

// ofTheClinic are ids that are there, for the parameters of a path.
var ofTheClinic = map[string]string{
	"/v1/locations/": "east-1", "/v1/workflows/": "safety", "/v1/templates/": "idea", "/v1/users/": "mia", "/v1/items/": "i1",
	"/v1/roles/": "lead", "/v1/persona-audits/": "none", "/v1/impersonations/": "none", "{role}": "frontline", "{other}": "ward",
}

// path is a route's path, of things that are there or of nothing that could be.
func (r routed) path(there bool) string {
	path := r.Path
	for prefix, id := range ofTheClinic {
		if !there {
			id = "a%20b"
		}
		if name, named := strings.CutPrefix(prefix, "{"); named {
			path = strings.ReplaceAll(path, "{"+name, id)
		} else if rest, found := strings.CutPrefix(path, prefix+"{id}"); found {
			path = prefix + id + rest
		}
	}
	return path
}

// twoOfAll is a clinic in which abe may act as ada, and both may do all that there is.
func twoOfAll(w object) {
	giving("abe", "support", "abe", "service", "ada", "service")(w)
	w["roles"].([]object)[0]["advanced"] = list{"people_section"}
}

// TestReadOnlyWritesNothing walks every route of the template that is not got, in a
// read_only session of two who may do everything: a route that somebody adds is refused
// here, too, or says of itself that it only asks.
func TestReadOnlyWritesNothing(t *testing.T) {
	t.Parallel()
	o := found(t, twoOfAll)
	acting, _ := o.begin(t, "abe", "ada", object{"mode": "read_only"})
	eventually(t, "the notice", func() bool { return at(o.session(t, acting.session).body, "notice", "status") == "sent" })
	acting.get(t, "/v1/me").is(t, 200)
	o.settled(t)

	before, refused := holdings(t, o), map[string]string{}
	for _, route := range templated(t) {
		if route.looks {
			continue
		}
		t.Run("I6 "+route.Key(), func(t *testing.T) {
			for _, there := range []bool{true, false} {
				bodies := []any{nil, object{}, "{", `{"name":"x","name":"y"}`}
				if there {
					bodies = append(bodies, strings.Repeat(" ", 2<<20)) // which takes long
				}
				for _, body := range bodies {
					r := acting.send(t, route.Method, route.path(there)+"?dryRun=true&nothing=%zz", body, "If-Match", "*", "Idempotency-Key", "k").problem(t, 403, "read_only")
					if r.header.Get("Impersonation-Session") != acting.session {
						t.Errorf("%s: the answer names no session", r.call)
					}
					refused[r.request()] = route.Key()
				}
			}
		})
	}
	told := map[string]int{}
	for _, entry := range timeline(t, o.as(t, "abe"), "") {
		if route, walked := refused[text(entry["requestId"])]; walked {
			told[route]++
			if entry["outcome"] != "denied" || entry["cause"] != "read_only" || at(entry, "subject", "id") != "ada" || at(entry, "impersonator", "id") != "abe" {
				t.Errorf("T1 %s: %v", route, entry)
			}
		}
	}
	for _, route := range templated(t) {
		// Whoever changes their own preferences administers nobody: no attempt of an admin's.
		if want := 9; !route.looks && told[route.Key()] != want && route.Key() != "PUT /v1/users/{id}/preferences" {
			t.Errorf("T1 %s: %d of %d refused requests are told", route.Key(), told[route.Key()], want)
		}
	}
	o.wroteOnly(t, before, "T", "TP")
}

// TestWhatOnlyAsksWritesNothing holds the routes that a read_only session may call to
// what they say of themselves.
func TestWhatOnlyAsksWritesNothing(t *testing.T) {
	t.Parallel()
	o := found(t, twoOfAll)
	acting, _ := o.begin(t, "abe", "ada", object{"mode": "read_only"})
	eventually(t, "the notice", func() bool { return at(o.session(t, acting.session).body, "notice", "status") == "sent" })
	acting.get(t, "/v1/me").is(t, 200)
	o.settled(t)
	bodies := map[string]any{
		"POST /access/v1/evaluation":      question("mia", "view", item("i1")),
		"POST /access/v1/evaluations":     object{"evaluations": list{question("mia", "view", item("i1")), question("wes", "administer", object{"type": "user", "id": "mia"})}},
		"POST /access/v1/search/subject":  search("", "view", item("i1")),
		"POST /access/v1/search/resource": search("mia", "view", object{"type": "item"}),
		"POST /access/v1/search/action":   search("mia", "", item("i1")),
		"POST /v1/roles/{id}/impact":      object{"name": "Lead"},
	}
	before := holdings(t, o)
	asking := 0
	for _, route := range templated(t) {
		switch {
		case route.Method == "GET" && !route.looks:
			t.Errorf("%s is got and does not look", route.Key())
		case !route.looks || route.Key() == "DELETE /v1/impersonations/{id}":
			// Signing out is let in: it is a write, of this session alone.
		case route.Method == "GET":
			if r := acting.get(t, route.path(true)); r.status != 200 && r.status != 404 {
				t.Errorf("%s: %d %s", route.Key(), r.status, r.raw)
			}
		default:
			body, known := bodies[route.Key()]
			if !known {
				t.Errorf("%s says that it only asks, and is not asked here", route.Key())
				continue
			}
			asking++
			acting.send(t, route.Method, route.path(true), body).is(t, 200)
		}
	}
	if asking != len(bodies) {
		t.Errorf("%d of %d calls that ask are let into a read_only session", asking, len(bodies))
	}
	o.wroteOnly(t, before)
	before = holdings(t, o)
	for _, id := range []string{"none", "01KB6V3M5Q7TZ2XW4Y6R8N0PDE5SGH7JK"} {
		acting.delete(t, "/v1/impersonations/"+id).problem(t, 403, "read_only")
	}
	o.wroteOnly(t, before, "T", "TP")
	over(t, acting)
}

// settled waits until what follows requests in its own time has been written.
func (o *organization) settled(t *testing.T) {
	t.Helper()
	last := holdings(t, o)
	eventually(t, "quiet", func() bool {
		now := holdings(t, o)
		quiet := len(rewritten(last, now)) == 0
		last = now
		return quiet
	})
}

// wroteOnly holds what was written since to new items of these kinds. The seal, which
// follows the record, is no request's.
func (o *organization) wroteOnly(t *testing.T, before map[string]string, kinds ...string) {
	t.Helper()
	for _, key := range rewritten(before, holdings(t, o)) {
		kind, _, _ := strings.Cut(key, "#")
		if kind == "SEAL" || kind == "SEALED" {
			continue
		}
		if _, was := before[key]; was || !slices.Contains(kinds, kind) {
			t.Errorf("%s was written", key)
		}
	}
}
