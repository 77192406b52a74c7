package dynamo_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
	"gemba/shared/timeline"
)

// beginning is a session of support as nurse, begun now.
func beginning(t *testing.T, place *fixture.Place, id string) impersonation.Beginning {
	t.Helper()
	c := place.Caller(t, "support", directory.Keys{Users: []string{"nurse"}})
	now := place.Clock.Now()
	return impersonation.Beginning{
		Session: impersonation.Session{
			ID: id, Organization: fixture.Organization, Actor: c.Actor.Named(), Subject: c.Users["nurse"].Named(), Mode: impersonation.Full,
			Started: now, Last: now, Idles: now.Add(5 * time.Minute), Ends: now.Add(time.Hour),
			Notice: impersonation.Mail{Organization: fixture.Organization, About: id, Kind: impersonation.NoticeMail, Status: impersonation.Queued, To: "nurse@riverside.example"},
		},
		Entry: c.Entry(timeline.Impersonation, "start", timeline.Target{Type: "impersonation", ID: id}),
		Proof: "sign-in of " + id, Basis: c.Basis(c.Users["nurse"]),
	}
}

// meddling is a store over the place whose calls' attempts go through the hook.
func meddling(place *fixture.Place, hook dynamotest.Hook) *dynamo.Store {
	return place.Open(func(cfg *aws.Config) {
		cfg.Retryer = dynamotest.Hasty
		cfg.APIOptions = append(cfg.APIOptions, dynamotest.InterceptAttempts(hook))
	})
}

// losing does what was asked for and loses the answer, once.
func losing(operation string) (dynamotest.Hook, *atomic.Int32) {
	calls := &atomic.Int32{}
	return func(called string, _ any, next func() (any, error)) (any, error) {
		if called != operation {
			return next()
		}
		answer, err := next()
		if calls.Add(1) == 1 && err == nil {
			return nil, dynamotest.Lost
		}
		return answer, err
	}, calls
}

