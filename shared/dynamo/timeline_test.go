package dynamo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/fault"
	"gemba/shared/timeline"
)

func entryAt(at time.Time, request string) timeline.Entry {
	return timeline.Entry{
		At: at, Type: timeline.Persona, Action: "set", RequestID: request,
		Subject: timeline.Person{ID: "s", Name: "S"}, Impersonator: timeline.Person{ID: "i", Name: "I"},
		Target: timeline.Target{Type: "user", ID: "t"}, After: timeline.Values{"persona": "leader"},
	}
}

func (b *bare) enter(e timeline.Entry) {
	b.t.Helper()
	if err := b.Record(b.t.Context(), "o", e); err != nil {
		b.t.Fatal(err)
	}
}

// requests walks a stretch and is its entries' request ids, with how many
// answers it took.
func (b *bare) requests(r timeline.Stretch) (ids []string, answers int) {
	b.t.Helper()
	for {
		entries, end, err := b.Entries(b.t.Context(), "o", r)
		if err != nil {
			b.t.Fatal(err)
		}
		if len(entries) > r.Limit {
			b.t.Errorf("%d entries of at most %d", len(entries), r.Limit)
		}
		answers++
		for _, e := range entries {
			ids = append(ids, e.RequestID)
		}
		if end == "" {
			return ids, answers
		}
		r.After = end
	}
}

func TestT1AnEntryIsCopiedForEachPersonInIt(t *testing.T) {
	own := entryAt(noon, "own")
	own.Impersonator, own.Target = timeline.Person{}, timeline.Target{Type: "user", ID: "s"}
	role := entryAt(noon, "role")
	role.Impersonator, role.Target = timeline.Person{}, timeline.Target{Type: "role", ID: "t"}
	nobody := role
	nobody.Subject = timeline.Person{Name: "operator"}
	for name, c := range map[string]struct {
		entry timeline.Entry
		want  []string
	}{
		"subject, impersonator and target": {entryAt(noon, "all"), []string{"TP#o#i", "TP#o#s", "TP#o#t"}},
		"somebody about themselves":        {own, []string{"TP#o#s"}},
		"a target that is nobody":          {role, []string{"TP#o#s"}},
		"a subject that is nobody":         {nobody, nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := openBare(t)
			b.enter(c.entry)
			var copies []string
			for k, item := range b.everything() {
				if k.pk == "T#o#2026-03" {
					if text(item, "gsi1pk") != "T#o#persona#2026-03" || text(item, "gsi1sk") != k.sk {
						t.Errorf("indexed under %q %q", text(item, "gsi1pk"), text(item, "gsi1sk"))
					}
					continue
				}
				copies = append(copies, k.pk)
				if text(item, "gsi1pk") != "" {
					t.Errorf("%v is indexed too", k)
				}
			}
			slices.Sort(copies)
			if !slices.Equal(copies, c.want) {
				t.Errorf("copies %q, want %q", copies, c.want)
			}
			for _, person := range append([]string{""}, "s") {
				found, _, err := b.Entries(t.Context(), "o", timeline.Stretch{
					Person: person, From: noon.Add(-time.Hour), To: noon.Add(time.Hour), Page: timeline.Page{Limit: 5},
				})
				if err != nil || len(found) > 1 || person == "" && len(found) == 0 {
					t.Fatalf("%d entries, %v", len(found), err)
				}
				for _, e := range found {
					want := c.entry
					want.ID = e.ID
					if diff := cmp.Diff(want, e); diff != "" || e.ID == "" {
						t.Errorf("%s", diff)
					}
				}
			}
		})
	}
}

