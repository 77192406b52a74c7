package endpoints_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"gemba/functions/notifier/endpoints"
	"gemba/shared/directory"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
	"gemba/shared/ses"
)

// This file kills the sender at each point of its way (I8), and looks what comes
// of the mail.

var update = flag.Bool("update", false, "write the golden files anew")

// step is a call that a sender makes on its way.
type step string

// The steps, in their order. A notice is in the outbox already, so only a receipt
// has the first two.
const (
	queue  step = "queue"
	read   step = "read"
	claim  step = "claim"
	over   step = "hand over"
	settle step = "record"
)

// point is where a sender is hindered: at a step, before it, after it, or in that
// its answer is lost, to the first try or to all.
type point struct {
	step step
	how  how
}

type how string

const (
	before   how = "dies before"
	after    how = "dies after"
	lateIn   how = "has no time left before"
	lateOut  how = "has no time left after"
	lostOnce how = "answer lost once"
	lostAll  how = "all answers lost"
)

// said is what SES does with the first mail it is handed; it takes all others.
type said struct {
	words string
	takes bool
	// status is that of the answer, 0 for none.
	status int
	code   string
}

var saids = []said{
	{"takes it", true, 200, ""},
	{"refuses for good", false, 400, "MessageRejected"},
	{"refuses for now", false, 400, "SendingPausedException"},
	{"throttles", false, 429, "TooManyRequestsException"},
	{"is silent, has it", true, 0, ""},
	{"is silent, has it not", false, 0, ""},
}

// mailbox is SES, which counts what it took.
type mailbox struct {
	mu    sync.Mutex
	says  *said
	taken int
}

func (m *mailbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, _ = io.Copy(io.Discard, r.Body)
	says := saids[0]
	if m.says != nil {
		says, m.says = *m.says, nil
	}
	if says.takes {
		m.taken++
	}
	if says.status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("X-Amzn-ErrorType", says.code)
	w.WriteHeader(says.status)
	_, _ = io.WriteString(w, `{"MessageId":"m"}`)
}

// begin forgets the mails that it took, and says this to the next.
func (m *mailbox) begin(says said) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.taken, m.says = 0, &says
}

func (m *mailbox) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.taken
}

// death is what a process that dies does in a test: nothing that it would have done
// after it happens.
type death struct{}

// process is one sender, with a hindrance that happens once.
type process struct {
	mu      sync.Mutex
	hinders *point
	at      step
	// stops ends the time that the invocation has.
	stops func()
	// calls are those that were made, and units what they took.
	calls map[string]int
	units float64
}

// meets is whether the hindrance is here.
func (p *process) meets(at step, h how) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hinders == nil || *p.hinders != (point{at, h}) {
		return false
	}
	if h != lostAll {
		p.hinders = nil
	}
	return true
}

// stepOf is the step that a call is; "" for any other.
func stepOf(operation string, input any) step {
	switch operation {
	case "TransactWriteItems":
		return queue
	case "Query":
		return read
	case "SendEmail":
		return over
	case "UpdateItem":
		for _, name := range input.(*dynamodb.UpdateItemInput).ExpressionAttributeNames {
			if name == "since" { // only a claim says since when
				return claim
			}
		}
		return settle
	}
	return ""
}

// call stands in the way of whole calls.
func (p *process) call(operation string, input any, next func() (any, error)) (any, error) {
	at := stepOf(operation, input)
	if p.meets(at, before) {
		panic(death{})
	}
	if p.meets(at, lateIn) {
		p.stops()
	}
	p.mu.Lock()
	p.at = at
	p.mu.Unlock()
	out, err := next()
	p.counted(operation, out)
	if p.meets(at, after) {
		panic(death{})
	}
	if p.meets(at, lateOut) {
		p.stops()
	}
	return out, err
}