func expectNil(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// notice names a session's notice, for an attempt.
func notice(session, attempt string) impersonation.Mail {
	return impersonation.Mail{Organization: fixture.Organization, About: session, Kind: impersonation.NoticeMail, Attempt: attempt}
}

func TestALostAnswerIsNoConflictOfASession(t *testing.T) {
	store, place := fixture.World(t)
	hook, calls := losing("TransactWriteItems")
	b := beginning(t, place, "x1")
	expectNil(t, meddling(place, hook).StartSession(t.Context(), b))
	if calls.Load() != 2 {
		t.Fatalf("started in %d attempts, want two", calls.Load())
	}

	hook, calls = losing("UpdateItem")
	place.Clock.Advance(time.Minute)
	now := place.Clock.Now()
	s, err := meddling(place, hook).TouchSession(t.Context(), fixture.Organization, "x1", "support", now, now.Add(5*time.Minute))
	if err != nil || !s.Last.Equal(now) || calls.Load() != 2 {
		t.Errorf("I4: touched as %+v, %v, in %d attempts", s, err, calls.Load())
	}

	hook, calls = losing("UpdateItem")
	n, err := meddling(place, hook).ClaimMail(t.Context(), notice("x1", "mine"), now)
	if err != nil || n.Status != impersonation.Sending || n.Attempt != "mine" || calls.Load() != 2 {
		t.Errorf("I8: claimed as %+v, %v, in %d attempts", n, err, calls.Load())
	}

	hook, calls = losing("UpdateItem")
	n.Status = impersonation.Sent
	if settled, err := meddling(place, hook).SettleMail(t.Context(), n); !settled || err != nil || calls.Load() != 2 {
		t.Errorf("I8: settled %t, %v, in %d attempts", settled, err, calls.Load())
	}

	hook, calls = losing("TransactWriteItems")
	s.Ended, s.Cause = now, impersonation.SignedOut
	if ended, err := meddling(place, hook).EndSession(t.Context(), s, b.Entry, directory.Basis{}); !ended || err != nil || calls.Load() != 2 {
		t.Errorf("I4: ended %t, %v, in %d attempts", ended, err, calls.Load())
	}
	kept, err := store.Session(t.Context(), fixture.Organization, "x1")
	if err != nil || kept.Cause != impersonation.SignedOut || kept.Notice.Status != impersonation.Sent {
		t.Errorf("kept as %+v, %v", kept, err)
	}
}

func TestAFailureIsNoAnswerAboutASession(t *testing.T) {
	_, place := fixture.World(t)
	down := meddling(place, func(string, any, func() (any, error)) (any, error) { return nil, errors.New("down") })
	ctx, o, now := t.Context(), fixture.Organization, place.Clock.Now()
	s := beginning(t, place, "x1").Session
	for name, call := range map[string]func() error{
		"start": func() error { return down.StartSession(ctx, beginning(t, place, "x1")) },
		"touch": func() error { _, err := down.TouchSession(ctx, o, "x1", "support", now, now); return err },
		"end": func() error {
			_, err := down.EndSession(ctx, s, timeline.Entry{At: now}, directory.Basis{})
			return err
		},
		"acting":  func() error { _, err := down.Acting(ctx, o, "support"); return err },
		"session": func() error { _, err := down.Session(ctx, o, "x1"); return err },
		"own sessions": func() error {
			_, _, err := down.Sessions(ctx, o, selection("", "nurse"), directory.Page{Limit: 1})
			return err
		},
		"all sessions": func() error {
			_, _, err := down.Sessions(ctx, o, selection("", ""), directory.Page{Limit: 1})
			return err
		},
		"attempts":       func() error { _, err := down.Attempts(ctx, o, "support"); return err },
		"put attempts":   func() error { return down.PutAttempts(ctx, o, "support", impersonation.Attempts{}) },
		"claim a notice": func() error { _, err := down.ClaimMail(ctx, notice("x1", "a"), now); return err },
		"settle":         func() error { _, err := down.SettleMail(ctx, s.Notice); return err },
	} {
		t.Run(name, func(t *testing.T) {
			if err := call(); !fault.Is(err, fault.Unavailable) {
				t.Errorf("got %v, want Unavailable", err)
			}
		})
	}
}

func selection(actor, person string) impersonation.Selection {
	return impersonation.Selection{Actor: actor, Person: person}
}

func TestAStartThatFailsLeavesNothing(t *testing.T) {
	store, place := fixture.World(t)
	first := beginning(t, place, "x1")
	expectNil(t, store.StartSession(t.Context(), first))
	second := beginning(t, place, "x2")
	if err := store.StartSession(t.Context(), second); fault.Of(err).Code != "already_impersonating" {
		t.Fatalf("I1: got %v", err)
	}
	if _, err := store.Session(t.Context(), fixture.Organization, "x2"); !fault.Is(err, fault.NotFound) {
		t.Errorf("T3: the session of a failed start: %v", err)
	}
	ended := first.Session
	ended.Ended, ended.Cause = place.Clock.Now(), impersonation.SignedOut
	if done, err := store.EndSession(t.Context(), ended, first.Entry, directory.Basis{}); !done || err != nil {
		t.Fatal(done, err)
	}
	reused := beginning(t, place, "x2")
	reused.Proof = first.Proof
	if err := store.StartSession(t.Context(), reused); fault.Of(err).Code != "reauthentication_needed" {
		t.Errorf("I2: a used sign-in: %v", err)
	}
	// The sign-in of the second start was not used up by its failure.
	expectNil(t, store.StartSession(t.Context(), second))
}

func TestAnEndIsWrittenOnce(t *testing.T) {
	store, place := fixture.World(t)
	b := beginning(t, place, "x1")
	expectNil(t, store.StartSession(t.Context(), b))
	now := place.Clock.Now().Add(time.Minute)
	_, err := store.TouchSession(t.Context(), fixture.Organization, "x1", "support", now, now.Add(5*time.Minute))
	expectNil(t, err)
	end := func(cause impersonation.Cause) bool {
		s := b.Session
		s.Ended, s.Cause = s.Idles, cause
		done, err := store.EndSession(t.Context(), s, b.Entry, directory.Basis{})
		expectNil(t, err)
		return done
	}
	if end(impersonation.Idle) {
		t.Error("I4: it idled out though it was touched after it was read")
	}
	if !end(impersonation.Revoked) || end(impersonation.SignedOut) {
		t.Error("I4: the first end does not stand alone")
	}
	s, err := store.Session(t.Context(), fixture.Organization, "x1")
	if err != nil || s.Cause != impersonation.Revoked {
		t.Errorf("I4: ended %q, %v", s.Cause, err)
	}
	touched, err := store.TouchSession(t.Context(), fixture.Organization, "x1", "support", now, now.Add(5*time.Minute))
	if err != nil || touched.Cause != impersonation.Revoked {
		t.Errorf("I5: touched after its end: %+v, %v", touched, err)
	}
}

func TestSettleMail(t *testing.T) {
	cases := []struct {
		name     string
		from, to impersonation.MailStatus
		attempt  string
		settles  bool
	}{
		{"I8 sent", impersonation.Sending, impersonation.Sent, "mine", true},
		{"I8 refused", impersonation.Sending, impersonation.Failed, "mine", true},
		{"I8 not taken", impersonation.Sending, impersonation.Queued, "mine", true},
		{"I8 another's", impersonation.Sending, impersonation.Sent, "other", false},
		{"I8 given up, but sent", impersonation.Unknown, impersonation.Sent, "mine", true},
		{"I8 given up is not queued again", impersonation.Unknown, impersonation.Queued, "mine", false},
		{"I8 sent is sent", impersonation.Sent, impersonation.Unknown, "mine", false},
		{"I8 again", impersonation.Sent, impersonation.Sent, "mine", true},
	}
	store, place := fixture.World(t)
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := beginning(t, place, fmt.Sprintf("x%d", i))
			b.Session.Actor.ID = fmt.Sprintf("actor%d", i)
			expectNil(t, store.StartSession(t.Context(), b))
			n, err := store.ClaimMail(t.Context(), notice(b.Session.ID, "mine"), place.Clock.Now())
			expectNil(t, err)
			if c.from != impersonation.Sending {
				n.Status = c.from
				if done, err := store.SettleMail(t.Context(), n); !done || err != nil {
					t.Fatal(done, err)
				}
			}
			n.Status, n.Attempt = c.to, c.attempt
			if done, err := store.SettleMail(t.Context(), n); done != c.settles || err != nil {
				t.Errorf("settled %t, %v; want %t", done, err, c.settles)
			}
			want := c.from
			if c.settles {
				want = c.to
			}
			s, err := store.Session(t.Context(), fixture.Organization, b.Session.ID)
			if err != nil || s.Notice.Status != want {
				t.Errorf("it is %s, %v; want %s", s.Notice.Status, err, want)
			}
		})
	}
}

