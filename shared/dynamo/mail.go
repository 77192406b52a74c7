package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
)

// mailItem is a mail in the outbox. A session's notice also carries the session's
// entry in the index, because a session is written with every request and its
// notice is not.
type mailItem struct {
	stored
	GSI1PK       string `dynamodbav:"gsi1pk,omitempty"`
	GSI1SK       string `dynamodbav:"gsi1sk,omitempty"`
	Organization string `dynamodbav:"organization"`
	About        string `dynamodbav:"about"`
	Status       string `dynamodbav:"status"`
	Why          string `dynamodbav:"why,omitempty"`
	To           string `dynamodbav:"to,omitempty"`
	Actor        string `dynamodbav:"actor,omitempty"`
	Product      string `dynamodbav:"product,omitempty"`
	Promised     bool   `dynamodbav:"promised,omitempty"`
	Made         int64  `dynamodbav:"made,omitempty"`
	Attempt      string `dynamodbav:"attempt,omitempty"`
	Since        int64  `dynamodbav:"since,omitempty"`
}

// mailForm is the item of a mail that the outbox gets at this time.
func mailForm(m impersonation.Mail, at time.Time) mailItem {
	item := mailItem{
		Organization: m.Organization, About: m.About, Status: m.Status.String(), Why: m.Why,
		To: m.To, Actor: m.Actor, Product: m.Product, Promised: m.Promised, Made: at.UnixMilli(),
	}
	if m.Kind == impersonation.NoticeMail {
		item.GSI1PK, item.GSI1SK = sessionsGSI(m.Organization), m.About
	}
	return item
}

// mail is the item's, of this kind; zero when there is no item.
func (item mailItem) mail(kind impersonation.MailKind) impersonation.Mail {
	if item.About == "" {
		return impersonation.Mail{}
	}
	status, _ := impersonation.ParseMailStatus(item.Status)
	return impersonation.Mail{
		Organization: item.Organization, About: item.About, Kind: kind, Status: status, Why: item.Why,
		To: item.To, Actor: item.Actor, Product: item.Product, Promised: item.Promised, Made: moment(item.Made),
		Attempt: item.Attempt, Since: moment(item.Since),
	}
}

// mailKey is that of the mail with m's name.
func mailKey(m impersonation.Mail) key {
	switch m.Kind {
	case impersonation.ReceiptMail:
		return receiptKey(m.Organization, m.About)
	case impersonation.AlertMail:
		return alertKey(m.Organization, m.About, m.To)
	default:
		return noticeKey(m.Organization, m.About)
	}
}

func statusIs(status impersonation.MailStatus) expression.ConditionBuilder {
	return expression.Name("status").Equal(expression.Value(status.String()))
}

// QueueMail puts a mail into the outbox, unless it is there already.
func (s *Store) QueueMail(ctx context.Context, m impersonation.Mail) error {
	t := s.begin()
	t.put(mailKey(m), mailForm(m, t.at), absent, raced())
	if err := t.commit(ctx); !fault.IsRaced(err) {
		return err
	}
	return nil
}

// Mails are those of these names, in their order; zero for one that is not there.
func (s *Store) Mails(ctx context.Context, names []impersonation.Mail) ([]impersonation.Mail, error) {
	keys := make([]key, len(names))
	for i, m := range names {
		keys[i] = mailKey(m)
	}
	found, err := s.batchGet(ctx, keys)
	if err != nil {
		return nil, err
	}
	mails := make([]impersonation.Mail, len(names))
	for i, k := range keys {
		var item mailItem
		if err := decode(found[k], &item); err != nil {
			return nil, err
		}
		mails[i] = item.mail(names[i].Kind)
	}
	return mails, nil
}

// Observers are an organization's observers of impersonations who are there, with
// the organization, read one after the other: nothing is decided by them.
func (s *Store) Observers(ctx context.Context, organization string) (impersonation.Observing, error) {
	var item organizationItem
	found, err := s.get(ctx, orgKey(organization), &item)
	if err != nil {
		return impersonation.Observing{}, err
	}
	if !found {
		return impersonation.Observing{}, fault.New(fault.NotFound, "not_found", "There is no such organization.")
	}
	to := impersonation.Observing{Organization: item.organization()}
	ids := to.Settings.Impersonation.Observers
	users, err := s.batchGet(ctx, wantedKeys(organization, directory.Keys{Users: ids}))
	if err != nil {
		return impersonation.Observing{}, err
	}
	for _, id := range ids {
		if user := users[userKey(organization, id)]; user != nil {
			if err := collect(user, &to.Observers, userItem.user); err != nil {
				return impersonation.Observing{}, err
			}
		}
	}
	return to, nil
}

// ClaimMail turns the queued mail of m's name into one that m's Attempt sends, and
// answers it as it then is, whoever claimed it. NotFound when there is none.
func (s *Store) ClaimMail(ctx context.Context, m impersonation.Mail, now time.Time) (impersonation.Mail, error) {
	claim := expression.
		Set(expression.Name("status"), expression.Value(impersonation.Sending.String())).
		Set(expression.Name("attempt"), expression.Value(m.Attempt)).
		Set(expression.Name("since"), expression.Value(now.UnixMilli())).
		Set(expression.Name("at"), expression.Value(s.now().UnixMilli()))
	item, err := s.touch(ctx, mailKey(m), claim, statusIs(impersonation.Queued))
	if err != nil {
		return impersonation.Mail{}, err
	}
	if len(item) == 0 {
		return impersonation.Mail{}, fault.New(fault.NotFound, "not_found", "There is no such mail.")
	}
	var found mailItem
	err = decode(item, &found)
	return found.mail(m.Kind), err
}

// SettleMail makes the mail's status m's, if its last hand-over is m's attempt and
// has not been settled: unknown may still become sent or failed by who knows
// better, but is never queued again. It answers whether the status is m's now.
func (s *Store) SettleMail(ctx context.Context, m impersonation.Mail) (bool, error) {
	unsettled := statusIs(impersonation.Sending)
	if m.Status != impersonation.Queued {
		unsettled = unsettled.Or(statusIs(impersonation.Unknown))
	}
	own := expression.Name("attempt").Equal(expression.Value(m.Attempt))
	settle := expression.
		Set(expression.Name("status"), expression.Value(m.Status.String())).
		Set(expression.Name("at"), expression.Value(s.now().UnixMilli()))
	item, err := s.touch(ctx, mailKey(m), settle, own.And(unsettled))
	return text(item, "attempt") == m.Attempt && text(item, "status") == m.Status.String(), err
}

// NoticeIn is the session whose notice has this key; false for any other item.
func NoticeIn(pk, sk string) (organization, session string, ok bool) {
	if k := (key{pk, sk}); k.isNotice() {
		return k.two()
	}
	return "", "", false
}

// ActingIn is the session of the acting mark that a stream's image is; false for
// any other item.
func ActingIn(image []byte) (organization, session string, ok bool) {
	item, err := imageOf(image)
	organization, session = text(item, "organization"), text(item, "session")
	ok = err == nil && keyOf(item).isActing() && organization != "" && session != ""
	return organization, session, ok
}
