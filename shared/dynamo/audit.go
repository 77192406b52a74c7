package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"gemba/shared/directory"
	"gemba/shared/persona"
	"gemba/shared/timeline"
)

// auditItem is a report that was kept, as it was judged then: targets change.
type auditItem struct {
	stored
	ID      string      `dynamodbav:"id"`
	Slot    string      `dynamodbav:"slot,omitempty"`
	Time    time.Time   `dynamodbav:"time"`
	Place   string      `dynamodbav:"location,omitempty"`
	Base    int         `dynamodbav:"base"`
	Rows    []rowItem   `dynamodbav:"rows"` // by persona, none first
	Experts rowItem     `dynamodbav:"experts"`
	Changed []shiftItem `dynamodbav:"changed,omitempty"`
}

type rowItem struct {
	Count   int    `dynamodbav:"count"`
	Min     int    `dynamodbav:"min"`
	Max     int    `dynamodbav:"max"`
	Verdict string `dynamodbav:"verdict,omitempty"`
	Change  int    `dynamodbav:"change"`
}

type shiftItem struct {
	Word   string `dynamodbav:"word"`
	Before string `dynamodbav:"before"`
	After  string `dynamodbav:"after"`
}

func auditForm(a persona.Audit) auditItem {
	r := a.Report
	item := auditItem{ID: a.ID, Slot: a.Slot, Time: r.At.UTC(), Place: r.Location, Base: r.Base, Experts: rowForm(r.Experts)}
	for _, row := range r.Personas {
		item.Rows = append(item.Rows, rowForm(row))
	}
	for _, s := range a.Changed {
		item.Changed = append(item.Changed, shiftItem{s.Word, s.Before.String(), s.After.String()})
	}
	return item
}

func rowForm(r persona.Row) rowItem {
	return rowItem{r.Count, r.Range.Min, r.Range.Max, r.Verdict.String(), r.Change}
}

func (item auditItem) audit() persona.Audit {
	a := persona.Audit{ID: item.ID, Slot: item.Slot, Report: persona.Report{
		Location: item.Place, At: item.Time, Base: item.Base, Experts: item.Experts.row(),
	}}
	for p := range min(len(item.Rows), len(a.Report.Personas)) {
		a.Report.Personas[p] = item.Rows[p].row()
	}
	for _, s := range item.Changed {
		a.Changed = append(a.Changed, persona.Shift{Word: s.Word, Before: verdictOf(s.Before), After: verdictOf(s.After)})
	}
	return a
}

func (item rowItem) row() persona.Row {
	return persona.Row{
		Count: item.Count, Range: persona.Range{Min: item.Min, Max: item.Max}, Verdict: verdictOf(item.Verdict), Change: item.Change,
	}
}

func verdictOf(word string) persona.Verdict {
	v, _ := persona.ParseVerdict(word)
	return v
}

// PutAudit keeps a scheduled audit and its entry, once a slot (P6): false when
// the slot has one.
func (s *Store) PutAudit(ctx context.Context, organization string, a persona.Audit, e timeline.Entry) (bool, error) {
	t := s.begin()
	t.put(slotKey(organization, a.Slot), auditForm(a), absent, outdated(0))
	t.record(organization, e)
	return created(t.commit(ctx))
}

// Audits are the scheduled audits up to a slot, the latest first.
func (s *Store) Audits(ctx context.Context, organization, slot string, limit int) ([]persona.Audit, error) {
	q := slotSpan(organization, slot)
	q.backward, q.limit = true, limit
	items, _, err := s.query(ctx, q)
	if err != nil {
		return nil, err
	}
	var audits []persona.Audit
	for _, item := range items {
		if err := collect(item, &audits, auditItem.audit); err != nil {
			return nil, err
		}
	}
	return audits, nil
}

// Organizations is a page of all organizations' ids. It is read from the
// index, which knows a new organization a moment later.
func (s *Store) Organizations(ctx context.Context, page directory.Page) ([]string, string, error) {
	q := organizationSpan().past(page.After)
	q.limit = page.Limit
	items, end, err := s.query(ctx, q)
	if err != nil {
		return nil, "", err
	}
	var ids []string
	for _, item := range items {
		ids = append(ids, text(item, "id"))
	}
	return ids, end, nil
}

// directoryPage is how many users of the directory are held at a time.
const directoryPage = 500

// Champions are the users whose persona is champion, by id. It walks the
// directory: no count needs it, only an audit that has news.
func (s *Store) Champions(ctx context.Context, organization string) ([]directory.User, error) {
	q := directorySpan(organization)
	q.limit = directoryPage
	var champions []directory.User
	for {
		items, end, err := s.query(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			if text(item, "persona") != directory.Champion.String() {
				continue
			}
			if err := collect(item, &champions, userItem.user); err != nil {
				return nil, err
			}
		}
		if end == "" {
			return champions, nil
		}
		q.after = end
	}
}

// newsItem is what became of a slot's mail to an address. It is put whole each
// time, so that whoever audits needs no right to change what is kept.
type newsItem struct {
	stored
	Attempt string `dynamodbav:"attempt"`
	Status  string `dynamodbav:"status"`
}

// Claim begins a hand-over that nobody began, or that is queued again; false
// for every other.
func (s *Store) Claim(ctx context.Context, organization string, h persona.Handing) (bool, error) {
	free := absent.Or(expression.Name("status").Equal(expression.Value(persona.Queued.String())))
	return s.putNews(ctx, organization, h, free)
}

// Settle keeps what became of a hand-over that this attempt began.
func (s *Store) Settle(ctx context.Context, organization string, h persona.Handing) error {
	_, err := s.putNews(ctx, organization, h, expression.Name("attempt").Equal(expression.Value(h.Attempt)))
	return err
}

func (s *Store) putNews(ctx context.Context, o string, h persona.Handing, condition expression.ConditionBuilder) (bool, error) {
	t := s.begin()
	t.put(newsKey(o, h.Slot, h.Address), newsItem{Attempt: h.Attempt, Status: h.Status.String()}, condition, outdated(0))
	return created(t.commit(ctx))
}
