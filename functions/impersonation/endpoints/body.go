package endpoints

import (
	"time"

	"gemba/shared/body"
	"gemba/shared/impersonation"
)

// sessionBody is a session as the contract has it; endedAt and cause are there
// when it has ended, receipt when the subject is told of that.
type sessionBody struct {
	ID        string      `json:"id"`
	Actor     body.Named  `json:"actor"`
	Subject   body.Named  `json:"subject"`
	Mode      string      `json:"mode"`
	Reason    string      `json:"reason,omitempty"`
	StartedAt time.Time   `json:"startedAt"`
	ExpiresAt time.Time   `json:"expiresAt"`
	EndsAt    time.Time   `json:"endsAt"`
	EndedAt   *time.Time  `json:"endedAt,omitempty"`
	Cause     string      `json:"cause,omitempty"`
	Notice    mailBody    `json:"notice"`
	Receipt   *mailBody   `json:"receipt,omitempty"`
	Banner    body.Banner `json:"banner"`
}

// mailBody tells nothing of the mail's address: the actor need not know it.
type mailBody struct {
	Status string `json:"status"`
	Why    string `json:"why,omitempty"`
}

func mailOf(m impersonation.Mail) mailBody { return mailBody{m.Status.String(), m.Why} }

func bodyOf(s impersonation.Session) sessionBody {
	b := sessionBody{
		ID: s.ID, Actor: body.Named(s.Actor), Subject: body.Named(s.Subject), Mode: s.Mode.String(), Reason: s.Reason,
		StartedAt: s.Started.UTC(), ExpiresAt: s.Expires().UTC(), EndsAt: s.Ends.UTC(), Cause: s.Cause.String(),
		Notice: mailOf(s.Notice), Banner: body.Banner(s.Banner()),
	}
	if s.Cause != impersonation.NoCause {
		ended := s.Ended.UTC()
		b.EndedAt = &ended
		if s.Receipt.Status != impersonation.NoMail {
			receipt := mailOf(s.Receipt)
			b.Receipt = &receipt
		}
	}
	return b
}
