package endpoints_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/functions/timeline/endpoints"
	"gemba/infra/iam"
	"gemba/infra/local/template"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/timeline"
)

// verification is an answer to a verification.
type verification struct {
	From, To time.Time
	Head     *struct {
		Entries int
		Hash    string
		At      time.Time
	}
	Kept               *bool
	Verified, Unsealed int
	First              *struct {
		ID            *string
		At            time.Time
		Fault, Detail string
	}
	Complete bool
	Next     string
}

func (v verification) kept() string { return fmt.Sprintf("%d.%s", v.Head.Entries, v.Head.Hash) }

// sealAll seals what stands in the timeline.
func (r room) sealAll() {
	r.Helper()
	var entries []timeline.Sealed
	for _, e := range r.place.Recorded(r) {
		text, err := json.Marshal(dynamotest.Image(e))
		if err != nil {
			r.Fatal(err)
		}
		if o, one, ok := dynamo.SealingIn(text, r.place.Clock.Now()); ok && o == fixture.Organization {
			entries = append(entries, one)
		}
	}
	if _, err := timeline.NewSealer(r.store, r.place.Clock.Now).Seal(r.Context(), fixture.Organization, entries); err != nil {
		r.Fatal(err)
	}
}

func (r room) verify(user string, query url.Values) fixture.Answer {
	r.Helper()
	return r.place.Do(r, r.function, fixture.Call{Route: "GET /v1/timeline/verification", Query: query.Encode(), As: user})
}

// verified walks all calls of a verification, and is its end and how many it took.
func (r room) verified(query url.Values) (v verification, calls int) {
	r.Helper()
	query = with(query, "cursor", "")
	for {
		a := r.verify("root", query)
		if a.Status != http.StatusOK {
			r.Fatalf("%d %s", a.Status, a.Body)
		}
		v = verification{}
		a.Into(r, &v)
		calls++
		if v.Complete != (v.Next == "") {
			r.Errorf("complete %v, next %q", v.Complete, v.Next)
		}
		if v.Complete {
			return v, calls
		}
		query.Set("cursor", v.Next)
	}
}

func TestT2AVerificationTellsHeadAndFirstFlaw(t *testing.T) {
	r := open(t)
	v, _ := r.verified(nil)
	all := len(r.place.Recorded(t))
	if v.Head != nil || v.Kept != nil || v.First != nil || v.Unsealed != all || v.Verified != 0 {
		t.Errorf("before anything is sealed: %+v", v)
	}
	r.sealAll()
	v, _ = r.verified(nil)
	if v.Head == nil || v.Head.Entries != all || v.Verified != all || v.Unsealed != 0 || v.First != nil || !v.Head.At.Equal(fixture.Start) {
		t.Fatalf("%+v", v)
	}
	kept := v.kept()
	if v, _ = r.verified(url.Values{"head": {kept}}); v.Kept == nil || !*v.Kept || v.First != nil {
		t.Errorf("the kept head: %+v", v)
	}
	wrong := strings.Replace(kept, ".", ".0", 1)[:len(kept)]
	if v, _ = r.verified(url.Values{"head": {wrong}}); *v.Kept || v.First == nil || v.First.Fault != "chain" || v.First.ID != nil {
		t.Errorf("another head: %+v", v)
	}
	if v, _ = r.verified(url.Values{"from": {"2026-04-01T00:00:00Z"}}); v.Verified != 0 || v.First != nil || v.Head == nil {
		t.Errorf("a range after all: %+v", v)
	}

	changed := maps.Clone(r.place.Recorded(t)[4])
	changed["action"] = &types.AttributeValueMemberS{Value: "nothing"}
	if _, err := r.place.Client().PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &r.place.Table, Item: changed}); err != nil {
		t.Fatal(err)
	}
	v, _ = r.verified(nil)
	if v.First == nil || v.First.Fault != "changed" || v.First.ID == nil || *v.First.ID != changed.Text("sk") || v.First.Detail == "" || v.Verified != all-1 {
		t.Errorf("a changed entry: %+v", v.First)
	}
	if v, _ = r.verified(url.Values{"to": {v.First.At.Format(time.RFC3339Nano)}}); v.First != nil {
		t.Errorf("T2 the range before it: %+v", v.First)
	}
}

