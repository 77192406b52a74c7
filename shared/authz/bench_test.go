package authz_test

import (
	"runtime"
	"testing"

	"gemba/infra/worlds"
	"gemba/shared/authz"
)

// sizes are the worlds that growth is measured between.
var sizes = []worlds.Size{worlds.Small, worlds.Medium, worlds.Large}

// asked is questions to a world with everything prepared but the items' names.
type asked struct {
	model     *authz.Model
	users     []authz.User
	subjects  []authz.Subject
	actions   []authz.Action
	items     []authz.Item
	resolved  []authz.Resolved
	resources []authz.Resource
}

// The questions of a measurement are as many as a core has at hand, so that
// deciding is measured and not memory; a list has a thousand items.
const (
	questions = 256
	listed    = 1000
)

// ask prepares questions.
func ask(size worlds.Size, questions int) asked {
	w := worlds.New(size)
	all := asked{model: authz.Compile(w.Policy)}
	for _, q := range w.Questions(questions) {
		u, it := w.User(q.User), w.Item(q.Item)
		all.users = append(all.users, u)
		all.subjects = append(all.subjects, all.model.Subject(u, worlds.Now))
		all.actions = append(all.actions, q.Action)
		all.items = append(all.items, it)
		all.resolved = append(all.resolved, all.model.Resolve(&it))
	}
	for i := range all.items {
		all.resources = append(all.resources, authz.Resource{Type: authz.ItemResource, ID: all.items[i].ID, Item: &all.items[i]})
	}
	return all
}

func eachSize(b *testing.B, questions int, run func(b *testing.B, all asked)) {
	for _, size := range sizes {
		all := ask(size, questions)
		b.Run(size.String(), func(b *testing.B) {
			b.ReportAllocs()
			run(b, all)
		})
	}
}

// BenchmarkDecide decides from the ids of an item's facts.
func BenchmarkDecide(b *testing.B) {
	eachSize(b, questions, func(b *testing.B, all asked) {
		for i := 0; b.Loop(); i++ {
			n := i % len(all.actions)
			all.model.Decide(all.subjects[n], all.actions[n], all.resources[n])
		}
	})
}

// BenchmarkDecideItem decides with all ids looked up before.
func BenchmarkDecideItem(b *testing.B) {
	eachSize(b, questions, func(b *testing.B, all asked) {
		for i := 0; b.Loop(); i++ {
			n := i % len(all.actions)
			all.model.DecideItem(all.subjects[n], all.actions[n], &all.resolved[n])
		}
	})
}

// BenchmarkScreen is a list on a screen: one person, prepared for it, 1,000
// items, all actions of each.
func BenchmarkScreen(b *testing.B) {
	eachSize(b, listed, func(b *testing.B, all asked) {
		for i := 0; b.Loop(); i++ {
			screen := all.model.Screen(all.subjects[i%len(all.subjects)])
			for n := range listed {
				screen.Actions(&all.resolved[n])
			}
		}
	})
}

// BenchmarkSubject prepares a person.
func BenchmarkSubject(b *testing.B) {
	eachSize(b, questions, func(b *testing.B, all asked) {
		for i := 0; b.Loop(); i++ {
			all.model.Subject(all.users[i%len(all.users)], worlds.Now)
		}
	})
}

// BenchmarkAdminister decides about one user on another.
func BenchmarkAdminister(b *testing.B) {
	eachSize(b, questions, func(b *testing.B, all asked) {
		for i := 0; b.Loop(); i++ {
			n, target := i%len(all.users), &all.users[(i+1)%len(all.users)]
			all.model.Decide(all.subjects[n], authz.AdministerUser, authz.Resource{Type: authz.UserResource, User: target})
		}
	})
}

// BenchmarkExplain tells the whole reasoning behind a decision, and
// BenchmarkSuggest looks for what would turn a no.
func BenchmarkExplain(b *testing.B) {
	eachSize(b, questions, func(b *testing.B, all asked) {
		for i := 0; b.Loop(); i++ {
			n := i % len(all.actions)
			all.model.Explain(all.subjects[n], all.actions[n], all.resources[n])
		}
	})
}

func BenchmarkSuggest(b *testing.B) {
	eachSize(b, questions, func(b *testing.B, all asked) {
		var denied []authz.Situation
		for n := range all.actions {
			q := authz.Situation{Model: all.model, User: all.users[n], At: worlds.Now, Action: all.actions[n], Resource: all.resources[n]}
			if !q.Decide().Allowed {
				denied = append(denied, q)
			}
		}
		for i := 0; b.Loop(); i++ {
			denied[i%len(denied)].Suggest(func(authz.Step) bool { return true })
		}
	})
}

// BenchmarkCompile makes a model of a policy, and tells the memory that it keeps.
func BenchmarkCompile(b *testing.B) {
	for _, size := range sizes {
		policy := worlds.New(size).Policy
		b.Run(size.String(), func(b *testing.B) {
			b.ReportAllocs()
			var m *authz.Model
			before := kept()
			for b.Loop() {
				m = authz.Compile(policy)
			}
			b.ReportMetric(float64(kept()-before)/(1<<20), "MB-kept")
			runtime.KeepAlive(m)
		})
	}
}

// kept is the memory in use.
func kept() int64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

// BenchmarkRefresh is a model after one role was edited, one location moved.
func BenchmarkRefresh(b *testing.B) {
	policy := worlds.New(worlds.Large).Policy
	m := authz.Compile(policy)
	for name, change := range map[string]authz.Policy{
		"a role":     {Roles: policy.Roles[:1]},
		"a location": {Locations: policy.Locations[len(policy.Locations)-1:]},
		"a template": {Templates: policy.Templates[:1]},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.With(authz.Change{Put: change})
			}
		})
	}
}

func TestDecideDoesNotAllocate(t *testing.T) {
	all := ask(worlds.Large, questions)
	for a := authz.NoAction + 1; a < authz.ActionCount; a++ {
		r := authz.Resource{Type: a.On(), Item: &all.items[0], User: &all.users[1], Role: "role-1", Locations: all.users[0].Locations}
		if n := testing.AllocsPerRun(10, func() { all.model.DecideBoth(authz.Self(all.subjects[0]), a, r) }); n != 0 {
			t.Errorf("%s on %s: %v allocations", a, a.On(), n)
		}
	}
	screen := all.model.Screen(all.subjects[0])
	for _, actions := range []func(*authz.Resolved) authz.Actions{screen.Actions, func(r *authz.Resolved) authz.Actions { return all.model.ItemActions(all.subjects[0], r) }} {
		if n := testing.AllocsPerRun(10, func() { actions(&all.resolved[0]) }); n != 0 {
			t.Errorf("all actions on an item: %v allocations", n)
		}
	}
}
