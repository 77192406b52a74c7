package persona

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/directory"
)

var at = time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)

// verdicts are a report's by their words.
func verdicts(r Report) map[string]string {
	out := map[string]string{}
	for _, line := range r.AllLines() {
		out[line.Word] = line.Verdict.String()
	}
	return out
}

func TestJudge(t *testing.T) {
	// Counts are none, frontline, leader, executive, ci_coach, champion.
	for name, c := range map[string]struct {
		counts   Counts
		location string
		targets  func(*directory.Targets)
		want     map[string]string
	}{
		"P6 all within": {Counts{22, 171, 30, 14, 1, 2}, "", nil,
			map[string]string{"frontline": "within", "leader": "within", "executive": "within", "ci_coach": "", "champion": "within", "none": "", "ci_experts": "within"}},
		"P6 below and above": {Counts{0, 100, 90, 5, 40, 5}, "", nil,
			map[string]string{"frontline": "below", "leader": "above", "executive": "below", "ci_coach": "", "champion": "above", "none": "", "ci_experts": "above"}},
		"P4 nobody has a persona": {Counts{100, 0, 0, 0, 0, 0}, "", nil,
			map[string]string{"frontline": "below", "leader": "below", "executive": "below", "ci_coach": "", "champion": "below", "none": "", "ci_experts": "within"}},
		"P5 champions have no target in a part": {Counts{0, 8, 1, 0, 0, 1}, "ward", nil,
			map[string]string{"frontline": "within", "leader": "within", "executive": "within", "ci_coach": "", "champion": "", "none": "", "ci_experts": "within"}},
		"P5 three people are too few": {Counts{0, 3, 0, 0, 0, 0}, "", nil,
			map[string]string{"frontline": "unreachable", "leader": "unreachable", "executive": "unreachable", "ci_coach": "", "champion": "unreachable", "none": "", "ci_experts": "unreachable"}},
		"P5 nobody at all": {Counts{}, "ward", nil,
			map[string]string{"frontline": "unreachable", "leader": "unreachable", "executive": "unreachable", "ci_coach": "", "champion": "", "none": "", "ci_experts": "unreachable"}},
		"P5 four people are enough": {Counts{0, 2, 0, 0, 0, 2}, "", nil,
			map[string]string{"frontline": "within", "leader": "within", "executive": "within", "ci_coach": "", "champion": "within", "none": "", "ci_experts": "within"}},
		"P5 targets that contradict": {Counts{0, 80, 15, 5, 0, 0}, "", func(t *directory.Targets) { t.Leader.Min = 4000; t.Leader.Max = 5000 },
			map[string]string{"frontline": "unreachable", "leader": "unreachable", "executive": "unreachable", "ci_coach": "", "champion": "unreachable", "none": "", "ci_experts": "unreachable"}},
		"P5 champions that contradict": {Counts{0, 80, 15, 5, 0, 0}, "", func(t *directory.Targets) { t.Champions = directory.People{Min: 3, Max: 2} },
			map[string]string{"frontline": "unreachable", "leader": "unreachable", "executive": "unreachable", "ci_coach": "", "champion": "unreachable", "none": "", "ci_experts": "unreachable"}},
		"P5 champions that contradict are nothing to a part": {Counts{0, 80, 15, 5, 0, 0}, "ward", func(t *directory.Targets) { t.Champions = directory.People{Min: 3, Max: 2} },
			map[string]string{"frontline": "within", "leader": "within", "executive": "within", "ci_coach": "", "champion": "", "none": "", "ci_experts": "within"}},
	} {
		t.Run(name, func(t *testing.T) {
			targets := directory.DefaultTargets()
			if c.targets != nil {
				c.targets(&targets)
			}
			r := judge(targets, Tally{Counts: c.counts}, c.location, at)
			if diff := cmp.Diff(c.want, verdicts(r)); diff != "" {
				t.Error(diff)
			}
			sum := 0
			for _, line := range r.Lines() {
				sum += line.Count
				if line.Verdict == Within && line.Change != 0 || (line.Verdict == Below || line.Verdict == Above) && line.Change == 0 {
					t.Errorf("P5 %s is %v and %d would change", line.Word, line.Verdict, line.Change)
				}
			}
			if sum != r.Base || r.Experts.Count != r.Personas[directory.CICoach].Count+r.Personas[directory.Champion].Count {
				t.Errorf("P4 %d people in the rows, %d in the base; %d experts", sum, r.Base, r.Experts.Count)
			}
		})
	}
}

func TestDistanceIsToldWhereNothingCanBeMet(t *testing.T) {
	r := judge(directory.DefaultTargets(), Tally{Counts: Counts{0, 0, 0, 0, 0, 1}}, "", at)
	if got := r.Personas[directory.Champion]; got != (Row{Count: 1, Range: Range{2, 3}, Verdict: Unreachable, Change: 1}) {
		t.Errorf("P5 %+v", got)
	}
}