func TestEntriesOfOneMomentKeepTheirOrder(t *testing.T) {
	b := openBare(t)
	var want []string
	for _, request := range []string{"first", "second", "third"} {
		b.enter(entryAt(noon, request))
		want = append([]string{request}, want...)
	}
	got, _ := b.requests(timeline.Stretch{From: noon, To: noon.Add(time.Millisecond), Page: timeline.Page{Limit: 2}})
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestT2AStretchIsWalkedBackOverItsMonths(t *testing.T) {
	b := openBare(t)
	times := map[string]time.Time{
		"january's first":   time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC),
		"january's last":    time.Date(2024, 1, 31, 23, 59, 59, 999_000_000, time.UTC),
		"february's first":  time.Date(2024, 2, 1, 0, 0, 0, 0, time.UTC),
		"leap day":          time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC),
		"two years later":   noon,
		"a millisecond on":  noon.Add(time.Millisecond),
		"in another's zone": time.Date(2026, 4, 1, 0, 30, 0, 0, time.FixedZone("CET", 3600)),
	}
	for request, at := range times {
		b.enter(entryAt(at, request))
	}
	whole := []string{"in another's zone", "a millisecond on", "two years later", "leap day", "february's first", "january's last", "january's first"}
	from, to := times["january's first"], time.Date(2026, 4, 2, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		from, to time.Time
		want     []string
	}{
		"all":                        {from, to, whole},
		"up to a moment":             {from, noon, whole[3:]},
		"up to within a millisecond": {from, noon.Add(time.Microsecond), whole[2:]},
		"from a moment":              {times["leap day"], to, whole[:4]},
		"one month's first moment":   {times["february's first"], times["leap day"], []string{"february's first"}},
		"a month without any":        {time.Date(2025, 5, 1, 0, 0, 0, 0, time.UTC), time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC), nil},
		"no time at all":             {noon, noon, nil},
		"backward":                   {to, from, nil},
		"before there was time":      {time.Time{}, time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC), nil},
	} {
		t.Run(name, func(t *testing.T) {
			for _, person := range []string{"", "i"} {
				for _, limit := range []int{1, 2, 3, 7, 500} {
					got, answers := b.requests(timeline.Stretch{Person: person, From: c.from, To: c.to, Page: timeline.Page{Limit: limit}})
					if !slices.Equal(got, c.want) {
						t.Errorf("person %q by %d: %q, want %q", person, limit, got, c.want)
					}
					if months := 27; answers > len(c.want)+1+months/monthsAPage+1 {
						t.Errorf("person %q by %d: %d answers", person, limit, answers)
					}
				}
			}
		})
	}
}

func TestRecentEntriesAreOfTheirTypeAndTime(t *testing.T) {
	b := openBare(t)
	first := time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)
	for i := range 7 {
		e := entryAt(first.Add(time.Duration(i-4)*time.Hour), fmt.Sprint(i))
		if i == 2 {
			e.Type = timeline.Role
		}
		b.enter(e)
	}
	for _, c := range []struct {
		from, to time.Duration
		most     int
		want     []string
	}{
		{-10 * time.Hour, 10 * time.Hour, 10, []string{"6", "5", "4", "3", "1", "0"}},
		{-10 * time.Hour, 10 * time.Hour, 4, []string{"6", "5", "4", "3"}},
		{-3 * time.Hour, time.Hour, 10, []string{"4", "3", "1"}},
		{-2 * time.Hour, 0, 10, []string{"3"}},
		{time.Hour, time.Hour, 10, nil},
		{time.Hour, 0, 10, nil},
	} {
		entries, err := b.Recent(t.Context(), "o", timeline.Persona, first.Add(c.from), first.Add(c.to), c.most)
		var got []string
		for _, e := range entries {
			got = append(got, e.RequestID)
		}
		if !slices.Equal(got, c.want) || err != nil {
			t.Errorf("from %s to %s, %d at most: %q, %v, want %q", c.from, c.to, c.most, got, err, c.want)
		}
	}
}

func TestOneAnswerLooksIntoABoundedNumberOfMonths(t *testing.T) {
	b := openBare(t)
	calls := b.counted(nil, func() {
		entries, end, err := b.Entries(t.Context(), "o", timeline.Stretch{From: noon.AddDate(-20, 0, 0), To: noon, Page: timeline.Page{Limit: 5}})
		if err != nil || len(entries) > 0 || end == "" {
			t.Errorf("%d entries, end %q, %v", len(entries), end, err)
		}
	})
	if calls["Query"] != monthsAPage {
		t.Errorf("%v", calls)
	}
}

