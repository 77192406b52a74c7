package endpoints_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
	"gemba/shared/timeline"
)

// out signs an actor out of a session.
func (w *world) out(t *testing.T, actor, session string) {
	t.Helper()
	if _, err := w.service.End(t.Context(), w.Caller(t, actor, directory.Keys{}), session); err != nil {
		t.Fatal(err)
	}
}

// set changes the organization's settings.
func (w *world) set(t *testing.T, change func(*directory.Settings)) {
	t.Helper()
	c := w.Caller(t, "root", directory.Keys{})
	wanted := c.Organization
	change(&wanted.Settings)
	if _, err := directory.NewOrganizations(w.store).Put(t.Context(), c, wanted, directory.Precondition{Match: true, Version: wanted.Version}); err != nil {
		t.Fatal(err)
	}
}

// The stream's own record of an end, each attribute as it is stored, asks for one
// receipt, and the mail tells what the timeline has of the session.
func TestAnEndAsksForAReceipt(t *testing.T) {
	w := open(t)
	id := w.start(t, "support", "nurse")
	acting := w.Caller(t, "nurse", directory.Keys{Users: []string{"support", "doctor"}})
	acting.Actor, acting.Session = acting.Users["support"], id
	for denied := range 2 {
		e := acting.Entry(timeline.Persona, "change", timeline.Target{Type: "user", ID: "doctor"})
		e.Before, e.After, e.Denied = timeline.Values{"persona": "frontline"}, timeline.Values{"persona": "leader"}, denied == 1
		if err := w.store.Record(t.Context(), fixture.Organization, e); err != nil {
			t.Fatal(err)
		}
	}
	w.out(t, "support", id)
	records := w.entries(t)
	for range 3 {
		if failed := w.batch(t, t.Context(), records...); failed != nil {
			t.Fatalf("failed: %v", failed)
		}
	}
	if want := []string{"nurse@riverside.example"}; !slices.Equal(w.post.to, want) {
		t.Errorf("I8: mail went to %q, want %q", w.post.to, want)
	}
	for _, told := range []string{"09:00 UTC: The persona of &#34;doctor&#34; changed from frontline to leader.", "One attempt was refused", "Sam Support signed out.", id} {
		if !strings.Contains(w.post.html, told) {
			t.Errorf("I7: the receipt does not tell %q: %s", told, w.post.html)
		}
	}
	if got := w.session(t, id).Receipt; got.Status != impersonation.Sent {
		t.Errorf("I8: the receipt is %s", got.Status)
	}
	for _, secret := range []string{"nurse@riverside.example", "Sam Support", "doctor"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("T5: the log tells %q:\n%s", secret, w.log)
		}
	}
}

