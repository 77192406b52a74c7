package endpoints_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"gemba/functions/notifier/endpoints"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
	"gemba/shared/ses"
)

// post speaks SES's protocol. It answers each mail with the next status, 200
// when none is left, and keeps to whom mails went and what was in them.
type post struct {
	mu       sync.Mutex
	statuses []int
	to       []string
	html     string
}

func (p *post) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var mail struct {
		Destination struct{ ToAddresses []string }
		Content     struct {
			Simple struct {
				Body struct{ Html struct{ Data string } }
			}
		}
	}
	body, _ := io.ReadAll(r.Body)
	_ = json.Unmarshal(body, &mail)
	status := http.StatusOK
	if len(p.statuses) > 0 {
		status, p.statuses = p.statuses[0], p.statuses[1:]
	}
	if status == http.StatusOK {
		p.to, p.html = append(p.to, mail.Destination.ToAddresses...), mail.Content.Simple.Body.Html.Data
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, `{"MessageId":"m"}`)
}

// world is the notifier over the fixture's organization.
type world struct {
	*fixture.Place
	store    *dynamo.Store
	post     *post
	log      *bytes.Buffer
	metrics  *bytes.Buffer
	function *endpoints.Function
	service  *impersonation.Service
}

// proven takes every password.
type proven struct{}

func (proven) Proof(context.Context, string, string, string) (bool, error) { return true, nil }

func open(t *testing.T) *world {
	t.Helper()
	store, place := fixture.World(t)
	w := &world{Place: place, store: store, post: &post{}, log: &bytes.Buffer{}, metrics: &bytes.Buffer{}}
	server := httptest.NewServer(w.post)
	t.Cleanup(server.Close)
	sender := ses.NewSender(aws.Config{Region: "eu-central-1", Credentials: place.Config.Credentials}, server.URL, "access@riverside.example")
	sessions := impersonation.NewSessions(store, impersonation.DefaultIdle)
	w.service = impersonation.NewService(store, sessions, proven{})
	w.function = endpoints.New(impersonation.NewNotifier(store, sessions, ses.Mailer[impersonation.Letter]{Sender: sender}), w.metrics, slog.New(slog.NewJSONHandler(w.log, nil)), place.Clock.Now)
	return w
}

func (w *world) start(t *testing.T, actor, subject string) string {
	t.Helper()
	c := w.Caller(t, actor, directory.Keys{Users: []string{subject}})
	s, err := w.service.Start(t.Context(), c, impersonation.Request{Subject: subject, Credentials: &impersonation.Credentials{Username: actor, Password: "p"}})
	if err != nil {
		t.Fatal(err)
	}
	return s.ID
}

func (w *world) session(t *testing.T, id string) impersonation.Session {
	t.Helper()
	s, err := w.store.Session(t.Context(), fixture.Organization, id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type object = map[string]any

// record is a stream's record of an item with these text attributes.
func record(event, sequence string, image map[string]string) object {
	attributes := object{"at": object{"N": "1"}}
	for name, value := range image {
		attributes[name] = object{"S": value}
	}
	change := object{
		"SequenceNumber": sequence, "StreamViewType": "NEW_AND_OLD_IMAGES",
		"Keys": object{"pk": object{"S": image["pk"]}, "sk": object{"S": image["sk"]}},
	}
	change[map[string]string{"INSERT": "NewImage", "REMOVE": "OldImage"}[event]] = attributes
	return object{"eventName": event, "eventSource": "aws:dynamodb", "dynamodb": change}
}

func noticed(sequence, session string) object {
	return record("INSERT", sequence, map[string]string{
		"pk": "X#" + fixture.Organization + "#" + session, "sk": "NOTICE", "organization": fixture.Organization, "session": session,
	})
}

func removed(sequence, actor, session string) object {
	return record("REMOVE", sequence, map[string]string{
		"pk": "A#" + fixture.Organization + "#" + actor, "sk": "ACTING", "organization": fixture.Organization, "session": session,
	})
}

// batch hands records over and is the ones that failed.
func (w *world) batch(t *testing.T, ctx context.Context, records ...object) []string {
	t.Helper()
	payload, err := json.Marshal(object{"Records": records})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := w.function.Invoke(ctx, payload)
	if err != nil {
		t.Fatal(err)
	}
	var answer events.DynamoDBEventResponse
	if err := json.Unmarshal(raw, &answer); err != nil {
		t.Fatal(err)
	}
	var failed []string
	for _, f := range answer.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed
}

func TestABatchIsHandledOnce(t *testing.T) {
	w := open(t)
	a, b := w.start(t, "support", "nurse"), w.start(t, "vendor", "doctor")
	for range 3 {
		failed := w.batch(t, t.Context(), noticed("1", a), noticed("2", b), noticed("3", "nothing"))
		if failed != nil {
			t.Fatalf("failed: %v", failed)
		}
	}
	if want := []string{"nurse@riverside.example"}; !slices.Equal(w.post.to, want) {
		t.Errorf("I8: mail went to %q, want %q", w.post.to, want)
	}
	if want := (impersonation.Mail{Actor: "Sam Support", Product: "KaiNexus"}).NoticeLetter().HTML; w.post.html != want {
		t.Errorf("I8: the mail says (-want +got):\n%s", cmp.Diff(want, w.post.html))
	}
	if s := w.session(t, a); s.Notice.Status != impersonation.Sent {
		t.Errorf("I8: the notice is %s", s.Notice.Status)
	}
	if s := w.session(t, b); s.Notice.Status != impersonation.NotRequired || s.Notice.Why != "internal_actor" {
		t.Errorf("I8: the notice of an internal actor is %s %s", s.Notice.Status, s.Notice.Why)
	}
	for _, secret := range []string{"nurse@riverside.example", "Sam Support"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("T5: the log tells %q:\n%s", secret, w.log)
		}
	}
}

func TestOnlyWhatFailedComesAgain(t *testing.T) {
	w := open(t)
	ids := []string{w.start(t, "support", "nurse"), w.start(t, "vendor", "coach")}
	w.AddUser(t, directory.User{
		ID: "second", Name: "Second", Username: "second", Type: w.User(t, "support").Type, Locations: []string{"hospital"},
		SignIn: directory.Enabled, Sub: fixture.Sub("second"),
	}, "support")
	ids = append(ids, w.start(t, "second", "doctor"))
	w.post.statuses = []int{http.StatusTooManyRequests}
	if failed := w.batch(t, t.Context(), noticed("1", ids[0]), noticed("2", ids[1]), noticed("3", ids[2])); !slices.Equal(failed, []string{"1"}) {
		t.Fatalf("I8: failed are %v, want the first, which SES did not take", failed)
	}
	if failed := w.batch(t, t.Context(), noticed("1", ids[0]), noticed("2", ids[1]), noticed("3", ids[2])); failed != nil {
		t.Fatalf("I8: failed again: %v", failed)
	}
	if want := []string{"doctor@riverside.example", "nurse@riverside.example"}; !slices.Equal(w.post.to, want) {
		t.Errorf("I8: mail went to %q, want each once: %q", w.post.to, want)
	}
}

func TestWhatBecomesOfANotice(t *testing.T) {
	w := open(t)
	cases := []struct {
		rule   string
		status int
		want   impersonation.MailStatus
	}{
		{"I8 SES refused for good", http.StatusBadRequest, impersonation.Failed},
		{"I8 nobody can tell", http.StatusInternalServerError, impersonation.Unknown},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			id := w.start(t, "support", "nurse")
			w.post.statuses = []int{c.status}
			for range 2 {
				if failed := w.batch(t, t.Context(), noticed("1", id)); failed != nil {
					t.Errorf("it is to come again: %v", failed)
				}
			}
			if s := w.session(t, id); s.Notice.Status != c.want || len(w.post.to) != 0 {
				t.Errorf("the notice is %s with %d mails, want %s with none", s.Notice.Status, len(w.post.to), c.want)
			}
			w.Clock.Advance(time.Hour)
		})
	}
}

