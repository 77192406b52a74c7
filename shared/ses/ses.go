// Package ses hands mail to Amazon SES.
//
// It decides what became of a mail, so that its caller knows whether to send
// it again: the answer is never a guess. It sends one request for one mail and
// retries nothing, since a request whose answer was lost may have been obeyed.
// It refuses to know what mails say, and lets nothing into a header that could
// begin another one (T5).
package ses

import (
	"context"
	"errors"
	"net/http/httptrace"
	"net/mail"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"gemba/shared/fault"
	"gemba/shared/letter"
)

// Mail is one mail to one address. Text and HTML say the same.
type Mail struct {
	To, Subject, Text, HTML string
}

// The codes of what did not become of a mail.
const (
	// Refused is Unprocessable: SES will not send this mail, ever.
	Refused = "mail_refused"
	// Later is Unavailable: SES does not have it, so it can be sent again.
	Later = "mail_unavailable"
	// Unclear is Internal: it may have been sent, and nobody can tell.
	Unclear = "mail_unclear"
)

// Sender sends mail from one address.
type Sender struct {
	api  *sesv2.Client
	from string
}

// NewSender sends from this address, which SES has verified; an empty endpoint
// is AWS's own.
func NewSender(cfg aws.Config, endpoint, from string) *Sender {
	return &Sender{from: from, api: sesv2.NewFromConfig(cfg, func(o *sesv2.Options) {
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
		o.Retryer = aws.NopRetryer{}
	})}
}

// Send hands the mail over; nil means that SES has taken it. Otherwise it is
// Unprocessable mail_refused, Unavailable mail_unavailable, or Internal
// mail_unclear, and only the second may be sent again.
func (s *Sender) Send(ctx context.Context, m Mail) error {
	if !address(m.To) || !address(s.from) {
		return fault.New(fault.Unprocessable, Refused, "The mail has no address to go to or to come from.")
	}
	var handed atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { handed.Store(true) }})
	_, err := s.api.SendEmail(ctx, &sesv2.SendEmailInput{
		FromEmailAddress: &s.from,
		Destination:      &types.Destination{ToAddresses: []string{m.To}},
		Content: &types.EmailContent{Simple: &types.Message{
			Subject: content(subject(m.Subject)),
			Body:    &types.Body{Text: content(m.Text), Html: content(m.HTML)},
		}},
	})
	if err == nil {
		return nil
	}
	return outcome(err, handed.Load())
}

// Mailer sends a use case's letters, which are mails by another name.
type Mailer[Letter ~struct{ To, Subject, Text, HTML string }] struct{ Sender *Sender }

// Send is the sender's Send.
func (m Mailer[Letter]) Send(ctx context.Context, l Letter) error { return m.Sender.Send(ctx, Mail(l)) }

func content(text string) *types.Content {
	return &types.Content{Data: &text, Charset: aws.String("UTF-8")}
}

// outcome tells what a failure means for the mail. An answer below 500 is a
// no, for now or for good; any other answer, or none to a request that got as
// far as a connection, leaves it unclear.
func outcome(err error, handed bool) error {
	var answer *smithyhttp.ResponseError
	cause := errors.New(code(err))
	switch {
	case !handed:
		return fault.Wrap(fault.Unavailable, Later, cause)
	case !errors.As(err, &answer) || answer.HTTPStatusCode() >= 500 || answer.HTTPStatusCode() < 400:
		return fault.Wrap(fault.Internal, Unclear, cause)
	case passes(err, answer.HTTPStatusCode()):
		return fault.Wrap(fault.Unavailable, Later, cause)
	}
	return fault.Wrap(fault.Unprocessable, Refused, cause)
}

// passes tells of a no whether it can turn into a yes without another mail: too
// many mails at once or today, sending paused, a sender whose domain is not seen
// to be verified, a role without the right, a request that came in too slowly.
func passes(err error, status int) bool {
	var (
		many     *types.TooManyRequestsException
		limit    *types.LimitExceededException
		paused   *types.SendingPausedException
		mailFrom *types.MailFromDomainNotVerifiedException
	)
	_, throttled := retry.DefaultThrottleErrorCodes[code(err)]
	return throttled || status == 401 || status == 403 || status == 408 || status == 429 ||
		errors.As(err, &many) || errors.As(err, &limit) || errors.As(err, &paused) || errors.As(err, &mailFrom)
}

// code is what of an error a log may have: SES repeats addresses in its
// messages.
func code(err error) string {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		return answer.ErrorCode()
	}
	return err.Error()
}

const (
	// mostAddress is how long an address may be (RFC 5321).
	mostAddress = 254
	// mostSubject is how many characters of a subject are sent; encoded, they stay
	// well below what a header may have.
	mostSubject = 300
)

// address tells whether the text is one bare address: no name, no comment, no
// list, no second line, and nothing that a reader would decode into another.
func address(text string) bool {
	parsed, err := mail.ParseAddress(text)
	return err == nil && parsed.Name == "" && parsed.Address == text && len(text) <= mostAddress &&
		!strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) &&
		!strings.ContainsAny(text, "[]") && !strings.Contains(text, "=?")
}

// subject is the text in one line that cannot begin another header, of bounded
// length, and that no reader decodes into another text.
func subject(text string) string {
	return letter.Short(strings.ReplaceAll(letter.Line(text), "=?", "= ?"), mostSubject)
}
