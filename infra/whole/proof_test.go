package whole

import (
	"net/http"
	"sync"
	"testing"
	"time"
)

func TestProof(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	t.Run("I2 a fresh sign-in, once", func(t *testing.T) {
		fresh := o.anew(t, "sam")
		r := fresh.post(t, "/v1/impersonations", object{"subject": "mia"}).is(t, 201)
		fresh.delete(t, "/v1/impersonations/"+text(r.body["id"])).is(t, 200)
		fresh.post(t, "/v1/impersonations", object{"subject": "mia"}).problem(t, 403, "reauthentication_needed")
	})
	t.Run("I2 by the ID token of it as well", func(t *testing.T) {
		token := text(client{url: o.url}.post(t, "/_local/token", o.own("vera")).is(t, 200).body["idToken"])
		r := client{url: o.url, token: token}.post(t, "/v1/impersonations", object{"subject": "mia"}).is(t, 201)
		client{url: o.url, token: token}.delete(t, "/v1/impersonations/"+text(r.body["id"])).is(t, 200)
	})
	t.Run("I2 a sign-in of 61 seconds ago, or of the future", func(t *testing.T) {
		own := claims(t, o.anew(t, "sam").token)
		for _, at := range []time.Duration{-61 * time.Second, time.Minute} {
			forged := forge(t, changed(t, own, object{"auth_time": time.Now().Add(at).Unix(), "origin_jti": "other-" + at.String()}))
			r := client{url: o.url, token: forged}.post(t, "/v1/impersonations", object{"subject": "mia"}).problem(t, 403, "reauthentication_needed")
			o.tells(t, r, object{"type": "impersonation", "outcome": "denied"})
		}
		forged := forge(t, changed(t, own, object{"auth_time": time.Now().Add(-40 * time.Second).Unix()}))
		r := client{url: o.url, token: forged}.post(t, "/v1/impersonations", object{"subject": "mia"}).is(t, 201)
		o.as(t, "sam").delete(t, "/v1/impersonations/"+text(r.body["id"])).is(t, 200)
	})
	t.Run("I2 never the subject's, nor another's, password", func(t *testing.T) {
		for _, owner := range []string{"mia", "ada"} {
			r := o.as(t, "vera").post(t, "/v1/impersonations", object{"subject": "mia", "credentials": o.own(owner)}).problem(t, 403, "reauthentication_failed")
			o.tells(t, r, object{"type": "impersonation", "outcome": "denied"})
		}
	})
	wrong := object{"username": o.username("sam"), "password": "Wrong-horse-1"}
	t.Run("I2 five wrong ones, however many at once, then none is heard", func(t *testing.T) {
		replies := make([]reply, 12)
		var all sync.WaitGroup
		for i := range replies {
			all.Go(func() {
				replies[i] = o.as(t, "sam").post(t, "/v1/impersonations", object{"subject": "mia", "credentials": wrong})
			})
		}
		all.Wait()
		failed := 0
		for _, r := range replies {
			switch r.status {
			case 403:
				r.problem(t, 403, "reauthentication_failed")
				failed++
			case 429:
				tooMany(t, r)
			default:
				t.Errorf("%d %s", r.status, r.raw)
			}
		}
		if failed != 5 {
			t.Errorf("%d of 12 wrong proofs were looked at", failed)
		}
	})
	t.Run("I2 then not even the right one, nor a fresh sign-in", func(t *testing.T) {
		right := o.as(t, "sam").post(t, "/v1/impersonations", object{"subject": "mia", "credentials": o.own("sam")})
		tooMany(t, right)
		o.tells(t, right, object{"type": "impersonation", "outcome": "denied", "subject": object{"id": "sam", "name": "The sam"}})
		tooMany(t, o.anew(t, "sam").post(t, "/v1/impersonations", object{"subject": "mia"}))
		if active := o.as(t, "ada").get(t, "/v1/impersonations?state=active").is(t, 200).body["items"].(list); len(active) != 0 {
			t.Errorf("%v", active)
		}
	})
	t.Run("I2 it is the actor's alone", func(t *testing.T) {
		acting, _ := o.begin(t, "vera", "mia")
		acting.delete(t, "/v1/impersonations/"+acting.session).is(t, 200)
	})
}

func tooMany(t *testing.T, r reply) {
	t.Helper()
	r.problem(t, http.StatusTooManyRequests, "too_many_attempts")
	wait, err := time.ParseDuration(r.header.Get("Retry-After") + "s")
	if err != nil || wait <= 0 || wait > 15*time.Minute+time.Second {
		t.Errorf("Retry-After %q", r.header.Get("Retry-After"))
	}
}