func TestAttemptsAreReplacedByVersion(t *testing.T) {
	store, place := fixture.World(t)
	at := place.Clock.Now()
	put := func(version uint64) error {
		return store.PutAttempts(t.Context(), fixture.Organization, "support", impersonation.Attempts{Version: version, Recent: []impersonation.Attempt{{ID: "a", At: at}}})
	}
	expectNil(t, put(0))
	if err := put(0); !fault.IsRaced(err) {
		t.Errorf("I2: over a version that was not seen: %v", err)
	}
	expectNil(t, put(1))
	a, err := store.Attempts(t.Context(), fixture.Organization, "support")
	if err != nil || a.Version != 2 || len(a.Recent) != 1 || !a.Recent[0].At.Equal(at) {
		t.Errorf("I2: %+v, %v", a, err)
	}
}

// TestTheMarkExpiresAfterTheSession: what DynamoDB deletes by TTL before the
// session is over would be swept too early, and then never.
func TestTheMarkExpiresAfterTheSession(t *testing.T) {
	store, place := fixture.World(t)
	b := beginning(t, place, "x1")
	b.Session.Ends = b.Session.Started.Add(time.Hour + 999*time.Millisecond)
	expectNil(t, store.StartSession(t.Context(), b))
	out, err := place.Client().GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &place.Table, Key: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "A#" + fixture.Organization + "#support"}, "sk": &types.AttributeValueMemberS{Value: "ACTING"},
	}})
	expectNil(t, err)
	expires, ok := out.Item["expires"].(*types.AttributeValueMemberN)
	if !ok || expires.Value <= "1772445600" || expires.Value > "1772445602" { // 2026-03-02T10:00:00Z
		t.Errorf("I4: the mark expires at %v", out.Item["expires"])
	}
	texts := map[string]map[string]string{}
	for name, value := range out.Item {
		if text, ok := value.(*types.AttributeValueMemberS); ok {
			texts[name] = map[string]string{"S": text.Value}
		}
	}
	image, err := json.Marshal(texts)
	expectNil(t, err)
	if o, session, ok := dynamo.ActingIn(image); !ok || o != fixture.Organization || session != "x1" {
		t.Errorf("I4: in the stream it is %q, %q, %t", o, session, ok)
	}
	if _, _, ok := dynamo.NoticeIn(texts["pk"]["S"], texts["sk"]["S"]); ok {
		t.Error("a mark passes for a notice")
	}
}

// TestAnEndIsWrittenThoughTheMarkIsAnothers: TTL took the mark of a session whose
// end nobody wrote, and before the stream told of it the actor began another.
func TestAnEndIsWrittenThoughTheMarkIsAnothers(t *testing.T) {
	store, place := fixture.World(t)
	first, second := beginning(t, place, "x1"), beginning(t, place, "x2")
	expectNil(t, store.StartSession(t.Context(), first))
	_, err := place.Client().DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &place.Table, Key: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "A#" + fixture.Organization + "#support"}, "sk": &types.AttributeValueMemberS{Value: "ACTING"},
	}})
	expectNil(t, err)
	expectNil(t, store.StartSession(t.Context(), second))
	x := first.Session
	x.Ended, x.Cause = x.Idles, impersonation.Idle
	for _, want := range []bool{true, false} {
		if ended, err := store.EndSession(t.Context(), x, first.Entry, directory.Basis{}); ended != want || err != nil {
			t.Errorf("I4: the end is written: %t, %v, want %t", ended, err, want)
		}
	}
	if acting, err := store.Acting(t.Context(), fixture.Organization, "support"); acting.ID != "x2" || err != nil {
		t.Errorf("I1: the mark names %q, %v", acting.ID, err)
	}
}
