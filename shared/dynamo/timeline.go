package dynamo

import (
	"context"
	"time"

	"github.com/oklog/ulid/v2"

	"gemba/shared/fault"
	"gemba/shared/timeline"
)

type entryItem struct {
	stored
	GSI1PK       string          `dynamodbav:"gsi1pk,omitempty"`
	GSI1SK       string          `dynamodbav:"gsi1sk,omitempty"`
	Time         time.Time       `dynamodbav:"time"`
	Type         string          `dynamodbav:"type"`
	Action       string          `dynamodbav:"action"`
	Denied       bool            `dynamodbav:"denied,omitempty"`
	Subject      personItem      `dynamodbav:"subject"`
	Impersonator *personItem     `dynamodbav:"impersonator,omitempty"`
	TargetType   string          `dynamodbav:"targetType"`
	TargetID     string          `dynamodbav:"targetId"`
	Before       timeline.Values `dynamodbav:"before,omitempty"`
	After        timeline.Values `dynamodbav:"after,omitempty"`
	Cause        string          `dynamodbav:"cause,omitempty"`
	RequestID    string          `dynamodbav:"requestId,omitempty"`
	Session      string          `dynamodbav:"session,omitempty"`
}

type personItem struct {
	ID   string `dynamodbav:"id"`
	Name string `dynamodbav:"name"`
}

func entryForm(e timeline.Entry) entryItem {
	item := entryItem{
		Time: e.At.UTC(), Type: e.Type.String(), Action: e.Action, Denied: e.Denied, Subject: personItem(e.Subject),
		TargetType: e.Target.Type, TargetID: e.Target.ID, Before: e.Before, After: e.After,
		Cause: e.Cause, RequestID: e.RequestID, Session: e.Session,
	}
	if e.Impersonator != (timeline.Person{}) {
		impersonator := personItem(e.Impersonator)
		item.Impersonator = &impersonator
	}
	return item
}

func (item entryItem) entry() timeline.Entry {
	kind, _ := timeline.ParseType(item.Type)
	e := timeline.Entry{
		ID: item.SK, At: item.Time, Type: kind, Action: item.Action, Denied: item.Denied,
		Subject: timeline.Person(item.Subject), Target: timeline.Target{Type: item.TargetType, ID: item.TargetID},
		Before: item.Before, After: item.After, Cause: item.Cause, RequestID: item.RequestID, Session: item.Session,
	}
	if item.Impersonator != nil {
		e.Impersonator = timeline.Person(*item.Impersonator)
	}
	return e
}

// record writes the entry of a change. One that is made in a session has to hold
// the session to last: else the record would say of an actor what they did when
// they were nobody but themselves any more (I5, I7).
func (t *transaction) record(o string, e timeline.Entry) {
	if e.Session != "" && !e.Denied {
		t.acts = append(t.acts, sessionKey(o, e.Session))
	}
	t.enter(o, e)
}

// enter writes an entry, and a copy for each person in it, so that a
// person's timeline is read without reading everybody's (T1).
//
// Its time is cut to the milliseconds that its id orders by, so that entries
// stand in the order of the times that they tell (T2).
func (t *transaction) enter(o string, e timeline.Entry) {
	e.At = e.At.Truncate(time.Millisecond)
	id, err := ulid.New(ulid.Timestamp(e.At), ulid.DefaultEntropy())
	if !t.keep(err) {
		return
	}
	item := entryForm(e)
	taken := fault.New(fault.Internal, "entry", "")
	for _, person := range people(e) {
		t.put(personEntryKey(o, person, id.String()), item, absent, taken)
	}
	item.GSI1PK, item.GSI1SK = timelineTypePK(o, e.Type, e.At), id.String()
	t.put(entryKey(o, e.At, id.String()), item, absent, taken)
}

// people are those in an entry, each once: subject, impersonator and target, and who
// revoked an impersonation, with whoever acted as them.
func people(e timeline.Entry) []string {
	var ids []string
	add := func(id string) {
		for _, seen := range ids {
			if seen == id {
				return
			}
		}
		if id != "" {
			ids = append(ids, id)
		}
	}
	add(e.Subject.ID)
	add(e.Impersonator.ID)
	if e.Target.Type == "user" {
		add(e.Target.ID)
	}
	if e.Type == timeline.Impersonation {
		for _, revoker := range []string{"by", "byImpersonator"} {
			id, _ := e.After[revoker].(string)
			add(id)
		}
	}
	return ids
}

// monthsAPage bounds how many months one call looks into.
const monthsAPage = 12

