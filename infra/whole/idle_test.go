package whole

import (
	"maps"
	"slices"
	"syscall"
	"testing"
	"time"
)

// idlesOut runs the program with a short pause and lets sessions idle out. No
// assertion rests on how fast the machine is: each answer says until when the
// session lasts, and the clock decides which answer is right.
func idlesOut(t *testing.T, program string) {
	const pause = 2 * time.Second
	c := launch(t, []string{program}, "IMPERSONATION_IDLE="+pause.String(), "SEED="+saved(t, named(clinic(), "clinic")))
	c.ready(t)
	o := &organization{url: c.url, id: "clinic", clients: map[string]client{}}
	for _, user := range []string{"ada", "sam", "mia"} {
		o.as(t, user)
	}

	acting, expires := touched(t, o, pause)
	for mia := o.as(t, "mia"); !passed(expires); { // a refused request is no activity
		mia.in(acting.session).get(t, "/v1/me").problem(t, 403, "impersonation_invalid")
	}
	t.Run("I4 a pause beyond the limit ends it", func(t *testing.T) {
		acting.get(t, "/v1/me").problem(t, 403, "impersonation_invalid")
		o.session(t, acting.session).has(t, object{"cause": "idle"})
	})
	t.Run("I4 with its true time, told once", func(t *testing.T) {
		ended := instant(t, o.session(t, acting.session).body["endedAt"])
		if late := ended.Sub(expires).Abs(); late > time.Second {
			t.Errorf("it ended at %v, not at %v", ended, expires)
		}
		acting.get(t, "/v1/me").problem(t, 403, "impersonation_invalid")
		if got := ends(t, o, acting.session); len(got) != 1 || got[0]["cause"] != "idle" || !instant(t, got[0]["at"]).Equal(ended) {
			t.Errorf("%v", got)
		}
	})
	t.Run("I4 a listing notices it too", func(t *testing.T) {
		_, started := o.begin(t, "sam", "mia")
		past(instant(t, started.body["expiresAt"]))
		if active := o.as(t, "ada").get(t, "/v1/impersonations?state=active").is(t, 200).body["items"].(list); len(active) > 0 {
			t.Errorf("%v", active)
		}
		o.session(t, text(started.body["id"])).has(t, object{"cause": "idle", "endedAt": started.body["expiresAt"]})
		want := lasted("The sam", started.body["startedAt"], started.body["expiresAt"], "It ended by itself, after a pause without any request.")
		eventually(t, "a receipt that tells the true end", func() bool {
			return slices.ContainsFunc(receipts(t, o.url, o.email("mia")), func(mail object) bool { return written(mail)[1] == want })
		})
	})
	t.Run("I4 and so does the next start", func(t *testing.T) {
		_, first := o.begin(t, "sam", "mia")
		past(instant(t, first.body["expiresAt"]))
		o.begin(t, "sam", "wes")
		o.session(t, text(first.body["id"])).has(t, object{"cause": "idle", "endedAt": first.body["expiresAt"]})
		if got := ends(t, o, text(first.body["id"])); len(got) != 1 || got[0]["cause"] != "idle" {
			t.Errorf("%v", got)
		}
	})
	t.Run("I4 and the sweep, though nobody comes back", func(t *testing.T) { nobodyComesBack(t, o) })

	// Ctrl-C in a terminal reaches the whole group.
	if err := syscall.Kill(-c.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := c.end(t); code != 0 {
		t.Errorf("exit code %d: %s", code, c.stderr.String())
	}
}

// nobodyComesBack leaves a session after a request and reads the timeline alone,
// which notices nothing. The end is there by itself, with its true time, and stays
// the one.
func nobodyComesBack(t *testing.T, o *organization) {
	t.Helper()
	acting, started := o.begin(t, "hugo", "mia")
	expires := instant(t, started.body["expiresAt"])
	if r := acting.get(t, "/v1/me"); r.status == 200 { // else the machine was slower than the pause
		expires = instant(t, r.at("impersonation", "expiresAt"))
	}
	eventually(t, "the end that a sweep writes", func() bool { return len(ends(t, o, acting.session)) > 0 })
	if now := time.Now(); !now.After(expires) {
		t.Errorf("it ended before %v", expires)
	}
	for range 2 {
		told := ends(t, o, acting.session)
		if len(told) != 1 || told[0]["cause"] != "idle" || !instant(t, told[0]["at"]).Equal(expires) {
			t.Errorf("want one end, idle at %v, got %v", expires, told)
		}
		fired := client{url: o.url}.post(t, "/_local/schedule/notifier", nil).is(t, 200)
		fired.has(t, object{"organizations": 1, "left": 0})
	}
}

// touched is a session that requests have kept alive beyond its first end,
// and its end if no other comes.
func touched(t *testing.T, o *organization, pause time.Duration) (client, time.Time) {
	t.Helper()
	for range 20 {
		acting, started := o.begin(t, "sam", "mia")
		first, expires := instant(t, started.body["expiresAt"]), instant(t, started.body["expiresAt"])
		for time.Now().Before(expires) {
			before := time.Now()
			r := acting.get(t, "/v1/me")
			if r.status != 200 {
				break // the machine was slower than the pause
			}
			expires = instant(t, r.at("impersonation", "expiresAt"))
			if expires.Before(before.Add(pause).Add(-time.Second)) || expires.After(time.Now().Add(pause)) {
				t.Errorf("I4 a request at %v makes the session last until %v", before, expires)
			}
			if time.Now().After(first) {
				return acting, expires
			}
		}
		if time.Now().Before(expires) {
			t.Fatalf("the session ended before %v", expires)
		}
	}
	t.Fatal("this machine is too slow to keep a session alive")
	return client{}, time.Time{}
}

// past waits until the clock has passed a time.
func past(at time.Time) {
	for !passed(at) {
		time.Sleep(time.Until(at) + time.Millisecond)
	}
}

// passed is whether the service's clock, which ticks in milliseconds, has
// passed a time: within the very millisecond a session still lasts.
func passed(at time.Time) bool { return time.Now().Truncate(time.Millisecond).After(at) }

// ends are the entries that tell how a session ended.
func ends(t *testing.T, o *organization, session string) []object {
	t.Helper()
	var out []object
	for _, entry := range timeline(t, o.as(t, "ada"), "type=impersonation") {
		if at(entry, "target", "id") == session && entry["cause"] != nil {
			out = append(out, maps.Clone(entry))
		}
	}
	return out
}
