package bench

import (
	"testing"

	"gemba/infra/worlds"
	"gemba/shared/authz"
)

// engines are all, on one organization.
func engines(t testing.TB, p authz.Policy) map[string]Engine {
	t.Helper()
	c, err := Cedar(p)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Casbin(p)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]Engine{"ours": Ours(p), "cedar": c, "casbin": b}
}

// Engines that do not answer the same cannot be compared. It is asked what the
// worlds ask (C1 to C5, R3 to R7, U2), under both readings of only_users.
func TestAllThreeAgree(t *testing.T) {
	for _, tt := range []struct {
		name  string
		size  worlds.Size
		rule  authz.OnlyUsersRule
		asked int
	}{
		{"small", worlds.Small, authz.ByTeamRole, 10_000},
		{"small, only_users by membership", worlds.Small, authz.ByTeamMember, 2_000},
		{"medium", worlds.Medium, authz.ByTeamRole, 10_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := worlds.New(tt.size)
			w.Policy.Settings.OnlyUsers = tt.rule
			agree(t, w, tt.asked)
		})
	}
}

// agree asks all engines the world's questions. Both answers must be met for
// every action, in at least one of 20 questions.
func agree(t *testing.T, w *worlds.World, asked int) {
	all := engines(t, w.Policy)
	yes, no := map[authz.Action]int{}, map[authz.Action]int{}
	for _, q := range w.Questions(asked) {
		u, it := w.User(q.User), w.Item(q.Item)
		answers := map[string]bool{}
		for name, engine := range all {
			answer, err := engine.Prepare(u, it).Ask(q.Action)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			answers[name] = answer
		}
		if answers["cedar"] != answers["ours"] || answers["casbin"] != answers["ours"] {
			t.Fatalf("%s by %+v\non %+v: %v", q.Action, u, it, answers)
		}
		if answers["ours"] {
			yes[q.Action]++
		} else {
			no[q.Action]++
		}
	}
	for a := authz.DoParticipate; a <= authz.DoEscalate; a++ {
		if total := yes[a] + no[a]; yes[a]*20 < total || no[a]*20 < total || total == 0 {
			t.Errorf("%s: %d yes, %d no", a, yes[a], no[a])
		}
	}
}
