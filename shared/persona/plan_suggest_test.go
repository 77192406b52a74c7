package persona

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/directory"
)

func TestP7WhomAMoveSuits(t *testing.T) {
	const none, frontline, leader, executive, coach, champion = directory.NoPersona, directory.Frontline, directory.Leader,
		directory.Executive, directory.CICoach, directory.Champion
	move := func(from, to directory.Persona) Move { return Move{from, to, 1} }
	for name, c := range map[string]struct {
		moves   []Move
		persona directory.Persona
		held    int // a set of personas
		want    directory.Persona
		roles   []string
	}{
		"P7 the widest role":                      {[]Move{move(frontline, leader)}, frontline, 1<<frontline | 1<<leader, leader, []string{"as-leader"}},
		"P7 not a narrower one":                   {[]Move{move(frontline, executive)}, frontline, 1<<executive | 1<<leader, none, nil},
		"P7 not a wider one":                      {[]Move{move(frontline, leader)}, frontline, 1<<leader | 1<<coach, none, nil},
		"P7 nobody who stays":                     {[]Move{move(frontline, leader)}, executive, 1 << leader, none, nil},
		"P7 nobody without a role":                {[]Move{move(none, frontline)}, none, 0, none, nil},
		"P7 who has no persona":                   {[]Move{move(none, frontline)}, none, 1 << frontline, frontline, []string{"as-frontline"}},
		"P7 nobody is to lose theirs":             {[]Move{move(frontline, none)}, frontline, 1 << frontline, none, nil},
		"P7 a role for coaches suits a champion":  {[]Move{move(leader, champion)}, leader, 1 << coach, champion, []string{"as-ci_coach"}},
		"P7 a role for champions suits a coach":   {[]Move{move(leader, coach)}, leader, 1 << champion, coach, []string{"as-champion"}},
		"P7 of both, the one it is meant for":     {[]Move{move(leader, coach), move(leader, champion)}, leader, 1 << champion, champion, []string{"as-champion"}},
		"P7 of both, the first when for both":     {[]Move{move(leader, coach), move(leader, champion)}, leader, 1<<coach | 1<<champion, coach, []string{"as-ci_coach", "as-champion"}},
		"P7 the move of their own persona":        {[]Move{move(none, leader), move(frontline, executive)}, frontline, 1 << executive, executive, []string{"as-executive"}},
		"P7 not the move of another's persona":    {[]Move{move(none, leader), move(frontline, executive)}, frontline, 1 << leader, none, nil},
		"P7 a coach to be a champion, as good as": {[]Move{move(coach, champion)}, coach, 1 << coach, champion, []string{"as-ci_coach"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, suits := suggestion(c.moves, directory.User{ID: "u", Persona: c.persona}, some(c.held), "KaiNexus")
			if suits != (c.want != none) || got.To != c.want {
				t.Fatalf("%v, %+v", suits, got)
			}
			var roles []string
			for _, r := range got.Roles {
				roles = append(roles, r.ID)
			}
			if diff := cmp.Diff(c.roles, roles); suits && (diff != "" || got.From != c.persona || got.User.ID != "u" || got.Reason == "") {
				t.Errorf("%+v %s", got, diff)
			}
		})
	}
}