func TestAPlaceThatIsNoneIsInvalid(t *testing.T) {
	b := openBare(t)
	b.enter(entryAt(noon, "x"))
	for after, want := range map[string]string{
		"text # from outside":          "invalid malformed",
		"01KJPWD6M030XFGT0CFQZM8B7":    "invalid malformed",
		"zzzzzzzzzzzzzzzzzzzzzzzzzz":   "invalid malformed",
		"7ZZZZZZZZZZZZZZZZZZZZZZZZZ":   "",
		"00000000000000000000000000":   "",
		lowest(noon.AddDate(9, 0, 0)):  "",
		lowest(noon.AddDate(-9, 0, 0)): "",
	} {
		for _, person := range []string{"", "s"} {
			_, _, err := b.Entries(t.Context(), "o", timeline.Stretch{
				Person: person, From: noon.Add(-time.Hour), To: noon.Add(time.Hour), Page: timeline.Page{Limit: 5, After: after},
			})
			if codeOf(err) != want {
				t.Errorf("%q: %v, want %q", after, err, want)
			}
		}
	}
}

func TestARecordThatFailsIsUnavailable(t *testing.T) {
	b := openBare(t)
	b.counted(failing("Query", 1, cancelledFor()), func() {
		_, _, err := b.Entries(t.Context(), "o", timeline.Stretch{From: noon, To: noon.Add(time.Hour), Page: timeline.Page{Limit: 5}})
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("%v", err)
		}
	})
	b.counted(failing("TransactWriteItems", 1, cancelledFor("ValidationError")), func() {
		if err := b.Record(t.Context(), "o", entryAt(noon, "x")); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%v", err)
		}
	})
}

// TestI7APersonsPartIsReadForward, oldest first, by any limit, and goes on at any
// place.
func TestI7APersonsPartIsReadForward(t *testing.T) {
	b := openBare(t)
	var all []string
	for i := range 7 {
		request := string(rune('a' + i))
		b.enter(entryAt(noon.Add(time.Duration(i)*time.Second), request))
		all = append(all, request)
	}
	b.enter(entryAt(noon.Add(-time.Millisecond), "before"))
	after := entryAt(noon.Add(7*time.Second), "after")
	b.enter(after)
	others := entryAt(noon.Add(time.Second), "others")
	others.Impersonator = timeline.Person{ID: "j", Name: "J"}
	b.enter(others)
	stretch := timeline.Stretch{Person: "i", Forward: true, From: noon, To: after.At}
	for _, limit := range []int{1, 2, 6, 7, 500} {
		stretch.Limit = limit
		if got, _ := b.requests(stretch); !slices.Equal(got, all) {
			t.Errorf("by %d: %v", limit, got)
		}
	}
	stretch.Limit = 3
	for name, c := range map[string]struct {
		after time.Time
		want  []string
	}{
		"a place before the stretch": {noon.Add(-time.Hour), all},
		"its beginning":              {noon, all},
		"a place in it":              {noon.Add(5 * time.Second), all[5:]},
		"its end":                    {after.At, nil},
		"a place after it":           {noon.Add(time.Hour), nil},
	} {
		stretch.After = lowest(c.after)
		if got, _ := b.requests(stretch); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	stretch.After, stretch.To = "", noon.Add(-time.Hour)
	if got, _ := b.requests(stretch); got != nil {
		t.Errorf("a stretch that ends before it begins: %v", got)
	}
	stretch.After = "text"
	if _, _, err := b.Entries(t.Context(), "o", stretch); codeOf(err) != "invalid malformed" {
		t.Errorf("%v", err)
	}
}

// TestI7ASessionIsReadAmongAllThatItsActorDid: another session before and after it,
// and work in person beside it, on the very borders and with clocks that differ.
func TestI7ASessionIsReadAmongAllThatItsActorDid(t *testing.T) {
	b := openBare(t)
	var want []string
	enter := func(at time.Duration, session, request string) {
		e := entryAt(noon.Add(at), request)
		e.Session = session
		b.enter(e)
		if session == "x" {
			want = append(want, request)
		}
	}
	enter(-30*time.Minute, "w", "before")
	enter(-time.Second, "x", "by an instance whose clock is late")
	enter(0, "w", "the last of the one before")
	enter(0, "x", "at its start")
	for i := range 60 {
		enter(time.Duration(i)*time.Second, "", "in person")
		enter(time.Duration(i)*time.Second+time.Millisecond, "x", time.Duration(i).String())
	}
	enter(time.Minute, "x", "at its end")
	enter(time.Minute, "y", "the first of the one after")
	enter(time.Minute+time.Second, "x", "denied while it was ended")
	enter(2*time.Hour, "y", "later")
	acts := timeline.Acts{Session: "x", Actor: "i", From: noon, To: noon.Add(time.Minute)}
	for _, limit := range []int{1, 10, 63, 64, 500} {
		var got []string
		page := timeline.Page{Limit: limit}
		for {
			entries, end, err := timeline.InSession(t.Context(), b.Store, "o", acts, page)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				got = append(got, e.RequestID)
			}
			if end == "" {
				break
			}
			page.After = end
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("by %d: %s", limit, diff)
		}
	}
}