// counted counts a call and what it took.
func (p *process) counted(operation string, out any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calls == nil {
		return
	}
	p.calls[operation]++
	switch out := out.(type) {
	case *dynamodb.BatchGetItemOutput:
		p.units += units(out.ConsumedCapacity...)
	case *dynamodb.TransactWriteItemsOutput:
		p.units += units(out.ConsumedCapacity...)
	case *dynamodb.QueryOutput:
		p.units += units(*out.ConsumedCapacity)
	case *dynamodb.UpdateItemOutput:
		p.units += units(*out.ConsumedCapacity)
	}
}

func units(of ...types.ConsumedCapacity) (sum float64) {
	for _, c := range of {
		sum += aws.ToFloat64(c.CapacityUnits)
	}
	return sum
}

// attempt stands in the way of the tries of a call.
func (p *process) attempt(_ string, _ any, next func() (any, error)) (any, error) {
	out, err := next()
	p.mu.Lock()
	at := p.at
	p.mu.Unlock()
	if p.meets(at, lostOnce) || p.meets(at, lostAll) {
		return nil, dynamotest.Lost
	}
	return out, err
}

// scene is a world with senders that can be hindered.
type scene struct {
	*world
	box    *mailbox
	sender *process
	stream *endpoints.Function
	actor  directory.Caller
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{world: open(t), box: &mailbox{}, sender: &process{}}
	server := httptest.NewServer(s.box)
	t.Cleanup(server.Close)
	hindered := func(cfg *aws.Config) {
		cfg.Retryer = dynamotest.Hasty
		cfg.APIOptions = append(cfg.APIOptions, dynamotest.Intercept(s.sender.call), dynamotest.InterceptAttempts(s.sender.attempt))
	}
	store := s.Open(hindered)
	mail := aws.Config{Region: "eu-central-1", Credentials: s.Config.Credentials}
	hindered(&mail)
	sender := ses.NewSender(mail, server.URL, "access@riverside.example")
	sessions := impersonation.NewSessions(store, impersonation.DefaultIdle)
	s.stream = endpoints.New(impersonation.NewNotifier(store, sessions, ses.Mailer[impersonation.Letter]{Sender: sender}),
		io.Discard, slog.New(slog.DiscardHandler), s.Clock.Now)
	s.actor = s.Caller(t, "support", directory.Keys{Users: []string{"nurse"}})
	return s
}

// now is the actor at the time of the clock.
func (s *scene) now() directory.Caller {
	c := s.actor
	c.At = s.Clock.Now()
	return c
}

// give hands the stream's record over, and tells whether the stream gives it
// again: it failed, or its process died.
func (s *scene) give(t *testing.T, record object) (again bool) {
	t.Helper()
	payload, err := json.Marshal(object{"Records": []object{record}})
	if err != nil {
		t.Error(err)
	}
	defer func() {
		if died := recover(); died != nil {
			if _, ours := died.(death); !ours {
				panic(died)
			}
			again = true
		}
	}()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if s.sender.hinders != nil {
		s.sender.stops = stop
	}
	answer, err := s.stream.Invoke(ctx, payload)
	if err != nil {
		t.Error(err)
	}
	return string(answer) != `{"batchItemFailures":[]}`
}