// Entries reads a stretch of the record, newest first (T2), or forward, strongly:
// a person's part is one partition, everybody's one a month, walked back. After
// monthsAPage months it answers what it has and where it stopped. Invalid
// when the place was not given by Entries.
func (s *Store) Entries(ctx context.Context, organization string, r timeline.Stretch) ([]timeline.Entry, string, error) {
	top := lowest(r.To.Add(time.Millisecond - 1))
	after, err := placeOf(r.After)
	if err != nil {
		return nil, "", err
	}
	// A request brings a megabyte at most, so that entries as large as there are do not
	// fill the memory.
	q := span{pk: personPK(organization, r.Person), from: lowest(r.From), limit: r.Limit, once: true}
	if r.Forward {
		return s.entriesAbove(ctx, q, top, after)
	}
	q.backward = true
	if after != "" {
		top = min(top, after)
	}
	if r.Person != "" {
		return s.entriesBelow(ctx, q, top)
	}
	var entries []timeline.Entry
	for range monthsAPage {
		first := monthBelow(top)
		q.pk, q.limit = timelinePK(organization, first), r.Limit-len(entries)
		part, end, err := s.entriesBelow(ctx, q, top)
		entries = append(entries, part...)
		if err != nil || end != "" {
			return entries, end, err
		}
		if top = lowest(first); top <= q.from {
			return entries, "", nil
		}
		if len(entries) == r.Limit {
			break
		}
	}
	return entries, top, nil
}

// entriesBelow are the entries of a partition from q.from on whose ids are
// below top, which need not be an entry's.
func (s *Store) entriesBelow(ctx context.Context, q span, top string) ([]timeline.Entry, string, error) {
	if top <= q.from {
		return nil, "", nil
	}
	q.to, q.after = top, top
	return s.entriesIn(ctx, q)
}

// entriesAbove are the entries of a partition from q.from on, after the place and
// below top. A place outside of these, as one of a stretch that ended later, is
// none to DynamoDB.
func (s *Store) entriesAbove(ctx context.Context, q span, top, after string) ([]timeline.Entry, string, error) {
	if max(q.from, after) >= top {
		return nil, "", nil
	}
	q.to = top
	if after >= q.from {
		q.after = after
	}
	return s.entriesIn(ctx, q)
}

// entriesIn are the entries of a part of a partition.
func (s *Store) entriesIn(ctx context.Context, q span) ([]timeline.Entry, string, error) {
	items, end, err := s.query(ctx, q)
	if err != nil {
		return nil, "", err
	}
	var entries []timeline.Entry
	for _, item := range items {
		if err := collect(item, &entries, entryItem.entry); err != nil {
			return nil, "", err
		}
	}
	return entries, end, nil
}

// Recent are an organization's entries of a type from one time on and before
// another, newest first, so many at most. They are found by the index, which
// follows the table within moments.
func (s *Store) Recent(ctx context.Context, organization string, kind timeline.Type, from, to time.Time, most int) ([]timeline.Entry, error) {
	var entries []timeline.Entry
	for top := lowest(to); top > lowest(from) && len(entries) < most; {
		month := monthBelow(top)
		part, _, err := s.entriesIn(ctx, span{
			pk: timelineTypePK(organization, kind, month), from: lowest(from), to: top,
			backward: true, indexed: true, limit: most - len(entries),
		})
		if err != nil {
			return nil, err
		}
		entries, top = append(entries, part...), lowest(month)
	}
	return entries, nil
}

// placeOf is the place that Entries gave; Invalid when it is none.
func placeOf(after string) (string, error) {
	if after == "" {
		return "", nil
	}
	id, err := ulid.ParseStrict(after)
	if err != nil {
		return "", fault.New(fault.Invalid, "malformed", "This cursor was not given for this list.")
	}
	return id.String(), nil
}

// lowest is the id below every id of this millisecond and after all before.
func lowest(at time.Time) string {
	var id ulid.ULID
	_ = id.SetTime(uint64(max(0, at.UnixMilli())))
	return id.String()
}

// monthBelow is the beginning of the month in which the newest id below top
// can be.
func monthBelow(top string) time.Time {
	at := ulid.Time(ulid.MustParse(top).Time()).UTC()
	if lowest(at) == top {
		at = at.Add(-time.Millisecond)
	}
	return time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// Record writes an entry that stands alone: a denied attempt.
func (s *Store) Record(ctx context.Context, organization string, e timeline.Entry) error {
	t := s.begin()
	t.enter(organization, e)
	return t.commit(ctx)
}
