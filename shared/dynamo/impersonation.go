package dynamo

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
	"gemba/shared/timeline"
)

// sessionItem is an impersonation. Its times are milliseconds, so that a touch
// can compare them; ended is absent while nobody wrote its end.
type sessionItem struct {
	stored
	ID            string     `dynamodbav:"id"`
	Organization  string     `dynamodbav:"organization"`
	Actor         personItem `dynamodbav:"actor"`
	Subject       personItem `dynamodbav:"subject"`
	Mode          string     `dynamodbav:"mode"`
	Reason        string     `dynamodbav:"reason,omitempty"`
	Started       int64      `dynamodbav:"started"`
	Last          int64      `dynamodbav:"last"`
	Idles         int64      `dynamodbav:"idles"`
	Ends          int64      `dynamodbav:"ends"`
	Administrator bool       `dynamodbav:"administrator,omitempty"`
	Ended         int64      `dynamodbav:"ended,omitempty"`
	Cause         string     `dynamodbav:"cause,omitempty"`
}

func sessionForm(s impersonation.Session) sessionItem {
	return sessionItem{
		ID: s.ID, Organization: s.Organization, Actor: personItem(s.Actor), Subject: personItem(s.Subject),
		Mode: s.Mode.String(), Reason: s.Reason, Started: s.Started.UnixMilli(), Last: s.Last.UnixMilli(),
		Idles: s.Idles.UnixMilli(), Ends: s.Ends.UnixMilli(), Administrator: s.Administrator,
	}
}

func (item sessionItem) session() impersonation.Session {
	mode, _ := impersonation.ParseMode(item.Mode)
	cause, _ := impersonation.ParseCause(item.Cause)
	s := impersonation.Session{
		ID: item.ID, Organization: item.Organization, Actor: directory.Named(item.Actor), Subject: directory.Named(item.Subject),
		Mode: mode, Reason: item.Reason, Started: moment(item.Started), Last: moment(item.Last),
		Idles: moment(item.Idles), Ends: moment(item.Ends), Administrator: item.Administrator, Cause: cause,
	}
	if cause != impersonation.NoCause {
		s.Ended = moment(item.Ended)
	}
	return s
}

func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// actingItem marks an actor as acting. It goes when the session is closed, or
// by TTL after the absolute end: its removal is what the sweep hears of.
type actingItem struct {
	stored
	Organization string `dynamodbav:"organization"`
	Session      string `dynamodbav:"session"`
	Expires      int64  `dynamodbav:"expires"`
}

// listedItem lists a session among a person's, by its key.
type listedItem struct{ stored }

var (
	lasts  = expression.AttributeNotExists(expression.Name("ended"))
	namesX = func(session string) expression.ConditionBuilder {
		return expression.Name("session").Equal(expression.Value(session))
	}
)

// StartSession writes a beginning in one transaction (I8). Errors: Conflict
// already_impersonating, Denied reauthentication_needed when the sign-in is
// used up, and raced when what it rests on or the past session has changed.
func (s *Store) StartSession(ctx context.Context, b impersonation.Beginning) error {
	x, o := b.Session, b.Session.Organization
	t := s.begin()
	mark, free := actingItem{Organization: o, Session: x.ID, Expires: x.Ends.Unix() + 1}, absent
	if b.Past.ID != "" {
		free = namesX(b.Past.ID)
	}
	t.put(actingKey(o, x.Actor.ID), mark, free, impersonation.AlreadyImpersonating())
	if b.Proof != "" {
		t.put(usedProofKey(o, x.Actor.ID, b.Proof), usedItem{Expires: t.at.Add(usedLife).Unix()}, absent, impersonation.ProofUsed())
	}
	t.put(sessionKey(o, x.ID), sessionForm(x), absent, raced())
	t.put(noticeKey(o, x.ID), mailForm(x.Notice, t.at), absent, raced())
	t.put(actedKey(o, x.Actor.ID, x.ID), listedItem{}, absent, raced())
	t.put(actedOnKey(o, x.Subject.ID, x.ID), listedItem{}, absent, raced())
	t.record(o, b.Entry)
	if b.PastEntry.Type != timeline.NoType {
		t.endSession(b.Past)
		t.record(o, b.PastEntry)
	}
	t.keepAnswer(o, x.Actor.ID, b.Kept)
	t.rest(b.Basis)
	return t.commit(ctx)
}