func TestR10ATimelineIsVerifiedBySystemAdministratorsAlone(t *testing.T) {
	r := open(t)
	for user, want := range map[string]int{"root": 200, "local": 403, "support": 403, "coach": 403, "nurse": 403, "service": 403, "inactive": 401} {
		if a := r.verify(user, nil); a.Status != want {
			t.Errorf("%s: %d, want %d", user, a.Status, want)
		}
	}
}

// dear is a store of which every step costs more than a call may spend.
type dear struct{ *dynamo.Store }

func (dear) Spending(ctx context.Context) (context.Context, func() float64) {
	return ctx, func() float64 { return 1e9 }
}

// TestAVerificationInManyCalls is the same as in one, and its cursor is the caller's
// for this query: a part never looks like the whole.
func TestAVerificationInManyCalls(t *testing.T) {
	r := open(t)
	r.sealAll()
	whole, calls := r.verified(nil)
	if calls != 1 {
		t.Fatalf("%d calls", calls)
	}
	slow := room{t, r.store, r.place, endpoints.New(r.place.Deps(t, nil), dear{r.store})}
	parts, calls := slow.verified(nil)
	if calls < 4 || parts.Verified != whole.Verified || parts.kept() != whole.kept() || parts.First != nil {
		t.Errorf("%d calls: %+v, want %+v", calls, parts, whole)
	}
	var first verification
	slow.verify("root", nil).Into(t, &first)
	if first.Complete || first.Next == "" {
		t.Fatalf("%+v", first)
	}
	second := r.place.User(t, "root")
	second.ID, second.Username, second.Sub, second.Assignments = "second", "second", fixture.Sub("second"), nil
	r.place.AddUser(t, second, "administrator")
	for name, c := range map[string]struct {
		user  string
		query url.Values
	}{
		"another caller": {"second", url.Values{"cursor": {first.Next}}},
		"another query":  {"root", url.Values{"cursor": {first.Next}, "to": {"2026-04-01T00:00:00Z"}}},
		"one of nobody":  {"root", url.Values{"cursor": {first.Next[:len(first.Next)-2] + "AA"}}},
	} {
		if a := r.verify(c.user, c.query); a.Status != http.StatusBadRequest || !slices.Equal(a.Pointers(t), []string{"/cursor"}) {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
	}
}

// TestTheFunctionMayVerify with the rights alone that the template gives it.
func TestTheFunctionMayVerify(t *testing.T) {
	r := open(t)
	r.sealAll()
	root, err := template.Root()
	if err != nil {
		t.Fatal(err)
	}
	policies, err := iam.Read(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	local, err := url.Parse(aws.ToString(r.place.Config.BaseEndpoint))
	if err != nil {
		t.Fatal(err)
	}
	guard := httptest.NewServer(policies.Guard("TimelineFunction", httputil.NewSingleHostReverseProxy(local), func(err error) { t.Error(err) }))
	t.Cleanup(guard.Close)
	store := r.place.Open(func(cfg *aws.Config) { cfg.BaseEndpoint = &guard.URL })
	deps := r.place.Deps(t, nil)
	deps.Store = store
	guarded := room{t, store, r.place, endpoints.New(deps, store)}
	v, _ := guarded.verified(nil)
	if again, _ := guarded.verified(url.Values{"head": {v.kept()}}); again.First != nil || !*again.Kept || again.Verified != v.Verified || v.Verified == 0 {
		t.Errorf("%+v", again)
	}
}

func TestBadVerificationsAreNamed(t *testing.T) {
	r := open(t)
	hash := strings.Repeat("0a", 32)
	for query, want := range map[string][]string{
		"from=yesterday": {"/from"},
		"from=2026-03-02T12:00:00Z&to=2026-03-02T11:59:59Z": {"/to"},
		"head=" + hash:           {"/head"},
		"head=0." + hash:         {"/head"},
		"head=-1." + hash:        {"/head"},
		"head=7." + hash[1:]:     {"/head"},
		"head=7." + hash + "0":   {"/head"},
		"head=7.A" + hash[1:]:    {"/head"},
		"limit=5":                {"/limit"},
		"person=nurse&q=x":       {"/person", "/q"},
		"to=x&head=y&cursor=%0a": {"/cursor", "/head", "/to"},
	} {
		a := r.verify("root", mustQuery(t, query))
		if a.Status != http.StatusBadRequest || a.Problem(t) != "malformed" {
			t.Errorf("%s: %d %s", query, a.Status, a.Body)
			continue
		}
		got := a.Pointers(t)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: faults at %q, want %q", query, got, want)
		}
	}
}