// owed is a session that owes a mail of this kind, and the record that asks for it.
func (s *scene) owed(t *testing.T, kind impersonation.MailKind) (session string, asks object) {
	t.Helper()
	started, err := s.service.Start(t.Context(), s.now(), impersonation.Request{
		Subject: "nurse", Credentials: &impersonation.Credentials{Username: "support", Password: "p"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if kind == impersonation.NoticeMail {
		return started.ID, noticed("1", started.ID)
	}
	if _, err := s.service.End(t.Context(), s.now(), started.ID); err != nil {
		t.Fatal(err)
	}
	return started.ID, ended("1", started.ID)
}

// ended is the record of the entry that tells of a session's end.
func ended(sequence, session string) object {
	return record("INSERT", sequence, map[string]string{
		"pk": "T#" + fixture.Organization + "#2026-03", "sk": "01KJPTEB00" + session[10:], "type": "impersonation", "action": "end",
		"targetType": "impersonation", "targetId": session, "session": session,
	})
}

// mail is the session's mail of this kind.
func (w *world) mail(t *testing.T, session string, kind impersonation.MailKind) impersonation.Mail {
	t.Helper()
	s := w.session(t, session)
	if kind == impersonation.ReceiptMail {
		return s.Receipt
	}
	return s.Notice
}

// then is what comes after the first sender.
type then struct {
	words string
	do    func(t *testing.T, s *scene, c *cell)
}

var thens = []then{
	{"nothing yet", func(*testing.T, *scene, *cell) {}},
	{"the record", again},
	{"the sweep", swept},
	{"record, sweep", func(t *testing.T, s *scene, c *cell) { again(t, s, c); swept(t, s, c) }},
	{"sweep, record", func(t *testing.T, s *scene, c *cell) { swept(t, s, c); again(t, s, c) }},
	{"two at once", func(t *testing.T, s *scene, c *cell) {
		var group sync.WaitGroup
		var failed [2]bool
		for i := range failed {
			group.Go(func() { failed[i] = s.give(t, c.record) })
		}
		group.Wait()
		c.again = failed[0] || failed[1]
	}},
}

func again(t *testing.T, s *scene, c *cell) { c.again = s.give(t, c.record) }

// swept lets so much time pass that a sender is gone, and sweeps.
func swept(t *testing.T, s *scene, c *cell) {
	s.Clock.Advance(16 * time.Minute)
	if s.give(t, removed("2", "support", c.session)) {
		t.Errorf("%s: the sweep failed", c.name)
	}
}

// cell is one cell of the matrix: a mail, what hinders its first sender, and what
// became of it.
type cell struct {
	name, session string
	kind          impersonation.MailKind
	record        object
	// again tells that the stream gives the record again.
	again bool
	state impersonation.MailStatus
	taken int
}

// play plays a cell.
func (s *scene) play(t *testing.T, kind impersonation.MailKind, p point, says said, next then) cell {
	t.Helper()
	s.Clock.Advance(time.Hour) // the session before is over
	c := cell{name: fmt.Sprintf("%s, %s %s, SES %s, then %s", kind, p.how, p.step, says.words, next.words), kind: kind}
	c.session, c.record = s.owed(t, kind)
	s.box.begin(says)
	if p != (point{}) {
		s.sender.hinders = &p
	}
	c.again = s.give(t, c.record)
	s.sender.hinders = nil
	next.do(t, s, &c)
	c.state, c.taken = s.mail(t, c.session, kind).Status, s.box.count()
	return c
}

// holds holds a cell to I8: never two mails; what was taken is sent or unknown, and
// what was not is never called sent; what can still change comes again.
func (c cell) holds(t *testing.T) {
	t.Helper()
	open := c.state == impersonation.NoMail || c.state == impersonation.Queued || c.state == impersonation.Sending
	switch {
	case c.taken > 1:
		t.Errorf("I8 %s: %d mails for one session", c.name, c.taken)
	case c.taken == 1 && c.state != impersonation.Sent && c.state != impersonation.Unknown && c.state != impersonation.Sending,
		c.taken == 0 && c.state == impersonation.Sent:
		t.Errorf("I8 %s: %d mails taken, and it is called %s", c.name, c.taken, c.state)
	case open && !c.again:
		t.Errorf("I8 %s: it is %q, and nobody comes back to it", c.name, c.state)
	}
}

// told holds what a session says of a mail that nobody knows anything of, once its
// sender is gone: that it is unknown.
func (s *scene) told(t *testing.T, c cell) {
	t.Helper()
	if c.state != impersonation.Sending && c.state != impersonation.Unknown {
		return
	}
	s.Clock.Advance(16 * time.Minute)
	shown, err := s.service.Get(t.Context(), s.now(), c.session)
	if err != nil {
		t.Fatal(err)
	}
	if got := map[impersonation.MailKind]impersonation.Mail{impersonation.NoticeMail: shown.Notice, impersonation.ReceiptMail: shown.Receipt}[c.kind].Status; got != impersonation.Unknown {
		t.Errorf("I8 %s: the session says %s, and nobody will ever know", c.name, got)
	}
}

// points are where a sender of this kind is hindered. Those before the hand-over
// know nothing of SES.
func points(kind impersonation.MailKind) (early, late []point) {
	early = []point{{claim, before}, {claim, lateIn}, {claim, lostAll}, {claim, after}, {claim, lateOut}, {over, before}, {over, lateIn}}
	if kind == impersonation.ReceiptMail {
		early = append([]point{{queue, before}, {queue, lostAll}, {queue, after}, {queue, lateOut}, {read, before}, {read, lostAll}, {read, after}}, early...)
		late = []point{{queue, lostOnce}}
	}
	return early, append([]point{{}, {claim, lostOnce}, {over, after}, {over, lateOut}, {settle, before}, {settle, lostOnce}, {settle, lostAll}, {settle, after}}, late...)
}

// row is a row of the matrix.
type row struct {
	point
	said
}

func rows(kind impersonation.MailKind) []row {
	var out []row
	early, late := points(kind)
	for _, p := range early {
		out = append(out, row{p, saids[0]})
	}
	for _, p := range late {
		for _, s := range saids {
			if p.how == lostOnce && p.step == queue && !s.takes {
				continue // as without it
			}
			out = append(out, row{p, s})
		}
	}
	return out
}

// TestTheCrashMatrix plays every crash of a sender of either mail, with all that SES
// may say and all that may come then. testdata/crash-matrix.txt has what became of
// the mail: its state, and how many SES took.
func TestTheCrashMatrix(t *testing.T) {
	kinds := []impersonation.MailKind{impersonation.NoticeMail, impersonation.ReceiptMail}
	tables := make([]string, len(kinds))
	t.Run("I8", func(t *testing.T) {
		for i, kind := range kinds {
			t.Run(kind.String(), func(t *testing.T) {
				t.Parallel()
				tables[i] = newScene(t).matrix(t, kind)
			})
		}
	})
	got := strings.Join(tables, "\n")
	file := filepath.Join("testdata", "crash-matrix.txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// matrix is the matrix of one kind of mail as a table.
func (s *scene) matrix(t *testing.T, kind impersonation.MailKind) string {
	t.Helper()
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	heads := []string{kind.String() + ": the sender", "SES"}
	for _, next := range thens {
		heads = append(heads, "then "+next.words)
	}
	fmt.Fprintln(table, strings.Join(heads, "\t"))
	for _, r := range rows(kind) {
		cells := []string{r.point.String(), r.words}
		if early, _ := points(kind); slices.Contains(early, r.point) {
			cells[1] = "is not asked"
		}
		for _, next := range thens {
			c := s.play(t, kind, r.point, r.said, next)
			c.holds(t)
			s.told(t, c)
			cells = append(cells, c.String())
		}
		fmt.Fprintln(table, strings.Join(cells, "\t"))
	}
	if err := table.Flush(); err != nil {
		t.Fatal(err)
	}
	return trimmed(out.String())
}

// trimmed is a table without spaces at the ends of its lines.
func trimmed(table string) string {
	lines := strings.Split(table, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// String says where a sender is hindered.
func (p point) String() string {
	switch {
	case p == point{}:
		return "lives"
	case p.how != lostOnce && p.how != lostAll:
		return string(p.how) + " " + string(p.step)
	}
	return string(p.step) + ", " + string(p.how)
}

// String is what became of a mail: its state and how many SES took.
func (c cell) String() string {
	state := c.state.String()
	if state == "" {
		state = "none"
	}
	return fmt.Sprintf("%s %d", state, c.taken)
}
