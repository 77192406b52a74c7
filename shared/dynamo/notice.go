package dynamo

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"gemba/shared/fault"
	"gemba/shared/impersonation"
)

// noticeItem is a session's notice. It also carries the session's entry in the
// index, because a session is written with every request and its notice is not.
type noticeItem struct {
	stored
	GSI1PK       string `dynamodbav:"gsi1pk"`
	GSI1SK       string `dynamodbav:"gsi1sk"`
	Organization string `dynamodbav:"organization"`
	Session      string `dynamodbav:"session"`
	Status       string `dynamodbav:"status"`
	Why          string `dynamodbav:"why,omitempty"`
	To           string `dynamodbav:"to,omitempty"`
	Actor        string `dynamodbav:"actor,omitempty"`
	Product      string `dynamodbav:"product,omitempty"`
	Attempt      string `dynamodbav:"attempt,omitempty"`
	Since        int64  `dynamodbav:"since,omitempty"`
}

func noticeForm(n impersonation.Notice) noticeItem {
	return noticeItem{
		GSI1PK: sessionsGSI(n.Organization), GSI1SK: n.Session, Organization: n.Organization, Session: n.Session,
		Status: n.Status.String(), Why: n.Why, To: n.To, Actor: n.Actor, Product: n.Product,
	}
}

func (item noticeItem) notice() impersonation.Notice {
	status, _ := impersonation.ParseNoticeStatus(item.Status)
	return impersonation.Notice{
		Organization: item.Organization, Session: item.Session, Status: status, Why: item.Why,
		To: item.To, Actor: item.Actor, Product: item.Product, Attempt: item.Attempt, Since: moment(item.Since),
	}
}

func statusIs(status impersonation.NoticeStatus) expression.ConditionBuilder {
	return expression.Name("status").Equal(expression.Value(status.String()))
}

// ClaimNotice turns a queued notice into one that this attempt sends, and
// answers it as it then is, whoever claimed it. NotFound when there is none.
func (s *Store) ClaimNotice(ctx context.Context, organization, session, attempt string, now time.Time) (impersonation.Notice, error) {
	claim := expression.
		Set(expression.Name("status"), expression.Value(impersonation.Sending.String())).
		Set(expression.Name("attempt"), expression.Value(attempt)).
		Set(expression.Name("since"), expression.Value(now.UnixMilli())).
		Set(expression.Name("at"), expression.Value(s.now().UnixMilli()))
	item, err := s.touch(ctx, noticeKey(organization, session), claim, statusIs(impersonation.Queued))
	if err != nil {
		return impersonation.Notice{}, err
	}
	if len(item) == 0 {
		return impersonation.Notice{}, fault.New(fault.NotFound, "not_found", "There is no such notice.")
	}
	var n noticeItem
	err = decode(item, &n)
	return n.notice(), err
}

// SettleNotice makes the notice's status n's, if its last hand-over is n's
// attempt and has not been settled: unknown may still become sent or failed by
// who knows better, but is never queued again. It answers whether the status is
// n's now.
func (s *Store) SettleNotice(ctx context.Context, n impersonation.Notice) (bool, error) {
	unsettled := statusIs(impersonation.Sending)
	if n.Status != impersonation.Queued {
		unsettled = unsettled.Or(statusIs(impersonation.Unknown))
	}
	own := expression.Name("attempt").Equal(expression.Value(n.Attempt))
	settle := expression.
		Set(expression.Name("status"), expression.Value(n.Status.String())).
		Set(expression.Name("at"), expression.Value(s.now().UnixMilli()))
	item, err := s.touch(ctx, noticeKey(n.Organization, n.Session), settle, own.And(unsettled))
	return text(item, "attempt") == n.Attempt && text(item, "status") == n.Status.String(), err
}

// NoticeIn is the session whose notice a stream's new image is, by the image's
// text attributes; false for any other item.
func NoticeIn(image map[string]string) (organization, session string, ok bool) {
	return sessionIn(image, key.isNotice)
}

// MarkIn is the session of the acting mark that a stream's old image was;
// false for any other item.
func MarkIn(image map[string]string) (organization, session string, ok bool) {
	return sessionIn(image, key.isMark)
}

// sessionIn is the session that an image names, if its key is of this kind.
func sessionIn(image map[string]string, is func(key) bool) (organization, session string, ok bool) {
	organization, session = image["organization"], image["session"]
	ok = is(key{image["pk"], image["sk"]}) && organization != "" && session != ""
	return organization, session, ok
}