// TestWhatAStoryCosts: one query of the actor's part, however much of it there is
// on a page.
func TestWhatAStoryCosts(t *testing.T) {
	b := openBare(t)
	for i := range 50 {
		e := entryAt(noon.Add(time.Duration(i)*time.Second), "x")
		e.Session = "x"
		b.enter(e)
	}
	acts := timeline.Acts{Session: "x", Actor: "i", From: noon, To: noon.Add(time.Minute)}
	calls := b.counted(nil, func() {
		entries, end, err := timeline.InSession(t.Context(), b.Store, "o", acts, timeline.Page{Limit: 50})
		if err != nil || len(entries) != 50 || end != "" {
			t.Errorf("%d entries, end %q, %v", len(entries), end, err)
		}
	})
	if len(calls) != 1 || calls["Query"] != 1 {
		t.Errorf("%v", calls)
	}
}

// TestT2EveryQueryIsAPlainFilterOfTheRecord: entries at random over two years, on
// the turns of months and of a year too and some ahead of the clock, asked for by
// whatever filters together, in pages of whatever size.
func TestT2EveryQueryIsAPlainFilterOfTheRecord(t *testing.T) {
	b := openBare(t)
	chance := rand.New(rand.NewPCG(5, 2026))
	pick := func(from ...string) string { return from[chance.IntN(len(from))] }
	created := time.Date(2024, time.November, 30, 23, 0, 0, 0, time.UTC)
	now := time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)
	moment := func() time.Time {
		turn := time.Date(2024, time.Month(12+chance.IntN(16)), 1, 0, 0, 0, 0, time.UTC)
		switch chance.IntN(3) {
		case 0:
			return turn.Add(time.Duration(chance.IntN(5)-2) * time.Millisecond)
		case 1:
			return now.Add(time.Duration(chance.IntN(110)-55) * time.Minute) // another instance's clock
		}
		return turn.Add(time.Duration(chance.Int64N(int64(31 * 24 * time.Hour)))).Truncate(time.Millisecond)
	}
	people := []string{"ann", "ben", "cat", "dan"}
	for range 150 {
		e := timeline.Entry{
			At: moment(), Type: timeline.Type(1 + chance.IntN(int(timeline.TypeCount)-1)), Action: pick("create", "edit"), Denied: chance.IntN(4) == 0,
			Subject: timeline.Person{ID: pick(people...), Name: "Somebody"}, Target: timeline.Target{Type: pick("user", "role"), ID: pick(people...)},
			After: timeline.Values{"name": pick("Night Watch", "Day"), "n": 17.0}, RequestID: pick("r1", "r2"),
		}
		if chance.IntN(3) == 0 {
			e.Impersonator, e.Session = timeline.Person{ID: pick(people...), Name: "Other"}, pick("SESSIONX", "SESSIONY")
		}
		if end := now.Add(time.Hour); e.At.Before(end) && !e.At.Before(created.Add(-time.Hour)) {
			b.enter(e)
		}
	}
	all, _, err := timeline.List(t.Context(), b.Store, "o", created, now, timeline.Query{}, timeline.Page{Limit: 500})
	for end := "-"; end != "" && err == nil; {
		var more []timeline.Entry
		after := all[len(all)-1].ID
		more, end, err = timeline.List(t.Context(), b.Store, "o", created, now, timeline.Query{}, timeline.Page{Limit: 500, After: after})
		all = append(all, more...)
	}
	if err != nil || len(all) < 140 || !slices.IsSortedFunc(all, func(x, y timeline.Entry) int { return strings.Compare(y.ID, x.ID) }) {
		t.Fatalf("%d entries, %v", len(all), err)
	}
	found := 0
	for range 150 {
		var q timeline.Query
		if chance.IntN(3) == 0 {
			q.Type = timeline.Type(1 + chance.IntN(int(timeline.TypeCount)-1))
		}
		if chance.IntN(2) == 0 {
			q.Person = pick(append(people, "eve")...)
		}
		if chance.IntN(2) == 0 {
			q.Text = pick("night", "SESSIONx", "17", "edit", "R2", "nothing")
		}
		if chance.IntN(2) == 0 {
			q.From = moment()
		}
		if chance.IntN(2) == 0 {
			q.To = moment()
		}
		var want, got []string
		for _, e := range all {
			if wanted(q, e) {
				want = append(want, e.ID)
			}
		}
		for page := (timeline.Page{Limit: 1 + chance.IntN(40)}); ; page.Limit = 1 + chance.IntN(40) {
			entries, end, err := timeline.List(t.Context(), b.Store, "o", created, now, q, page)
			if err != nil || len(entries) > page.Limit {
				t.Fatalf("%d entries by %d, %v", len(entries), page.Limit, err)
			}
			for _, e := range entries {
				got = append(got, e.ID)
			}
			if page.After = end; end == "" {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %d entries, want %d", q, len(got), len(want))
		}
		found += len(want)
	}
	if found < 500 {
		t.Errorf("only %d entries were found at all", found)
	}
}