// entries are the stream's records of all entries about impersonations, as the
// template's filter lets them through.
func (w *world) entries(t *testing.T) []object {
	t.Helper()
	out, err := w.Client().Query(t.Context(), &dynamodb.QueryInput{
		TableName: &w.Table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("pk = :t"), FilterExpression: aws.String("#t = :i"),
		ExpressionAttributeNames: map[string]string{"#t": "type"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":t": &types.AttributeValueMemberS{Value: "T#" + fixture.Organization + "#2026-03"}, ":i": &types.AttributeValueMemberS{Value: "impersonation"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var records []object
	for i, item := range out.Items {
		image := dynamotest.Image(item)
		records = append(records, object{"eventName": "INSERT", "dynamodb": object{
			"SequenceNumber": fmt.Sprint(i + 1), "Keys": object{"pk": image["pk"], "sk": image["sk"]}, "NewImage": image,
		}})
	}
	if len(records) == 0 {
		t.Fatal("there are no entries")
	}
	return records
}

// A receipt is under the notice's rule and the setting of the start, and the session
// says why there is none (I8).
func TestWhoGetsAReceipt(t *testing.T) {
	w := open(t)
	without := w.User(t, "doctor")
	without.ID, without.Name, without.Username, without.Email, without.Sub, without.Assignments = "silent", "Silent", "silent", "", fixture.Sub("silent"), nil
	w.AddUser(t, without)
	cases := []struct {
		rule, actor, subject string
		off                  bool
		status               impersonation.MailStatus
		why                  string
	}{
		{"I8 the subject gets one", "support", "nurse", false, impersonation.Sent, ""},
		{"I8 not of an internal actor", "vendor", "nurse", false, impersonation.NotRequired, "internal_actor"},
		{"I8 not without an address", "support", "silent", false, impersonation.NotRequired, "no_email"},
		{"I8 not when it is switched off", "support", "nurse", true, impersonation.NotRequired, "switched_off"},
		{"I8 internal says more than switched off", "vendor", "nurse", true, impersonation.NotRequired, "internal_actor"},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			w.Clock.Advance(time.Hour)
			w.set(t, func(s *directory.Settings) { s.Impersonation.Receipt = !c.off; s.ProductName += "'" })
			id := w.start(t, c.actor, c.subject)
			// What changes meanwhile counts for the next session.
			w.set(t, func(s *directory.Settings) { s.Impersonation.Receipt = c.off; s.ProductName += "'" })
			if failed := w.batch(t, t.Context(), ended("1", id)); failed != nil || w.session(t, id).Receipt.Status != impersonation.NoMail {
				t.Errorf("a session that lasts has a receipt")
			}
			w.out(t, c.actor, id)
			w.post.to = nil
			for range 2 {
				if failed := w.batch(t, t.Context(), ended("1", id)); failed != nil {
					t.Errorf("failed: %v", failed)
				}
			}
			got := w.session(t, id).Receipt
			if got.Status != c.status || got.Why != c.why {
				t.Errorf("the receipt is %s %s, want %s %s", got.Status, got.Why, c.status, c.why)
			}
			if want := map[bool]int{true: 1}[c.status == impersonation.Sent]; len(w.post.to) != want {
				t.Errorf("%d mails, want %d", len(w.post.to), want)
			}
		})
	}
}

// The sweep gives a session that is over the receipt that nobody asked for, and does
// not hand it over.
func TestASweepOwesTheReceipt(t *testing.T) {
	w := open(t)
	signedOut := w.start(t, "support", "nurse")
	w.out(t, "support", signedOut)
	internal := w.start(t, "vendor", "nurse")
	w.out(t, "vendor", internal)
	forgotten := w.start(t, "support", "doctor")
	sweep := func(session string) impersonation.Mail {
		if failed := w.batch(t, t.Context(), removed("1", "support", session)); failed != nil {
			t.Errorf("failed: %v", failed)
		}
		return w.session(t, session).Receipt
	}
	if got := sweep(forgotten); got.Status != impersonation.NoMail {
		t.Errorf("a session that lasts has a receipt: %s", got.Status)
	}
	w.Clock.Advance(24 * time.Hour)
	for session, want := range map[string]impersonation.MailStatus{signedOut: impersonation.Queued, internal: impersonation.NotRequired, forgotten: impersonation.Queued} {
		if got := sweep(session); got.Status != want {
			t.Errorf("I8: the receipt is %q, want %s", got.Status, want)
		}
	}
	for range 2 {
		if failed := w.batch(t, t.Context(), ended("1", forgotten)); failed != nil {
			t.Errorf("failed: %v", failed)
		}
	}
	if got := sweep(forgotten); got.Status != impersonation.Sent || !slices.Equal(w.post.to, []string{"doctor@riverside.example"}) {
		t.Errorf("I8: the receipt is %s, mail went to %v", got.Status, w.post.to)
	}
}

// A receipt is five requests, and a record that comes again is one.
func TestAReceiptCostsFiveRequests(t *testing.T) {
	s := newScene(t)
	_, record := s.owed(t, impersonation.ReceiptMail)
	first := map[string]int{"BatchGetItem": 1, "TransactWriteItems": 1, "Query": 1, "UpdateItem": 2, "SendEmail": 1}
	for _, want := range []map[string]int{first, {"BatchGetItem": 1}} {
		s.sender.calls, s.sender.units = map[string]int{}, 0
		if s.give(t, record) {
			t.Fatal("it failed")
		}
		if !maps.Equal(s.sender.calls, want) {
			t.Errorf("the calls are %v, want %v", s.sender.calls, want)
		}
		t.Logf("%v, %.1f units", s.sender.calls, s.sender.units)
	}
}

// Entries of impersonations that are no end, ends that were denied, and ends of
// sessions that are not there ask for nothing.
func TestWhatAsksForNoReceipt(t *testing.T) {
	w := open(t)
	id := w.start(t, "support", "nurse")
	w.out(t, "support", id)
	entry := func(change func(map[string]any)) object {
		e := ended("1", id)
		change(e["dynamodb"].(object)["NewImage"].(object))
		return e
	}
	for name, e := range map[string]object{
		"a start":            entry(func(i map[string]any) { i["action"] = object{"S": "start"} }),
		"a denied end":       entry(func(i map[string]any) { i["denied"] = object{"BOOL": true} }),
		"no session":         entry(func(i map[string]any) { i["targetId"] = object{"S": "nothing"} }),
		"another type":       entry(func(i map[string]any) { i["type"] = object{"S": "persona"} }),
		"a person's copy":    entry(func(i map[string]any) { i["pk"] = object{"S": "TP#riverside#nurse"} }),
		"what is no image":   {"eventName": "INSERT", "dynamodb": object{"SequenceNumber": "1", "NewImage": "x"}},
		"what has no image":  {"eventName": "INSERT", "dynamodb": object{"SequenceNumber": "1"}},
		"an entry's removal": func() object { e := maps.Clone(ended("1", id)); e["eventName"] = "REMOVE"; return e }(),
	} {
		if failed := w.batch(t, t.Context(), e); failed != nil {
			t.Errorf("%s failed: %v", name, failed)
		}
		if got := w.session(t, id).Receipt.Status; got != impersonation.NoMail {
			t.Errorf("%s asked for a receipt: %s", name, got)
		}
	}
}

// However the stream cuts, orders and repeats its batches, and however many
// functions work on them at once, each mail goes out once (I8).
func TestBatchesInAnyForm(t *testing.T) {
	w := open(t)
	dice := rand.New(rand.NewPCG(1, 2)) // they fall the same way each time
	for round := range 6 {
		w.Clock.Advance(time.Hour)
		var sessions []string
		var records []object
		for range 3 {
			id := w.start(t, "support", "nurse")
			w.out(t, "support", id)
			sessions = append(sessions, id)
			records = append(records, noticed("n"+id, id), ended("r"+id, id), removed("m"+id, "support", id))
		}
		records = append(records, records...)
		records = append(records, records[:dice.IntN(len(records))]...)
		dice.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		w.post.mu.Lock()
		w.post.to, w.post.statuses = nil, slices.Repeat([]int{http.StatusTooManyRequests}, dice.IntN(4))
		w.post.mu.Unlock()
		w.deal(t, dice, records)
		if len(w.post.to) > 6 {
			t.Errorf("I8 round %d: %d mails for three sessions", round, len(w.post.to))
		}
		unknown := 0
		for _, id := range sessions {
			s := w.session(t, id)
			for _, m := range []impersonation.Mail{s.Notice, s.Receipt} {
				switch m.Status {
				case impersonation.Sent:
				case impersonation.Unknown: // refused for now, while another function gave it up
					unknown++
				default:
					t.Errorf("I8 round %d: the %s is %s", round, m.Kind, m.Status)
				}
			}
		}
		if len(w.post.to)+unknown != 6 {
			t.Errorf("I8 round %d: %d mails, %d unknown, of six", round, len(w.post.to), unknown)
		}
	}
}

// deal gives records to three functions at once, in batches of any size, and gives
// again what fails until nothing does.
func (w *world) deal(t *testing.T, dice *rand.Rand, records []object) {
	t.Helper()
	for len(records) > 0 {
		var batches [][]object
		for rest := records; len(rest) > 0; {
			n := 1 + dice.IntN(min(5, len(rest)))
			batches, rest = append(batches, rest[:n]), rest[n:]
		}
		var (
			mu     sync.Mutex
			again  []object
			group  sync.WaitGroup
			hands  = make(chan struct{}, 3)
			failed = func(batch []object, sequences []string) {
				mu.Lock()
				defer mu.Unlock()
				for _, r := range batch {
					if slices.Contains(sequences, r["dynamodb"].(object)["SequenceNumber"].(string)) {
						again = append(again, r)
					}
				}
			}
		)
		for _, batch := range batches {
			hands <- struct{}{}
			group.Go(func() {
				failed(batch, w.batch(t, t.Context(), batch...))
				<-hands
			})
		}
		group.Wait()
		records = again
	}
}

// No session is without its notice (I8): whatever becomes of the transaction that
// starts one, session, notice, acting mark and entry are all there or none is.
func TestNoSessionWithoutItsNotice(t *testing.T) {
	broken := errors.New("broken")
	conflict := &types.TransactionCanceledException{CancellationReasons: []types.CancellationReason{{Code: aws.String("TransactionConflict")}}}
	cases := []struct {
		name string
		call func(tries int, next func() (any, error)) (any, error)
		// there is how many sessions there are then; refused, that the start says no.
		there   int
		refused bool
	}{
		{"it fails before", func(int, func() (any, error)) (any, error) { return nil, broken }, 0, true},
		{"its answer is lost", func(_ int, next func() (any, error)) (any, error) { _, _ = next(); return nil, broken }, 1, true},
		{"it conflicts, then goes", func(tries int, next func() (any, error)) (any, error) {
			if tries < 3 {
				return nil, conflict
			}
			return next()
		}, 1, false},
		{"it conflicts for ever", func(int, func() (any, error)) (any, error) { return nil, conflict }, 0, true},
		{"it throttles, then goes", func(tries int, next func() (any, error)) (any, error) {
			if tries < 2 {
				return nil, &types.TransactionCanceledException{CancellationReasons: []types.CancellationReason{{Code: aws.String("None")}, {Code: aws.String("ThrottlingError")}}}
			}
			return next()
		}, 1, false},
		{"it is done, and conflicts as its answer is lost", func(tries int, next func() (any, error)) (any, error) {
			out, err := next()
			if tries == 1 {
				return nil, conflict
			}
			return out, err
		}, 1, false},
		{"it dies before", func(int, func() (any, error)) (any, error) { panic(death{}) }, 0, true},
		{"it dies after", func(_ int, next func() (any, error)) (any, error) { _, _ = next(); panic(death{}) }, 1, true},
		{"somebody else starts meanwhile", nil, 1, true},
		{"the subject changes meanwhile", nil, 0, true},
	}
	for _, c := range cases {
		t.Run("I8 "+c.name, func(t *testing.T) {
			w := open(t)
			caller := w.Caller(t, "support", directory.Keys{Users: []string{"nurse"}})
			switch c.name {
			case "somebody else starts meanwhile":
				c.call = func(_ int, next func() (any, error)) (any, error) { w.start(t, "support", "doctor"); return next() }
			case "the subject changes meanwhile":
				c.call = func(_ int, next func() (any, error)) (any, error) { w.retire(t, "nurse"); return next() }
			}
			tries := 0
			store := w.Open(func(cfg *aws.Config) {
				cfg.APIOptions = append(cfg.APIOptions, dynamotest.Intercept(func(_ string, input any, next func() (any, error)) (any, error) {
					if !begins(input) {
						return next()
					}
					tries++
					return c.call(tries, next)
				}))
			})
			service := impersonation.NewService(store, impersonation.NewSessions(store, impersonation.DefaultIdle), proven{})
			refused := fails(t.Context(), func(ctx context.Context) error {
				_, err := service.Start(ctx, caller, impersonation.Request{Subject: "nurse", Credentials: &impersonation.Credentials{Username: "support", Password: "p"}})
				return err
			})
			if tries == 0 {
				t.Error("nothing was started")
			}
			if refused != c.refused {
				t.Errorf("the start was refused: %t", refused)
			}
			w.whole(t, c.there)
		})
	}
}

// begins tells whether a call is the transaction that starts a session.
func begins(input any) bool {
	t, ok := input.(*dynamodb.TransactWriteItemsInput)
	return ok && slices.ContainsFunc(t.TransactItems, func(i types.TransactWriteItem) bool {
		return i.Put != nil && imagedKeys(i.Put.Item)[1] == "SESSION"
	})
}

// fails tells whether something fails, or its process dies.
func fails(ctx context.Context, do func(context.Context) error) (failed bool) {
	defer func() {
		if died := recover(); died != nil {
			if _, ours := died.(death); !ours {
				panic(died)
			}
			failed = true
		}
	}()
	return do(ctx) != nil
}

// whole holds the table to so many sessions, with all that belongs to each.
func (w *world) whole(t *testing.T, sessions int) {
	t.Helper()
	out, err := w.Client().Scan(t.Context(), &dynamodb.ScanInput{TableName: &w.Table, ConsistentRead: aws.Bool(true)})
	if err != nil || len(out.LastEvaluatedKey) > 0 {
		t.Fatalf("not the whole table: %v", err)
	}
	got := map[string]int{}
	for _, item := range out.Items {
		image := imagedKeys(item)
		kind, _, _ := strings.Cut(image[0], "#")
		switch {
		case kind == "X" || kind == "A":
			got[image[1]]++
		case kind == "U" && strings.HasPrefix(image[1], "ACTED"):
			got["listed"]++
		case kind == "T" && image[2] == "impersonation" && image[3] == "start" && item["denied"] == nil:
			got["entry"]++
		}
	}
	want := map[string]int{}
	if sessions > 0 {
		want = map[string]int{"SESSION": sessions, "NOTICE": sessions, "ACTING": sessions, "listed": 2 * sessions, "entry": sessions}
	}
	if !maps.Equal(got, want) {
		t.Errorf("I8: there are %v, want %v", got, want)
	}
}

// imagedKeys are an item's keys, type and action.
func imagedKeys(item map[string]types.AttributeValue) [4]string {
	var out [4]string
	for i, name := range []string{"pk", "sk", "type", "action"} {
		if v, ok := item[name].(*types.AttributeValueMemberS); ok {
			out[i] = v.Value
		}
	}
	return out
}

// retire makes a user inactive.
func (w *world) retire(t *testing.T, id string) {
	t.Helper()
	c := w.Caller(t, "root", directory.Keys{Users: []string{id}})
	after := c.Users[id]
	after.Type, after.Version = authz.Inactive, after.Version+1
	err := w.store.PutUser(t.Context(), c.Basis(c.Users[id]), directory.UserChange{
		Before: c.Users[id], After: after, Entry: c.Entry(timeline.User, "edit", timeline.Target{Type: "user", ID: id}),
	})
	if err != nil && !fault.IsRaced(err) { // a repeat finds it done
		t.Fatal(err)
	}
}
