package impersonation_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
	"gemba/shared/timeline"
)

func TestGet(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, local, maria)
	cases := []struct {
		rule, caller string
		sees         bool
	}{
		{"the actor", local, true},
		{"the subject", maria, true},
		{"I5 an administrator of the actor", admin, true},
		{"I5 a system administrator", system, true},
		{"T4 somebody else", bob, false},
		{"T4 who may impersonate but administers nobody", unpaired, false},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			got, err := w.service.Get(t.Context(), w.caller(t, c.caller), s.ID)
			switch {
			case c.sees && (err != nil || got.ID != s.ID || got.Notice.Status != impersonation.Queued):
				t.Errorf("got %+v, %v", got, err)
			case !c.sees && !fault.Is(err, fault.NotFound):
				t.Errorf("got %v, want NotFound", err)
			}
		})
	}
	if _, err := w.service.Get(t.Context(), w.caller(t, admin), "nothing"); !fault.Is(err, fault.NotFound) {
		t.Errorf("one that does not exist: got %v", err)
	}
}

func TestGetTellsTheTruth(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	_, err := w.ClaimMail(t.Context(), w.mail(s.ID, "attempt"), w.clock.Now())
	must(t, err)
	w.clock.Advance(16 * time.Minute)
	got, err := w.service.Get(t.Context(), w.caller(t, maria), s.ID)
	must(t, err)
	if got.Cause != impersonation.Idle || got.Notice.Status != impersonation.Unknown {
		t.Errorf("I4, I8: got %q and %q, want idle and unknown", got.Cause, got.Notice.Status)
	}
	w.ended(t, s.ID, impersonation.Idle, s.Started.Add(5*time.Minute))
}

func TestSignOut(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, admin, maria)
	w.clock.Advance(time.Minute)
	at := w.clock.Now()
	for range 2 {
		got, err := w.service.End(t.Context(), w.caller(t, admin), s.ID)
		must(t, err)
		if got.Cause != impersonation.SignedOut {
			t.Errorf("I5: got %q", got.Cause)
		}
		w.clock.Advance(time.Minute)
	}
	w.ended(t, s.ID, impersonation.SignedOut, at)
	if _, err := w.resume(t, admin, s.ID); code(err) != "impersonation_invalid" {
		t.Errorf("I5 there is no way back: got %v", err)
	}
}

func TestSignOutFromWithin(t *testing.T) {
	for _, mode := range []impersonation.Mode{impersonation.Full, impersonation.ReadOnly} {
		t.Run("I5 "+mode.String(), func(t *testing.T) {
			w := newWorld(t)
			r := w.password(admin, maria)
			r.Mode = mode
			s, err := w.service.Start(t.Context(), w.caller(t, admin, maria), r)
			must(t, err)
			got, err := w.service.End(t.Context(), w.acting(t, s), s.ID)
			if err != nil || got.Cause != impersonation.SignedOut {
				t.Errorf("got %q, %v", got.Cause, err)
			}
		})
	}
}

func TestRevoke(t *testing.T) {
	cases := []struct {
		rule, caller string
		kind         fault.Kind
		ends         bool
	}{
		{"I5 an administrator of the actor", admin, 0, true},
		{"I5 a system administrator", system, 0, true},
		{"I5 not the subject", maria, fault.Denied, false},
		{"T4 nobody else", bob, fault.NotFound, false},
	}
	for _, c := range cases {
		t.Run(c.rule, func(t *testing.T) {
			w := newWorld(t)
			s := w.start(t, local, maria)
			_, err := w.service.End(t.Context(), w.caller(t, c.caller), s.ID)
			if c.ends {
				must(t, err)
				w.ended(t, s.ID, impersonation.Revoked, s.Started)
				if by := w.entries(t, "end")[0].After["by"]; by != c.caller {
					t.Errorf("T1: the entry says by %v", by)
				}
				return
			}
			if !fault.Is(err, c.kind) {
				t.Errorf("got %v, want %s", err, c.kind)
			}
			if w.session(t, s.ID).Cause != impersonation.NoCause {
				t.Error("it ended")
			}
			if told := w.entries(t, "end"); len(told) != 1 || !told[0].Denied {
				t.Errorf("T1: %+v", told)
			}
		})
	}
}

func TestRevokeFromWithinASession(t *testing.T) {
	w := newWorld(t)
	target := w.start(t, local, maria)
	r := w.password(admin, manager)
	r.Mode = impersonation.ReadOnly
	looking, err := w.service.Start(t.Context(), w.caller(t, admin, manager), r)
	must(t, err)
	for _, id := range []string{target.ID, "none"} {
		if _, err := w.service.End(t.Context(), w.acting(t, looking), id); code(err) != "read_only" {
			t.Fatalf("I6 read_only refuses every write first of all: got %v", err)
		}
	}
	if denied := len(w.entries(t, "end")); denied != 2 {
		t.Errorf("T1: %d entries", denied)
	}
	_, err = w.service.End(t.Context(), w.caller(t, admin), looking.ID)
	must(t, err)
	// manager administers users, maria does not: only together with the
	// subject has the actor the right.
	asBob := w.start(t, admin, bob)
	if _, err := w.service.End(t.Context(), w.acting(t, asBob), target.ID); !fault.Is(err, fault.NotFound) {
		t.Fatalf("I6 the subject lacks the right: got %v", err)
	}
	_, err = w.service.End(t.Context(), w.caller(t, admin), asBob.ID)
	must(t, err)
	full := w.start(t, admin, manager)
	got, err := w.service.End(t.Context(), w.acting(t, full), target.ID)
	if err != nil || got.Cause != impersonation.Revoked {
		t.Errorf("I6 both have it: got %q, %v", got.Cause, err)
	}
	e := w.entries(t, "end")[0]
	if e.After["by"] != manager || e.After["byImpersonator"] != admin || e.Session != full.ID {
		t.Errorf("I7 who revoked, as whom, is in the entry: %v in %q", e.After, e.Session)
	}
	acts := timeline.Acts{Session: full.ID, Actor: admin, From: full.Started, To: full.Ends}
	done, _, err := timeline.InSession(t.Context(), w.Store, w.org, acts, timeline.Page{Limit: 10})
	if err != nil || len(done) != 1 || done[0].ID != e.ID {
		t.Errorf("I7 the revocation is among what was done in the session: %v, %v", done, err)
	}
}