// wanted tells plainly whether a query wants an entry.
func wanted(q timeline.Query, e timeline.Entry) bool {
	concerned := []string{e.Subject.ID, e.Impersonator.ID}
	if e.Target.Type == "user" {
		concerned = append(concerned, e.Target.ID)
	}
	says := fmt.Sprint(e.ID, e.Subject, e.Impersonator, e.Target, e.Action, e.RequestID, e.Session, e.After["name"], e.After["n"])
	return (q.Type == timeline.NoType || q.Type == e.Type) && (q.Person == "" || slices.Contains(concerned, q.Person)) &&
		!e.At.Before(q.From) && (q.To.IsZero() || e.At.Before(q.To)) && strings.Contains(strings.ToLower(says), strings.ToLower(q.Text))
}

// TestAReadingBringsAMegabyteAtMost of entries as large as there are, of everybody and
// of a person, back and forward; and what is left is brought by the next.
func TestAReadingBringsAMegabyteAtMost(t *testing.T) {
	b := openBare(t)
	const giants = 7
	var want []string
	for i := range giants {
		e := entryAt(noon.Add(time.Duration(i)*time.Minute), fmt.Sprint(i))
		e.After = timeline.Values{"description": strings.Repeat("x", 300_000)}
		b.enter(e)
		want = append(want, e.RequestID)
	}
	for _, r := range []timeline.Stretch{{}, {Person: "s"}, {Person: "s", Forward: true}} {
		r.From, r.To, r.Limit = noon, noon.Add(time.Hour), 250
		got, answers := b.requests(r)
		if !r.Forward {
			slices.Reverse(got)
		}
		if !slices.Equal(got, want) || answers < 2 {
			t.Errorf("%+v: %v in %d answers", r, got, answers)
		}
	}
}
