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
}

type personItem struct {
	ID   string `dynamodbav:"id"`
	Name string `dynamodbav:"name"`
}

func entryForm(e timeline.Entry) entryItem {
	item := entryItem{
		Time: e.At.UTC(), Type: e.Type.String(), Action: e.Action, Denied: e.Denied, Subject: personItem(e.Subject),
		TargetType: e.Target.Type, TargetID: e.Target.ID, Before: e.Before, After: e.After,
		Cause: e.Cause, RequestID: e.RequestID,
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
		Before: item.Before, After: item.After, Cause: item.Cause, RequestID: item.RequestID,
	}
	if item.Impersonator != nil {
		e.Impersonator = timeline.Person(*item.Impersonator)
	}
	return e
}

// record writes an entry, and a copy for each person in it, so that a
// person's timeline is read without reading everybody's (T1).
func (t *transaction) record(o string, e timeline.Entry) {
	id, err := ulid.New(ulid.Timestamp(e.At), ulid.DefaultEntropy())
	if !t.keep(err) {
		return
	}
	item := entryForm(e)
	taken := fault.New(fault.Internal, "entry", "")
	for _, person := range people(e) {
		t.put(key{personPK(o, person), id.String()}, item, absent, taken)
	}
	item.GSI1PK, item.GSI1SK = timelineTypePK(o, e.Type, e.At), id.String()
	t.put(key{timelinePK(o, e.At), id.String()}, item, absent, taken)
}

// people are those in an entry, each once.
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
	return ids
}

// Record writes an entry that stands alone: a denied attempt.
func (s *Store) Record(ctx context.Context, organization string, e timeline.Entry) error {
	t := s.begin()
	t.record(organization, e)
	return t.commit(ctx)
}
