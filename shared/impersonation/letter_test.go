package impersonation

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/timeline"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden holds a letter to its file.
func golden(t *testing.T, name string, l Letter) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	got := strings.Join([]string{"To: " + l.To, "Subject: " + l.Subject, "", l.Text, "-----", l.HTML}, "\n")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// hostile are names that would be more than names if they could (T5).
const hostile = "<b onclick=\"x\">O'Neil & {product}</b>\r\nBcc: evil@example.org\u2028\u202egnp.exe"

func TestLetter(t *testing.T) {
	cases := map[string]Mail{
		"letter":         {To: "maria@example.org", Actor: "Ada Admin", Product: "KaiNexus"},
		"letter-escaped": {To: "maria@example.org", Actor: `<b onclick="x">O'Neil & {product}</b>`, Product: "Gemba <3"},
	}
	for name, m := range cases {
		t.Run("I8 T5 "+name, func(t *testing.T) { golden(t, name, m.NoticeLetter()) })
	}
}

func TestReceiptLetter(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 1, 0, 0, time.UTC)
	persona := func(i int) timeline.Entry {
		return timeline.Entry{
			At: at.Add(time.Duration(i) * time.Second), Type: timeline.Persona, Action: "change",
			Target: timeline.Target{Type: "user", ID: fmt.Sprintf("user-%d", i)}, Before: timeline.Values{"persona": "frontline"}, After: timeline.Values{"persona": "leader"},
		}
	}
	several := []timeline.Entry{
		persona(30),
		{At: at.Add(time.Minute), Type: timeline.Assignment, Action: "assign", Target: timeline.Target{Type: "user", ID: "maria"}, After: timeline.Values{"role": "lead"}},
		{At: at.Add(80 * time.Second), Type: timeline.User, Action: "user_administrator", Denied: true},
		{At: at.Add(90 * time.Second), Type: timeline.Location, Action: "edit", Target: timeline.Target{Type: "location", ID: "ward"}, Before: timeline.Values{"name": "Ward"}, After: timeline.Values{"name": hostile}},
	}
	many := []timeline.Entry{}
	for i := range 123 {
		many = append(many, persona(i))
	}
	denied := []timeline.Entry{{Denied: true}, {Denied: true}}
	usual := Mail{To: "maria@example.org", Actor: "Ada Admin", Product: "KaiNexus"}
	cases := []struct {
		name    string
		mail    Mail
		mode    Mode
		entries []timeline.Entry
		open    bool
	}{
		{"receipt-nothing", usual, Full, nil, false},
		{"receipt-read-only", usual, ReadOnly, denied, false},
		{"receipt-several", usual, Full, several, false},
		{"receipt-many", usual, Full, many, false},
		{"receipt-open", usual, Full, many, true},
		{"receipt-unread", usual, Full, denied, true},
		{"receipt-hostile", Mail{To: "maria@example.org", Actor: hostile, Product: "Gemba\r\n<3"}, Full, several, false},
	}
	for _, c := range cases {
		t.Run("I8 T5 "+c.name, func(t *testing.T) {
			a := account{open: c.open}
			for _, e := range c.entries {
				a.add(e)
			}
			c.mail.About = "01KB6V3M5Q"
			golden(t, c.name, c.mail.receiptLetter(Session{ID: "01KB6V3M5Q", Started: at, Ended: at.Add(4 * time.Minute), Cause: SignedOut, Mode: c.mode}, a))
		})
	}
}

// Each cause of an end has words of its own (I4).
func TestReceiptTellsEachCause(t *testing.T) {
	var said []string
	for c := NoCause + 1; c < CauseCount; c++ {
		m := Mail{To: "maria@example.org", Actor: "Ada Admin", Product: "KaiNexus", About: "x"}
		l := m.receiptLetter(Session{Cause: c}, account{})
		says := strings.TrimSuffix(strings.SplitN(l.Text, " to 0001-01-01 00:00:00. ", 2)[1], " Times are in UTC.\n\nNothing was changed.\n\nPlease contact your KaiNexus Administrator, Ada Admin, with any questions.\n")
		said = append(said, c.String()+": "+says)
	}
	want := []string{
		"signed_out: Ada Admin signed out.",
		"idle: It ended by itself, after a pause without any request.",
		"expired: It ended by itself, as the longest time that it may last was over.",
		"revoked: It was ended by another administrator.",
		"right_lost: It ended because Ada Admin lost the right to it.",
		"inactive: It ended because your account or that of Ada Admin was made inactive.",
		"disabled: It ended because your organization switched off signing in as somebody else.",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
