package impersonation

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/letter"
	"gemba/shared/timeline"
)

// This file tells an organization's observers what they should look at. What is in
// the record alerts, and nothing else does: a start and a refusal by the stream of
// the timeline, mail that does not go by the sweep. The sweep also tells again what
// happened in the last day, so that no alert is lost by a stream that gave up, or by
// whoever takes the observers out of the settings for a while: who becomes an observer
// hears of the last day. Of starts it tells by the sessions, which nobody makes many
// of in passing, and not by their entries, among which anybody can write as many as
// they like. An observer is told of their own doing too, and of what was done to them.

// AlertKind is what an alert is about.
type AlertKind uint8

// The kinds. AdministratorStart is the start of a session on somebody who holds an
// admin permission; RepeatedFailures the failed proof after which no other is taken
// (I2); StuckMail a session's mail that has not gone (I8).
const (
	NoAlert AlertKind = iota
	AdministratorStart
	RepeatedFailures
	StuckMail
	AlertKindCount
)

var alertKindNames = [AlertKindCount]string{"", "administrator_start", "repeated_failures", "stuck_mail"}

// String is the kind's word.
func (k AlertKind) String() string {
	if k < AlertKindCount {
		return alertKindNames[k]
	}
	return ""
}

// Alert is what observers are told. Actor and Subject are the session's; of
// RepeatedFailures, Actor is who tried and Subject whom they named, who need not be
// there. At is when it happened. Failures counts those, Mail is the stuck one.
type Alert struct {
	Kind           AlertKind
	Organization   string
	Session        string
	Actor, Subject timeline.Person
	At             time.Time
	Failures       int
	Mail           Mail
}

// Observing is an organization with its observers, those who are there.
type Observing struct {
	directory.Organization
	Observers []directory.User
}

// Observed is what alerts need of storage.
type Observed interface {
	// Observers are an organization's.
	Observers(ctx context.Context, organization string) (Observing, error)
	// Mails are those of these names, in their order; zero for one that is not
	// there.
	Mails(ctx context.Context, names []Mail) ([]Mail, error)
	// Recent are an organization's entries of a type from one time on and before
	// another, newest first, so many at most; of the last moments some may be
	// missing.
	Recent(ctx context.Context, organization string, kind timeline.Type, from, to time.Time, most int) ([]timeline.Entry, error)
}

// The members of an entry that alerts are read from.
const (
	administratorMember = "administrator"
	failuresMember      = "failures"
)

// AlertOf is the alert that an entry of the timeline asks for; false for none.
func AlertOf(organization string, e timeline.Entry) (Alert, bool) {
	a := Alert{Organization: organization, At: e.At}
	switch {
	case e.Type != timeline.Impersonation || e.Action != "start":
		return Alert{}, false
	case !e.Denied && e.After[administratorMember] == true:
		a.Kind, a.Session, a.Actor, a.Subject = AdministratorStart, e.Target.ID, e.Impersonator, e.Subject
	case e.Denied && number(e.After[failuresMember]) >= mostFailures:
		a.Kind, a.Actor, a.Subject, a.Failures = RepeatedFailures, e.Subject, timeline.Person{ID: e.Target.ID}, number(e.After[failuresMember])
	default:
		return Alert{}, false
	}
	return a, true
}

// number is a whole number of an entry: an int when it is made, a float64 when it
// is read.
func number(v any) int {
	switch n := v.(type) {
	case int:
		return n
	case float64:
		return int(n)
	}
	return 0
}

// stuckAlert tells that the session's mail has not gone.
func stuckAlert(s Session, m Mail, now time.Time) Alert {
	return Alert{
		Kind: StuckMail, Organization: s.Organization, Session: s.ID, At: now, Mail: m,
		Actor: timeline.Person(s.Actor), Subject: timeline.Person(s.Subject),
	}
}

// about names what the alert is about, so that it is told once: a session's start,
// each mail of a session, and the failures of an actor in a window of the clock,
// however many more there are in it.
func (a Alert) about() string {
	switch a.Kind {
	case RepeatedFailures:
		return a.Kind.String() + "." + a.Actor.ID + "." + strconv.FormatInt(a.At.Unix()/int64(failureWindow/time.Second), 10)
	case StuckMail:
		return a.Session + "." + a.Mail.Kind.String()
	}
	return a.Session
}

// Alert tells an organization's observers, each address once however often it is
// asked, and goes on past one that cannot be told. An error means that it is to be
// asked again.
func (n *Notifier) Alert(ctx context.Context, a Alert, now time.Time) error {
	to, err := n.store.Observers(ctx, a.Organization)
	if err != nil {
		return err
	}
	return n.alert(ctx, to, a, now)
}

const (
	// remindWindow is for how long what happened is told again. It is longer than a
	// stream keeps trying.
	remindWindow = 24 * time.Hour
	// mostReminded bounds how many entries a sweep reads for it: who may not start
	// anything can still write very many.
	mostReminded = 1000
)

// remindStart tells observers again of a start on an administrator.
func (n *Notifier) remindStart(ctx context.Context, s Session, now time.Time, observers func() (Observing, error)) error {
	if age := now.Sub(s.Started); !s.Administrator || age < patience || age > remindWindow {
		return nil
	}
	to, err := observers()
	if err != nil {
		return err
	}
	return n.alert(ctx, to, startAlert(s), now)
}