func TestARemovedMarkEndsAForgottenSession(t *testing.T) {
	w := open(t)
	id := w.start(t, "support", "nurse")
	start := w.session(t, id).Started
	if failed := w.batch(t, t.Context(), removed("1", "support", id)); failed != nil || w.session(t, id).Cause != impersonation.NoCause {
		t.Fatalf("I4: a session under way was swept (%v)", failed)
	}
	w.Clock.Advance(48 * time.Hour)
	for range 2 {
		if failed := w.batch(t, t.Context(), removed("1", "support", id), removed("2", "support", "nothing")); failed != nil {
			t.Fatalf("failed: %v", failed)
		}
	}
	if s := w.session(t, id); s.Cause != impersonation.Idle || !s.Ended.Equal(start.Add(impersonation.DefaultIdle)) {
		t.Errorf("I4: ended %q at %s", s.Cause, s.Ended)
	}
}

func TestOtherRecordsArePassedOver(t *testing.T) {
	w := open(t)
	id := w.start(t, "support", "nurse")
	foreign := noticed("1", id)
	foreign["eventName"] = "MODIFY"
	records := []object{
		foreign,
		record("REMOVE", "2", map[string]string{"pk": "X#riverside#" + id, "sk": "NOTICE", "organization": "riverside", "session": id}),
		record("INSERT", "3", map[string]string{"pk": "A#riverside#support", "sk": "ACTING", "organization": "riverside", "session": id}),
		record("INSERT", "4", map[string]string{"pk": "X#riverside#" + id, "sk": "SESSION", "organization": "riverside", "session": id}),
		record("INSERT", "5", map[string]string{"pk": "K#riverside#nurse", "sk": "NOTICE", "organization": "riverside", "session": id}),
	}
	if failed := w.batch(t, t.Context(), records...); failed != nil || w.log.Len() != 0 {
		t.Errorf("failed %v, logged %s", failed, w.log)
	}
	if s := w.session(t, id); s.Notice.Status != impersonation.Queued || s.Cause != impersonation.NoCause {
		t.Errorf("the notice is %s", s.Notice.Status)
	}
}

func TestNoMailIsBegunWithoutTimeToRecordIt(t *testing.T) {
	w := open(t)
	id := w.start(t, "support", "nurse")
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Second)
	defer cancel()
	if failed := w.batch(t, ctx, noticed("1", id)); !slices.Equal(failed, []string{"1"}) {
		t.Errorf("I8: failed are %v", failed)
	}
	if s := w.session(t, id); s.Notice.Status != impersonation.Queued || len(w.post.to) != 0 {
		t.Errorf("I8: the notice is %s", s.Notice.Status)
	}
}

func TestWhatIsNoBatchComesAgain(t *testing.T) {
	w := open(t)
	if _, err := w.function.Invoke(t.Context(), []byte(`{"Records":[`)); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
	if failed := w.batch(t, t.Context()); failed != nil {
		t.Errorf("an empty batch failed: %v", failed)
	}
}
