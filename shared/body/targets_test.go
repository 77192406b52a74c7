package body_test

import (
	"slices"
	"strings"
	"testing"

	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

// TestP4Targets: each target by itself is in its bounds and the right way round;
// whether all of them can be met together is P5's to say, not a fault.
func TestP4Targets(t *testing.T) {
	for _, c := range []struct {
		rule, targets string
		faults        []string // below /settings/personaTargets
	}{
		{"P4 the smallest and the largest", `{"frontline": {"min": 0, "max": 10000}, "leader": {"min": 10000, "max": 10000}, "executive": {"min": 0, "max": 0}, "ciExperts": {"under": 0}, "champion": {"minPeople": 0, "maxPeople": 1000}}`, nil},
		{"P5 minima of more than all", `{"frontline": {"min": 9000, "max": 10000}, "leader": {"min": 9000, "max": 10000}}`, nil},
		{"P5 more champions than experts", `{"ciExperts": {"under": 1}, "champion": {"minPeople": 900, "maxPeople": 1000}}`, nil},
		{"P5 maxima that leave people over", `{"frontline": {"min": 0, "max": 0}, "leader": {"min": 0, "max": 0}, "executive": {"min": 0, "max": 0}}`, nil},
		{"less than nobody", `{"frontline": {"min": -1, "max": 10}}`, []string{"/frontline/min"}},
		{"less than nobody at most", `{"frontline": {"min": 0, "max": -1}}`, []string{"/frontline/max"}},
		{"more than all", `{"frontline": {"min": 7000, "max": 10001}}`, []string{"/frontline/max"}},
		{"more than all at least", `{"executive": {"min": 10001, "max": 10001}}`, []string{"/executive/min", "/executive/max"}},
		{"more than any number", `{"executive": {"min": 0, "max": 1e400}}`, []string{"/executive/max"}},
		{"the wrong way round", `{"leader": {"min": 2001, "max": 2000}}`, []string{"/leader/min"}},
		{"a share of one", `{"leader": {"min": 0.05, "max": 0.2}}`, []string{"/leader/min", "/leader/max"}},
		{"a text", `{"leader": {"min": "5 %", "max": 2000}}`, []string{"/leader/min"}},
		{"no lower end", `{"leader": {"max": 2000}}`, []string{"/leader/min"}},
		{"no upper end", `{"leader": {"min": 2000}}`, []string{"/leader/max"}},
		{"no end at all", `{"leader": {}}`, []string{"/leader/min", "/leader/max"}},
		{"experts below none", `{"ciExperts": {"under": -100}}`, []string{"/ciExperts/under"}},
		{"experts beyond all", `{"ciExperts": {"under": 10001}}`, []string{"/ciExperts/under"}},
		{"experts in a range", `{"ciExperts": {"min": 0, "max": 100}}`, []string{"/ciExperts/under", "/ciExperts/min", "/ciExperts/max"}},
		{"champions the wrong way round", `{"champion": {"minPeople": 3, "maxPeople": 2}}`, []string{"/champion/minPeople"}},
		{"half a champion", `{"champion": {"minPeople": 1.5, "maxPeople": 2}}`, []string{"/champion/minPeople"}},
		{"champions as a share", `{"champion": {"min": 1, "max": 2}}`, []string{"/champion/minPeople", "/champion/maxPeople", "/champion/min", "/champion/max"}},
		{"very many champions", `{"champion": {"minPeople": 2, "maxPeople": 1001}}`, []string{"/champion/maxPeople"}},
		{"a persona without a target", `{"ci_coach": {"min": 0, "max": 100}}`, []string{"/ci_coach"}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			o, err := body.Read([]byte(`{"name": "x", "settings": {"personaTargets": `+c.targets+`}}`), body.ReadOrganization)
			var told []string
			for _, p := range fault.Of(err).Problems {
				told = append(told, strings.TrimPrefix(p.Pointer, "/settings/personaTargets"))
			}
			slices.Sort(told)
			slices.Sort(c.faults)
			if !slices.Equal(told, c.faults) || err != nil && !fault.Is(err, fault.Invalid) {
				t.Errorf("faults %q, want %q: %v", told, c.faults, err)
			}
			if err == nil && o.Settings.Targets == directory.DefaultTargets() {
				t.Error("nothing was set")
			}
		})
	}
}
