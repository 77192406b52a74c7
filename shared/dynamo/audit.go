package dynamo

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/persona"
)

// auditItem is a report that was kept, as it was judged then: targets change.
type auditItem struct {
	stored
	ID      string        `dynamodbav:"id"`
	Slot    string        `dynamodbav:"slot,omitempty"`
	Order   string        `dynamodbav:"order"`
	Against string        `dynamodbav:"against,omitempty"`
	Time    time.Time     `dynamodbav:"time"`
	Place   string        `dynamodbav:"location,omitempty"`
	Base    int           `dynamodbav:"base"`
	Rows    []rowItem     `dynamodbav:"rows"`    // by persona, none first
	Engaged []engagedItem `dynamodbav:"engaged"` // as rows
	Experts rowItem       `dynamodbav:"experts"`
	Changed []shiftItem   `dynamodbav:"changed,omitempty"`
	Targets targetsItem   `dynamodbav:"targets"`
}

type rowItem struct {
	Count   int    `dynamodbav:"count"`
	Min     int    `dynamodbav:"min"`
	Max     int    `dynamodbav:"max"`
	Verdict string `dynamodbav:"verdict,omitempty"`
	Change  int    `dynamodbav:"change"`
}

type engagedItem struct {
	Active7  int `dynamodbav:"active7"`
	Active30 int `dynamodbav:"active30"`
	OnTeam   int `dynamodbav:"onTeam"`
}

type shiftItem struct {
	Word   string `dynamodbav:"word"`
	Before string `dynamodbav:"before"`
	After  string `dynamodbav:"after"`
}

// slotItem says which audit a slot has, or which scheduled one was the last.
type slotItem struct {
	stored
	ID    string `dynamodbav:"id"`
	Order string `dynamodbav:"order"`
}

func auditForm(a persona.Audit) auditItem {
	r := a.Report
	item := auditItem{
		ID: a.ID, Slot: a.Slot, Order: a.Order, Against: a.Against, Time: r.At.UTC(), Place: r.Location, Base: r.Base,
		Experts: rowForm(r.Experts), Targets: targetsForm(a.Targets),
	}
	for p, row := range r.Personas {
		item.Rows = append(item.Rows, rowForm(row))
		item.Engaged = append(item.Engaged, engagedItem(r.Engaged[p]))
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
	a := persona.Audit{
		ID: item.ID, Slot: item.Slot, Order: item.Order, Against: item.Against, Targets: item.Targets.targets(),
		Report: persona.Report{Location: item.Place, At: item.Time, Base: item.Base, Experts: item.Experts.row()},
	}
	for p := range min(len(item.Rows), len(item.Engaged), len(a.Report.Personas)) {
		a.Report.Personas[p] = item.Rows[p].row()
		a.Report.Engaged[p] = persona.Engagement(item.Engaged[p])
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

// check refuses verdicts that this program does not know.
func (item *auditItem) check() error {
	var u unknownWords
	for _, row := range append(item.Rows, item.Experts) {
		need(&u, row.Verdict, persona.ParseVerdict)
	}
	for _, s := range item.Changed {
		need(&u, s.Before, persona.ParseVerdict)
		need(&u, s.After, persona.ParseVerdict)
	}
	return u.err()
}

// putAudit keeps an audit with the counts of every location and its entry.
func (t *transaction) putAudit(o string, r persona.Record) {
	taken := fault.New(fault.Internal, "audit", "")
	t.put(auditKey(o, r.Audit.Order), auditForm(r.Audit), absent, taken)
	if r.Everywhere != nil {
		for _, chunk := range tallyChunks(r.Everywhere) {
			t.put(tallyKey(o, r.Audit.Order, chunk.N), chunk, absent, taken)
		}
	}
	t.record(o, r.Entry)
}

// PutScheduled keeps an audit as the last scheduled one, once a slot (P6): raced
// when the slot has one, or another than the one that it is against is the last.
func (s *Store) PutScheduled(ctx context.Context, organization string, r persona.Record) error {
	t := s.begin()
	a := r.Audit
	against := absent
	if a.Against != "" {
		against = expression.Name("id").Equal(expression.Value(a.Against))
	}
	t.put(slotKey(organization, a.Slot), slotItem{ID: a.ID, Order: a.Order}, absent, raced())
	t.put(lastSlotKey(organization), slotItem{ID: a.ID, Order: a.Order}, against, raced())
	t.putAudit(organization, r)
	return t.commit(ctx)
}

// PutAudit keeps an audit that somebody asked for, and the answer.
func (s *Store) PutAudit(ctx context.Context, basis directory.Basis, r persona.Record, kept directory.Kept) error {
	t := s.begin()
	t.putAudit(basis.Organization, r)
	t.keepAnswer(basis.Organization, r.Entry.Subject.ID, kept)
	t.rest(basis)
	return t.commit(ctx)
}

// Audits is a page of the audits, the latest first.
func (s *Store) Audits(ctx context.Context, organization string, page directory.Page) ([]persona.Audit, string, error) {
	q := auditSpan(organization).past(page.After)
	q.backward, q.limit = true, page.Limit
	items, end, err := s.query(ctx, q)
	if err != nil {
		return nil, "", err
	}
	var audits []persona.Audit
	for _, item := range items {
		if err := collect(item, &audits, auditItem.audit); err != nil {
			return nil, "", err
		}
	}
	if end != "" {
		end = audits[len(audits)-1].Order
	}
	return audits, end, nil
}

// Audit is the audit with this id: a slot's, or else one that stands at it in the
// history. False when there is none.
func (s *Store) Audit(ctx context.Context, organization, id string) (persona.Audit, bool, error) {
	var slot slotItem
	found, err := s.get(ctx, slotKey(organization, id), &slot)
	if err != nil {
		return persona.Audit{}, false, err
	}
	order := id
	if found {
		order = slot.Order
	}
	var item auditItem
	found, err = s.get(ctx, auditKey(organization, order), &item)
	if err != nil || !found || item.ID != id {
		return persona.Audit{}, false, err
	}
	return item.audit(), true, nil
}

// Scheduled is the slot's audit and the last scheduled one, each zero when there
// is none.
func (s *Store) Scheduled(ctx context.Context, organization, slot string) (of, last persona.Audit, err error) {
	places := []key{slotKey(organization, slot), lastSlotKey(organization)}
	named, err := s.batchGet(ctx, places)
	if err != nil || len(named) == 0 {
		return of, last, err
	}
	at := map[key]key{}
	var keys []key
	for k, av := range named {
		var item slotItem
		if err := decode(av, &item); err != nil {
			return of, last, err
		}
		at[k] = auditKey(organization, item.Order)
		if len(keys) == 0 || keys[0] != at[k] {
			keys = append(keys, at[k])
		}
	}
	found, err := s.batchGet(ctx, keys)
	if err != nil {
		return of, last, err
	}
	if len(found) != len(keys) {
		return of, last, fault.Wrap(fault.Internal, "item", errors.New("a slot names an audit that is not there"))
	}
	for k, audit := range map[key]*persona.Audit{places[0]: &of, places[1]: &last} {
		var item auditItem
		if av, ok := found[at[k]]; ok {
			if err := decode(av, &item); err != nil {
				return of, last, err
			}
			*audit = item.audit()
		}
	}
	return of, last, nil
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
