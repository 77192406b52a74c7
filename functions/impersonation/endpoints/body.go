package endpoints

import (
	"time"

	"gemba/shared/directory"
	"gemba/shared/impersonation"
)

// sessionBody is a session as the contract has it; endedAt and cause are there
// when it has ended.
type sessionBody struct {
	ID        string     `json:"id"`
	Actor     personBody `json:"actor"`
	Subject   personBody `json:"subject"`
	Mode      string     `json:"mode"`
	Reason    string     `json:"reason,omitempty"`
	StartedAt time.Time  `json:"startedAt"`
	ExpiresAt time.Time  `json:"expiresAt"`
	EndsAt    time.Time  `json:"endsAt"`
	EndedAt   *time.Time `json:"endedAt,omitempty"`
	Cause     string     `json:"cause,omitempty"`
	Notice    noticeBody `json:"notice"`
	Banner    bannerBody `json:"banner"`
}

type personBody struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// noticeBody tells nothing of the mail's address: the actor need not know it.
type noticeBody struct {
	Status string `json:"status"`
	Why    string `json:"why,omitempty"`
}

type bannerBody struct {
	Text    string `json:"text"`
	SignOut string `json:"signOut"`
}

func bodyOf(s impersonation.Session) sessionBody {
	b := sessionBody{
		ID: s.ID, Actor: person(s.Actor), Subject: person(s.Subject), Mode: s.Mode.String(), Reason: s.Reason,
		StartedAt: s.Started.UTC(), ExpiresAt: s.Expires().UTC(), EndsAt: s.Ends.UTC(), Cause: s.Cause.String(),
		Notice: noticeBody{Status: s.Notice.Status.String(), Why: s.Notice.Why}, Banner: bannerBody(s.Banner()),
	}
	if s.Cause != impersonation.NoCause {
		ended := s.Ended.UTC()
		b.EndedAt = &ended
	}
	return b
}

func person(n directory.Named) personBody { return personBody{n.ID, n.Name} }