// TestEveryPersonaHasItsPlace fails when a persona is added and not placed.
func TestEveryPersonaHasItsPlace(t *testing.T) {
	g := goalsFor(directory.DefaultTargets(), 100, true)
	for p := directory.NoPersona; p < directory.PersonaCount; p++ {
		without := p == directory.NoPersona || p == directory.CICoach
		if (g.of(p) == nil) != without {
			t.Errorf("P4 %q has the goal %v", p, g.of(p))
		}
		if p != directory.NoPersona && Title(p.String(), "KaiNexus") == "" {
			t.Errorf("P1 %q has no title", p)
		}
	}
	for v := NoVerdict + 1; v < VerdictCount; v++ {
		if parsed, ok := ParseVerdict(v.String()); !ok || parsed != v {
			t.Errorf("verdict %d does not read back from %q", v, v)
		}
	}
	for s := NoMail + 1; s < MailStatusCount; s++ {
		if s.String() == "" {
			t.Errorf("status %d has no word", s)
		}
	}
}

func TestNobodyIsCountedTwice(t *testing.T) {
	model := authz.Compile(authz.Policy{Locations: []authz.Location{
		{ID: "house"}, {ID: "ward-1", Parent: "house"}, {ID: "bed-1", Parent: "ward-1"}, {ID: "ward-2", Parent: "house"}, {ID: "annex"},
	}})
	populations := []Population{
		{Locations: []string{"bed-1", "ward-1"}, Counts: Counts{1, 2, 0, 0, 0, 0}},
		{Locations: []string{"ward-1", "ward-2"}, Counts: Counts{0, 4, 0, 0, 0, 0}},
		{Locations: []string{"annex", "bed-1"}, Counts: Counts{0, 8, 0, 0, 0, 0}},
		{Locations: []string{"annex"}, Counts: Counts{0, 16, 0, 0, 0, 0}},
		{Locations: []string{"house"}, Counts: Counts{0, 32, 0, 0, 0, 0}},
		{Locations: []string{"gone"}, Counts: Counts{0, 64, 0, 0, 0, 0}},
	}
	for root, want := range map[string]int{"": 126, "house": 46, "ward-1": 14, "bed-1": 10, "ward-2": 4, "annex": 24, "gone": 0} {
		if got := count(model, populations, root, directory.DayOf(at)).Counts[directory.Frontline]; got != want {
			t.Errorf("P8 %d frontline people below %q, want %d", got, root, want)
		}
	}
	each := countEach(model, populations, directory.DayOf(at))
	for _, l := range []string{"house", "ward-1", "bed-1", "ward-2", "annex"} {
		if one := count(model, populations, l, directory.DayOf(at)); each[l] == nil || *each[l] != one {
			t.Errorf("P8 %q counted beside all others is %v, alone %v", l, each[l], one)
		}
	}
	if len(each) != 5 {
		t.Errorf("%d locations are counted", len(each))
	}
}

func TestEngagementLooksBackOnDays(t *testing.T) {
	today := directory.DayOf(at)
	p := Population{OnTeam: Counts{0, 3}, Seen: map[directory.Day]Counts{
		today + 1: {0, 1}, today: {0, 2}, today - 6: {0, 4}, today - 7: {0, 8}, today - 29: {0, 16}, today - 30: {0, 32},
	}}
	var sum Tally
	sum.add(p, today)
	sum.add(p, today)
	if got := sum.engagement(directory.Frontline); got != (Engagement{Active7: 14, Active30: 62, OnTeam: 6}) {
		t.Errorf("%+v", got)
	}
	if got := sum.engagement(directory.Leader); got != (Engagement{}) {
		t.Errorf("%+v", got)
	}
}

func TestShifts(t *testing.T) {
	targets := directory.DefaultTargets()
	before := judge(targets, Tally{Counts: Counts{0, 80, 10, 6, 1, 3}}, "", at)
	for name, c := range map[string]struct {
		counts Counts
		want   []Shift
	}{
		"P6 the same counts":                 {Counts{0, 80, 10, 6, 1, 3}, nil},
		"P6 other counts, the same verdicts": {Counts{0, 78, 12, 6, 1, 3}, nil},
		"P6 two verdicts":                    {Counts{20, 60, 10, 6, 1, 3}, []Shift{{"frontline", Within, Below}}},
		"P6 a group's verdict":               {Counts{0, 80, 11, 6, 0, 3}, []Shift{{"ci_experts", Above, Within}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, shifts(before, judge(targets, Tally{Counts: c.counts}, "", at))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	champion := func(email string, kind authz.UserType) directory.User {
		return directory.User{Email: email, Type: kind}
	}
	got := addresses([]directory.User{
		champion("b@x.example", authz.General), champion("", authz.General), champion("B@x.example", authz.General),
		champion("i@x.example", authz.Inactive), champion("a@x.example", authz.Capture),
	})
	if diff := cmp.Diff([]string{"b@x.example", "a@x.example"}, got); diff != "" {
		t.Errorf("U1 an address that is shared is one: %s", diff)
	}
}
