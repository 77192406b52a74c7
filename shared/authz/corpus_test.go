package authz

import (
	"path/filepath"
	"testing"
	"time"
)

// now is the time of the corpus' questions: what had ended by 2020 is over,
// what ends in 2090 is not.
var now = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

func TestCorpus(t *testing.T) {
	judged := map[Action]map[bool]int{}
	for _, file := range corpusFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			w, cases := readCorpus(t, file)
			m := Compile(w.policy)
			for i, c := range cases {
				a, r := w.question(t, c)
				u, ok := w.users[c.Subject]
				if !ok {
					t.Fatalf("case %d: no user %q", i, c.Subject)
				}
				d := m.Decide(m.Subject(u, now), a, r)
				if d.Allowed != c.Decision {
					t.Errorf("case %d: %s %s %s %q: %v (%s), want %v", i, c.Subject, c.Action, c.Resource.Type, c.Resource.ID, d.Allowed, d.Reason, c.Decision)
				}
				if judged[a] == nil {
					judged[a] = map[bool]int{}
				}
				judged[a][d.Allowed]++
			}
		})
	}
	for a := NoAction + 1; a < SignIn; a++ {
		if a == DoShareItemLists {
			continue // the corpus has none; decideCases do
		}
		if len(judged[a]) < 2 {
			t.Errorf("%s: cases %v, want both answers", a, judged[a])
		}
	}
}
