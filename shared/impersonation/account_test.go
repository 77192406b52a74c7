package impersonation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"gemba/shared/directory"
	"gemba/shared/timeline"
)

// recorded is a timeline of so many entries of a session, every tenth of which was
// refused, among as many that were done in person, and after some that were before.
type recorded struct {
	Delivery
	before, entries, read int
	fails                 error
}

func (r *recorded) Entries(_ context.Context, _ string, s timeline.Stretch) ([]timeline.Entry, string, error) {
	var out []timeline.Entry
	for i := range r.before + 2*r.entries {
		e := timeline.Entry{ID: fmt.Sprintf("%06d", i), Type: timeline.Persona, Action: "clear", Denied: (i-r.before)%20 == 0}
		if i >= r.before && i%2 == 0 {
			e.Session = "x"
		}
		if e.ID <= s.After {
			continue
		}
		if len(out) == s.Limit {
			return out, out[len(out)-1].ID, r.fails
		}
		out = append(out, e)
		r.read++
	}
	return out, "", r.fails
}

// A receipt counts all that was done, and refused, in the session and nothing else,
// and says so where it stops counting (I7).
func TestTheAccountOfASession(t *testing.T) {
	s := Session{ID: "x", Actor: directory.Named{ID: "actor"}, Started: time.Unix(0, 0), Ended: time.Unix(60, 0)}
	for _, c := range []struct {
		entries, told, more, refused int
		open                         bool
	}{
		{0, 0, 0, 0, false},
		{10, 9, 0, 1, false},
		{111, 99, 0, 12, false},
		{120, 100, 8, 12, false},
		{2400, 100, 2060, 240, false},
		{4000, 100, 2150, 250, true},
	} {
		store := &recorded{entries: c.entries}
		a, err := (&Notifier{store: store}).account(t.Context(), s)
		if err != nil || len(a.done) != c.told || a.more != c.more || a.refused != c.refused || a.open != c.open {
			t.Errorf("%d entries: %d told, %d more, %d refused, open %t, %v; want %+v", c.entries, len(a.done), a.more, a.refused, a.open, err, c)
		}
		if store.read > 5000 {
			t.Errorf("%d entries were read for one mail", store.read)
		}
	}
	store := &recorded{entries: 1, fails: errors.New("broken")}
	if _, err := (&Notifier{store: store}).account(t.Context(), s); err == nil {
		t.Error("an account of nothing that could be read")
	}
}

// TestI7NobodyHidesWhatTheyDidBehindWhatTheyDidBefore: who fills their own record
// first, in person or by attempts that are refused, does not make the receipt say that
// nothing was changed, nor how much was.
func TestI7NobodyHidesWhatTheyDidBehindWhatTheyDidBefore(t *testing.T) {
	s := Session{ID: "x", Actor: directory.Named{ID: "actor", Name: "Ada"}, Started: time.Unix(0, 0), Ended: time.Unix(60, 0), Cause: SignedOut}
	m := Mail{To: "maria@example.org", Actor: "Ada", Product: "Gemba", About: "x"}
	for before, wants := range map[int]string{
		6000: "shown to you by GET /v1/impersonations/x.",
		4990: "- and perhaps more.",
		4700: "- and at least",
	} {
		a, err := (&Notifier{store: &recorded{before: before, entries: 200}}).account(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		l := m.receiptLetter(s, a)
		if !strings.Contains(l.Text, wants) || strings.Contains(l.Text, receiptNone) {
			t.Errorf("after %d others, it says:\n%s", before, l.Text)
		}
	}
}

// TestAnAccountThatIsOpenClaimsNoMoreThanItRead: none of its numbers is the whole.
func TestAnAccountThatIsOpenClaimsNoMoreThanItRead(t *testing.T) {
	for _, c := range []struct {
		a     account
		wants string
	}{
		{account{refused: 1, open: true}, "At least 1 of the attempts was refused and changed nothing."},
		{account{refused: 7, open: true}, "At least 7 of the attempts were refused and changed nothing."},
		{account{refused: 1}, "One attempt was refused and changed nothing."},
		{account{refused: 7}, "7 attempts were refused and changed nothing."},
	} {
		if got := c.a.refusals(); got != c.wants {
			t.Errorf("%+v: %s", c.a, got)
		}
	}
}