// endSession writes a session's end if it has none; one that idled out must
// not have been touched since.
func (t *transaction) endSession(x impersonation.Session) {
	open := lasts.And(present)
	if x.Cause == impersonation.Idle {
		open = open.And(expression.Name("idles").Equal(expression.Value(x.Idles.UnixMilli())))
	}
	t.update(sessionKey(x.Organization, x.ID), expression.
		Set(expression.Name("ended"), expression.Value(x.Ended.UnixMilli())).
		Set(expression.Name("cause"), expression.Value(x.Cause.String())), open, raced())
}

// EndSession writes the session's Ended and Cause with its entry and takes the
// acting mark away. It answers false when the session is not any more what x
// says, or what the end rests on has changed; a zero basis is nothing.
func (s *Store) EndSession(ctx context.Context, x impersonation.Session, entry timeline.Entry, basis directory.Basis) (bool, error) {
	taken := impersonation.AlreadyImpersonating()
	ending := func(marked bool) error {
		t := s.begin()
		t.endSession(x)
		t.record(x.Organization, entry)
		if marked {
			t.delete(actingKey(x.Organization, x.Actor.ID), absent.Or(namesX(x.ID)), taken)
		}
		if basis.Organization != "" {
			t.rest(basis)
		}
		return t.commit(ctx)
	}
	err := ending(true)
	if errors.Is(err, taken) {
		// TTL took this session's mark and the actor has begun another since: the
		// mark is that one's for good.
		err = ending(false)
	}
	if fault.IsRaced(err) {
		return false, nil
	}
	return err == nil, err
}

// TouchSession makes now the session's last request, if it is this actor's
// and lasts (I4). It answers the session as it then is, without its notice;
// zero when there is none.
func (s *Store) TouchSession(ctx context.Context, organization, id, actor string, now, idles time.Time) (impersonation.Session, error) {
	ms := now.UnixMilli()
	running := lasts.
		And(expression.Name("actor.id").Equal(expression.Value(actor))).
		And(expression.Name("idles").Between(expression.Value(ms), expression.Value(idles.UnixMilli()))).
		And(expression.Name("ends").GreaterThan(expression.Value(ms)))
	touch := expression.
		Set(expression.Name("last"), expression.Value(ms)).
		Set(expression.Name("idles"), expression.Value(idles.UnixMilli()))
	item, err := s.touch(ctx, sessionKey(organization, id), touch, running)
	if err != nil || len(item) == 0 {
		return impersonation.Session{}, err
	}
	var x sessionItem
	err = decode(item, &x)
	return x.session(), err
}

// touch updates one item if the condition holds, and answers it as it then is
// in both cases; nil when there is none. A lost answer that the SDK repeats
// finds its own update. It gives up as a transaction does.
func (s *Store) touch(ctx context.Context, k key, u expression.UpdateBuilder, condition expression.ConditionBuilder) (attributes, error) {
	expr, err := expression.NewBuilder().WithCondition(present.And(condition)).WithUpdate(u).Build()
	if err != nil {
		return nil, fault.Wrap(fault.Internal, "item", err)
	}
	ctx, cancel := context.WithTimeout(ctx, commitWindow)
	defer cancel()
	out, err := s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table, Key: k.attributes(),
		ConditionExpression: expr.Condition(), UpdateExpression: expr.Update(),
		ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
		ReturnValues: types.ReturnValueAllNew, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var failed *types.ConditionalCheckFailedException
	switch {
	case errors.As(err, &failed):
		return failed.Item, nil
	case err != nil:
		return nil, unavailable(err)
	case len(out.Attributes) == 0:
		return nil, unavailable(errors.New("an update that tells nothing of its item"))
	}
	return out.Attributes, nil
}