// startAlert tells of a session on an administrator.
func startAlert(s Session) Alert {
	return Alert{
		Kind: AdministratorStart, Organization: s.Organization, Session: s.ID, At: s.Started,
		Actor: timeline.Person(s.Actor), Subject: timeline.Person(s.Subject),
	}
}

// remind tells observers again of the repeated failures that the record of the last
// day tells of, but for those that the stream may still be about.
func (n *Notifier) remind(ctx context.Context, o string, now time.Time, observers func() (Observing, error)) error {
	to, err := observers()
	if err != nil || len(to.Observers) == 0 {
		return err
	}
	entries, err := n.store.Recent(ctx, o, timeline.Impersonation, now.Add(-remindWindow), now.Add(-patience), mostReminded)
	failures := []error{err}
	for _, e := range entries {
		if a, ok := AlertOf(o, e); ok && a.Kind != AdministratorStart {
			failures = append(failures, n.alert(ctx, to, a, now))
		}
	}
	return errors.Join(failures...)
}

// alert hands over what the outbox does not say of already that it was told.
func (n *Notifier) alert(ctx context.Context, to Observing, a Alert, now time.Time) error {
	mails := a.mails(to)
	if len(mails) == 0 {
		return nil
	}
	known, err := n.store.Mails(ctx, mails)
	if err != nil {
		return err
	}
	var failures []error
	for i, m := range mails {
		switch {
		case known[i].settled():
		case directory.Late(ctx, alertReserve):
			failures = append(failures, fault.New(fault.Unavailable, "late", ""))
		default:
			failures = append(failures, n.tellObserver(ctx, to, a, m, now))
		}
	}
	return errors.Join(failures...)
}

// alertReserve is the time before the context's end in which no observer's mail is
// begun, so that what became of it can be recorded.
const alertReserve = 8 * time.Second

func (n *Notifier) tellObserver(ctx context.Context, to Observing, a Alert, m Mail, now time.Time) error {
	if err := n.store.QueueMail(ctx, m); err != nil {
		return err
	}
	return n.post.hand(ctx, m, now, func(m Mail) (Letter, error) { return a.letter(to.Organization, m), nil })
}

// mails are the alert's to each address of the observers, which several may share
// (U1); who is inactive is told nothing.
func (a Alert) mails(to Observing) []Mail {
	var mails []Mail
	seen := map[string]bool{}
	for _, u := range to.Observers {
		address := strings.ToLower(u.Email)
		if u.Email == "" || u.Type == authz.Inactive || seen[address] {
			continue
		}
		seen[address] = true
		mails = append(mails, Mail{
			Organization: a.Organization, About: a.about(), Kind: AlertMail, Status: Queued,
			To: u.Email, Actor: a.Actor.Name, Product: to.Settings.ProductName,
		})
	}
	return mails
}

// The words of alerts. What is in braces is put in.
var alertWords = [AlertKindCount]struct{ subject, what, todo string }{
	AdministratorStart: {
		"{product}: {actor} has signed in as an administrator",
		"{actor} ({actorID}) has signed in as {subject} ({subjectID}), who holds administrative permissions, at {at}. The impersonation is {session}.",
		"If this was not agreed: a system administrator, or whoever administers {actor}, ends it by DELETE /v1/impersonations/{session}, and sees by GET how long it lasts, what was done in it, and what became of the notice to {subject}.",
	},
	RepeatedFailures: {
		"{product}: {actor} failed repeatedly to prove who they are",
		"{actor} ({actorID}) wanted to sign in as another user ({subjectID}) and failed to prove who they are {failures} times within 15 minutes, the last time at {at}. Further attempts are refused until these are 15 minutes old.",
		"If this was somebody else at the account of {actor}: whoever administers {actor} shuts it by DELETE /v1/users/{actorID}/sign-in. A system administrator sees every attempt by GET /v1/timeline?type=impersonation&person={actorID}.",
	},
	StuckMail: {
		"{product}: a mail about an impersonation has not gone out",
		"{actor} ({actorID}) has signed in as {subject} ({subjectID}), and the {mail} about it {became}, as of {at}. The impersonation is {session}.",
		"Tell {subject} yourself. A system administrator sees by GET /v1/impersonations/{session} what becomes of the {mail}. If there are more of these, have sending by Amazon SES looked at.",
	},
}

// becameWords say of a mail that has not gone what became of it.
var becameWords = [MailStatusCount]string{
	Queued: "is still waiting to be sent", Failed: "was refused for good", Unknown: "may or may not have arrived",
}

const (
	alertHeader = "Impersonation Alert"
	alertWhy    = "You get this mail because you observe the impersonations of {organization}."
)

// letter is the alert's to an address. Names are text in it, whatever they hold
// (T5).
func (a Alert) letter(o directory.Organization, m Mail) Letter {
	words := alertWords[a.Kind]
	named := strings.NewReplacer(
		"{product}", m.Product, "{organization}", o.Name, "{session}", a.Session,
		"{actor}", a.Actor.Name, "{actorID}", a.Actor.ID, "{subject}", a.Subject.Name, "{subjectID}", a.Subject.ID,
		"{at}", instant(a.At)+" UTC", "{failures}", strconv.Itoa(a.Failures),
		"{mail}", a.Mail.Kind.String(), "{became}", becameWords[a.Mail.Status],
	).Replace
	l := Letter{To: m.To, Subject: letter.Line(named(words.subject))}
	l.Text, l.HTML = letter.Set(alertHeader, []letter.Part{{Says: named(words.what)}, {Says: named(words.todo)}, {Says: named(alertWhy)}})
	return l
}
