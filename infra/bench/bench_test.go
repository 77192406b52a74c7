package bench

import (
	"runtime"
	"testing"

	"gemba/infra/worlds"
	"gemba/shared/authz"
)

// order is that of the output.
var order = []string{"ours", "cedar", "casbin"}

var sizes = []struct {
	name string
	worlds.Size
}{{"small", worlds.Small}, {"large", worlds.Large}}

// load makes an engine ready for an organization.
func load(t testing.TB, name string, p authz.Policy) Engine {
	t.Helper()
	var engine Engine
	var err error
	switch name {
	case "ours":
		engine = Ours(p)
	case "cedar":
		engine, err = Cedar(p)
	case "casbin":
		engine, err = Casbin(p)
	}
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

// stream is how many of a world's questions are asked in turn.
const stream = 2_000

// fact is a question with what a service has read for it.
type fact struct {
	user   authz.User
	action authz.Action
	item   authz.Item
	want   bool
}

func facts(w *worlds.World) []fact {
	judge := Ours(w.Policy)
	var all []fact
	for _, q := range w.Questions(stream) {
		f := fact{user: w.User(q.User), action: q.Action, item: w.Item(q.Item)}
		f.want, _ = judge.Prepare(f.user, f.item).Ask(f.action) // never fails
		all = append(all, f)
	}
	return all
}

// each runs a benchmark for every engine and size.
func each(b *testing.B, run func(b *testing.B, engine Engine, asked []fact)) {
	for _, size := range sizes {
		w := worlds.New(size.Size)
		asked := facts(w)
		for _, name := range order {
			b.Run(name+"/"+size.name, func(b *testing.B) { run(b, load(b, name, w.Policy), asked) })
		}
	}
}

// answered ends a benchmark whose engine errs or answers otherwise than ours.
func answered(b *testing.B, f *fact, yes bool, err error) {
	if err != nil || yes != f.want {
		b.Fatalf("%s by %s on %s: %v, %v", f.action, f.user.ID, f.item.ID, yes, err)
	}
}

// BenchmarkDecide is a question whose user and item are ready.
func BenchmarkDecide(b *testing.B) {
	each(b, func(b *testing.B, engine Engine, asked []fact) {
		ready := make([]Prepared, len(asked))
		for i, f := range asked {
			ready[i] = engine.Prepare(f.user, f.item)
		}
		metered(b, func() {
			for i := 0; b.Loop(); i++ {
				f := &asked[i%stream]
				yes, err := ready[i%stream].Ask(f.action)
				answered(b, f, yes, err)
			}
		})
	})
}

// BenchmarkFromFacts is a question whose user and item have just been read.
func BenchmarkFromFacts(b *testing.B) {
	each(b, func(b *testing.B, engine Engine, asked []fact) {
		for _, f := range asked {
			engine.Prepare(f.user, f.item) // what is linked once stays linked
		}
		metered(b, func() {
			for i := 0; b.Loop(); i++ {
				f := &asked[i%stream]
				yes, err := engine.Prepare(f.user, f.item).Ask(f.action)
				answered(b, f, yes, err)
			}
		})
	})
}

// BenchmarkLoad is the way from a policy to an engine that can answer.
func BenchmarkLoad(b *testing.B) {
	for _, size := range sizes {
		p := worlds.New(size.Size).Policy
		for _, name := range order {
			b.Run(name+"/"+size.name, func(b *testing.B) {
				before := heap()
				var engine Engine
				metered(b, func() {
					for b.Loop() {
						engine = load(b, name, p)
					}
				})
				b.ReportMetric(float64(heap()-before)/1e6, "kept-MB")
				runtime.KeepAlive(engine)
			})
		}
	}
}

// BenchmarkLinkEverybody is what casbin needs besides, where an enforcer knows
// all users of the large world and not only those who ask. The others are given
// a user with the question.
func BenchmarkLinkEverybody(b *testing.B) {
	w := worlds.New(worlds.Large)
	roles := rolesByID(w.Policy)
	everybody := make([]person, w.Size.Users)
	for n := range everybody {
		u := w.User(n)
		everybody[n] = person{u.ID, u.Type, holdings(roles, u, worlds.Now)}
	}
	b.Run("casbin/large", func(b *testing.B) {
		b.ReportAllocs()
		var kept float64
		for b.Loop() {
			b.StopTimer()
			engine := load(b, "casbin", w.Policy).(*casbinEngine)
			before := heap()
			b.StartTimer()
			if err := engine.link(everybody...); err != nil {
				b.Fatal(err)
			}
			b.StopTimer()
			kept = float64(heap()-before) / 1e6
			runtime.KeepAlive(engine)
			b.StartTimer()
		}
		b.ReportMetric(kept, "kept-MB")
	})
	runtime.KeepAlive(everybody)
}

// heap is the bytes that live, after two collections: what the first finds is
// swept before the second.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