// Acting is the session that the actor's mark names, without its notice; zero
// without a mark.
func (s *Store) Acting(ctx context.Context, organization, actor string) (impersonation.Session, error) {
	var mark actingItem
	if found, err := s.get(ctx, actingKey(organization, actor), &mark); err != nil || !found {
		return impersonation.Session{}, err
	}
	var x sessionItem
	_, err := s.get(ctx, sessionKey(organization, mark.Session), &x)
	return x.session(), err
}

// Session is a session with its mail; NotFound when there is none.
func (s *Store) Session(ctx context.Context, organization, id string) (impersonation.Session, error) {
	sessions, err := s.sessions(ctx, organization, []string{id})
	if err != nil {
		return impersonation.Session{}, err
	}
	if len(sessions) == 0 {
		return impersonation.Session{}, fault.New(fault.NotFound, "not_found", "There is no such impersonation.")
	}
	return sessions[0], nil
}

// sessions are those with these ids, in their order, with their mail.
func (s *Store) sessions(ctx context.Context, o string, ids []string) ([]impersonation.Session, error) {
	keys := make([]key, 0, 3*len(ids))
	for _, id := range ids {
		keys = append(keys, sessionKey(o, id), noticeKey(o, id), receiptKey(o, id))
	}
	found, err := s.batchGet(ctx, keys)
	if err != nil {
		return nil, err
	}
	var sessions []impersonation.Session
	for _, id := range ids {
		var x sessionItem
		var notice, receipt mailItem
		err := errors.Join(decode(found[sessionKey(o, id)], &x), decode(found[noticeKey(o, id)], &notice), decode(found[receiptKey(o, id)], &receipt))
		if err != nil {
			return nil, err
		}
		if x.ID == "" {
			continue
		}
		session := x.session()
		session.Notice, session.Receipt = notice.mail(impersonation.NoticeMail), receipt.mail(impersonation.ReceiptMail)
		sessions = append(sessions, session)
	}
	return sessions, nil
}

// Sessions are a page of the selected ones, newest first, with the id to go on
// after. All of an organization are found by the index, which follows the
// table within moments; what is found is read strongly.
func (s *Store) Sessions(ctx context.Context, organization string, of impersonation.Selection, page directory.Page) ([]impersonation.Session, string, error) {
	limit, end := page.Limit, ""
	page.Limit++
	ids, err := s.sessionIDs(ctx, organization, of, page)
	if err != nil {
		return nil, "", err
	}
	if len(ids) > limit {
		ids, end = ids[:limit], ids[limit-1]
	}
	sessions, err := s.sessions(ctx, organization, ids)
	return sessions, end, err
}

// sessionIDs are a page's ids. Ids begin with the start, so their order is that
// of time.
func (s *Store) sessionIDs(ctx context.Context, o string, of impersonation.Selection, page directory.Page) ([]string, error) {
	switch {
	case of.Actor != "":
		return s.listed(ctx, actedSpan(o, of.Actor), page)
	case of.Person == "":
		return s.listed(ctx, sessionSpan(o), page)
	}
	acted, err := s.listed(ctx, actedSpan(o, of.Person), page)
	if err != nil {
		return nil, err
	}
	actedOn, err := s.listed(ctx, actedOnSpan(o, of.Person), page)
	if err != nil {
		return nil, err
	}
	ids := append(acted, actedOn...)
	slices.Sort(ids)
	slices.Reverse(ids)
	return ids[:min(page.Limit, len(ids))], nil
}

// listed is a page of a list of sessions, newest first.
func (s *Store) listed(ctx context.Context, q span, page directory.Page) ([]string, error) {
	q = q.past(page.After)
	q.backward, q.limit = true, page.Limit
	items, _, err := s.query(ctx, q)
	if err != nil {
		return nil, err
	}
	_, sk := q.keyNames()
	ids := make([]string, len(items))
	for i, item := range items {
		ids[i] = text(item, sk)
		if !q.indexed {
			ids[i] = key{sk: ids[i]}.named()
		}
	}
	return ids, nil
}