// listed is the ids of a whole list, read in pages.
func (w *world) listed(t *testing.T, caller directory.Caller, q impersonation.Query, limit int) []string {
	t.Helper()
	var ids []string
	page := directory.Page{Limit: limit}
	for {
		sessions, end, err := w.service.List(t.Context(), caller, q, page)
		must(t, err)
		if len(sessions) > limit {
			t.Fatalf("a page of %d, more than %d", len(sessions), limit)
		}
		for _, s := range sessions {
			ids = append(ids, s.ID)
		}
		if page.After = end; end == "" {
			return ids
		}
	}
}

func TestList(t *testing.T) {
	w := newWorld(t)
	begin := func(actor, subject string) string {
		w.clock.Advance(time.Second)
		return w.start(t, actor, subject).ID
	}
	end := func(actor, id string) string {
		_, err := w.service.End(t.Context(), w.caller(t, actor), id)
		must(t, err)
		return id
	}
	a := end(admin, begin(admin, maria))
	b := begin(local, maria)
	c := end(admin, begin(admin, local))
	d := begin(admin, bob)
	e := begin(vendor, maria)
	cases := []struct {
		rule, caller string
		query        impersonation.Query
		want         []string
	}{
		{"a system administrator sees all", system, impersonation.Query{}, []string{e, d, c, b, a}},
		{"those that last", system, impersonation.Query{Active: true}, []string{e, d, b}},
		{"one's own", admin, impersonation.Query{}, []string{d, c, a}},
		{"one's own, and those on oneself", local, impersonation.Query{}, []string{c, b}},
		{"a subject sees those on itself", maria, impersonation.Query{}, []string{e, b, a}},
		{"those on oneself that last", maria, impersonation.Query{Active: true}, []string{e, b}},
		{"an actor's, to an administrator of the actor", admin, impersonation.Query{Actor: local}, []string{b}},
		{"an actor's, to that actor", local, impersonation.Query{Actor: local}, []string{b}},
		{"an actor's, to a system administrator", system, impersonation.Query{Actor: admin, Active: true}, []string{d}},
		{"nobody's", bob, impersonation.Query{Active: true}, []string{d}},
		{"none", setup, impersonation.Query{}, nil},
	}
	for _, k := range cases {
		for _, limit := range []int{1, 2, 50} {
			t.Run(k.rule, func(t *testing.T) {
				if got := w.listed(t, w.caller(t, k.caller, admin, local), k.query, limit); !slices.Equal(got, k.want) {
					t.Errorf("in pages of %d: got %v, want %v", limit, got, k.want)
				}
			})
		}
	}
	for _, actor := range []string{admin, nobody} {
		if _, _, err := w.service.List(t.Context(), w.caller(t, local, actor), impersonation.Query{Actor: actor}, directory.Page{Limit: 5}); !fault.Is(err, fault.NotFound) {
			t.Errorf("T4 the sessions of %s, to a local administrator who does not reach them: got %v", actor, err)
		}
	}
	w.clock.Advance(5*time.Minute + 1*time.Second)
	if got := w.listed(t, w.caller(t, maria), impersonation.Query{Active: true}, 50); got != nil {
		t.Errorf("I4: %v last, though nobody came back", got)
	}
	if s := w.session(t, b); s.Cause != impersonation.Idle {
		t.Errorf("I4: the listing left %q", s.Cause)
	}
}

func TestAListGoesOnAfterNothingButASession(t *testing.T) {
	w := newWorld(t)
	for _, after := range []string{"#", strings.Repeat("x", 2000), "\x00"} {
		_, _, err := w.service.List(t.Context(), w.caller(t, system), impersonation.Query{}, directory.Page{Limit: 2, After: after})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("after %.5q: %v", after, err)
		}
	}
}

// TestT1WhoIsRefusedToEndASessionIsRecorded, in the same way whether or not there is
// such a one: one answer, one form of entry.
func TestT1WhoIsRefusedToEndASessionIsRecorded(t *testing.T) {
	w := newWorld(t)
	s := w.start(t, local, maria)
	for id, code := range map[string]string{s.ID: "not_found", "nothing": "not_found"} {
		if _, err := w.service.End(t.Context(), w.caller(t, bob), id); !fault.Is(err, fault.NotFound) {
			t.Errorf("T4 %q: %v", id, err)
		}
		told := slices.DeleteFunc(w.entries(t, "end"), func(e timeline.Entry) bool { return e.Target.ID != id })
		if len(told) != 1 || !told[0].Denied || told[0].Cause != code || told[0].Subject.ID != bob || told[0].Session != "" {
			t.Errorf("T1 %q: %+v", id, told)
		}
	}
	if _, cause := w.session(t, s.ID).Over(w.clock.Now()); cause != impersonation.NoCause {
		t.Errorf("it ended by %v", cause)
	}
}
