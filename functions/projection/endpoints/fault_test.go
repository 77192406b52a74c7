package endpoints_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"gemba/infra/iam"
	"gemba/infra/local/template"
	"gemba/shared/authz"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
)

// failing makes the n-th call of a store fail, with what was asked for done or
// not, and counts the calls.
func failing(n int, done bool, calls *int) func(*aws.Config) {
	var mu sync.Mutex
	return func(cfg *aws.Config) {
		cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
		cfg.APIOptions = append(cfg.APIOptions, dynamotest.Intercept(func(_ string, _ any, next func() (any, error)) (any, error) {
			mu.Lock()
			*calls++
			fails := *calls == n
			mu.Unlock()
			if !fails {
				return next()
			}
			if done {
				_, _ = next()
			}
			return nil, errors.New("the power went")
		}))
	}
}

// TestItDiesAtAnyCall: whichever call is the last, done or not, the batch that
// comes again makes all of it right. A call for a mark that fails once is made
// again, for each half of the users, in the same batch.
func TestItDiesAtAnyCall(t *testing.T) {
	w := noted(t)
	most, again := 0, 0
	for n := 1; ; n++ {
		calls := 0
		for _, done := range []bool{false, true} {
			who := fmt.Sprintf("dies-%d-%v", n, done)
			w.put(t, who, authz.New, "director", "local")
			w.put(t, "taken", []authz.Status{authz.Draft, authz.Active}[n%2], "service")
			records := []object{w.ofMark("nurse", w.today()), w.ofMark("root", w.today()), w.ofItem("INSERT", who), w.ofItem("MODIFY", "taken")}
			calls = 0
			dying := w.quiet(w.Open(failing(n, done, &calls)))
			failed, err := invoke(t.Context(), dying, records...)
			if err != nil {
				t.Fatal(err)
			}
			again += len(failed)
			w.deliver(t, records...)
			w.isExact(t)
			if w.engaged(t, "nurse").seen != w.today() {
				t.Errorf("call %d, done %v: the day is not noted", n, done)
			}
			w.remove(t, who)
			w.deliver(t, w.ofItem("REMOVE", who))
			w.Clock.Advance(24 * time.Hour)
		}
		if calls < n {
			break
		}
		most = n
	}
	if most < 6 || again == 0 {
		t.Errorf("%d calls were walked, and %d records came again", most, again)
	}
}

// TestTheFunctionMayWhatItDoes with the rights alone that the template gives it.
func TestTheFunctionMayWhatItDoes(t *testing.T) {
	root, err := template.Root()
	if err != nil {
		t.Fatal(err)
	}
	policies, err := iam.Read(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	w := open(t)
	local, err := url.Parse(aws.ToString(w.Config.BaseEndpoint))
	if err != nil {
		t.Fatal(err)
	}
	guard := httptest.NewServer(policies.Guard("ProjectionFunction", httputil.NewSingleHostReverseProxy(local), func(err error) { t.Error(err) }))
	t.Cleanup(guard.Close)
	w.function = w.over(w.Open(func(cfg *aws.Config) { cfg.BaseEndpoint = &guard.URL }))
	for _, id := range []string{"icu-idea", "icu-new", "ward-project", "ward-private", "clinic-incident"} {
		w.deliver(t, w.ofItem("INSERT", id))
	}
	w.remove(t, "icu-idea")
	w.remove(t, "icu-new")
	w.deliver(t, w.ofItem("REMOVE", "icu-idea"), w.ofItem("REMOVE", "icu-new"), w.ofMark("nurse", w.today()))
	w.isExact(t)
	records := w.ofEntries(t)
	w.deliver(t, records[:3]...)
	w.deliver(t, records...)
	if walk := w.verified(t); walk.Verified != len(records) {
		t.Errorf("T2 %d of %d entries are sealed", walk.Verified, len(records))
	}
}

// costs is what a function asks of DynamoDB for some records: calls, and the
// actions of transactions, each of which is billed as two writes of a kilobyte.
func (w *world) costs(t testing.TB, records ...object) (calls, actions int) {
	t.Helper()
	store := w.Open(failing(0, false, &calls), func(cfg *aws.Config) {
		cfg.APIOptions = append(cfg.APIOptions, dynamotest.Intercept(func(_ string, input any, next func() (any, error)) (any, error) {
			if write, ok := input.(*dynamodb.TransactWriteItemsInput); ok {
				actions += len(write.TransactItems)
			}
			return next()
		}))
	})
	if failed, err := invoke(t.Context(), w.over(store), records...); err != nil || failed != nil {
		t.Fatalf("failed are %v, %v", failed, err)
	}
	return calls, actions
}

// TestWhatItCosts: a user is two writes, with the copy in the directory, and a set
// of locations one, whatever the number of its people in the transaction.
func TestWhatItCosts(t *testing.T) {
	w := noted(t)
	day := w.today()
	ward := w.ofItem("MODIFY", "ward-project")
	w.put(t, "first", authz.New, "director")
	w.put(t, "second", authz.New, "director")
	for _, c := range []struct {
		name           string
		records        []object
		calls, actions int
	}{
		{"a mark", []object{w.ofMark("nurse", day)}, 2, 3},
		{"a mark that comes again", []object{w.ofMark("nurse", day)}, 1, 0},
		{"three marks of two sets", []object{w.ofMark("lead", day), w.ofMark("coach", day), w.ofMark("director", day)}, 2, 8},
		{"a change of an item, and none of its team", []object{ward}, 2, 0},
		{"a first team: its place, number, item, user and set", []object{w.ofItem("INSERT", "first")}, 4, 6},
		{"another team", []object{w.ofItem("INSERT", "second")}, 4, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			if calls, actions := w.costs(t, c.records...); calls != c.calls || actions != c.actions {
				t.Errorf("%d calls, %d actions; want %d and %d", calls, actions, c.calls, c.actions)
			}
		})
	}
	store := w.Open()
	for _, want := range []float64{1, 0} { // a refusal is billed as well, but tells no units
		ctx, spent := store.Spending(t.Context())
		if err := store.MarkSeen(ctx, fixture.Organization, "doctor", day); err != nil || spent() != want {
			t.Errorf("a mark costs %v units, want %v (%v)", spent(), want, err)
		}
	}
}
