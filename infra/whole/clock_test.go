package whole

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"gemba/infra/local/functions"
)

// instance is one more instance of every function over the running system, whose
// clock is off by what its test says.
type instance struct {
	handlers map[string]lambda.Handler
	off      atomic.Int64
}

func newInstance(t *testing.T) *instance {
	t.Helper()
	i := &instance{}
	var err error
	clock := func() time.Time { return time.Now().Add(time.Duration(i.off.Load())) }
	if i.handlers, err = functions.Handlers(idle, clock)(running(t).Parts); err != nil {
		t.Fatal(err)
	}
	return i
}

// me is the instance's answer to GET /v1/me by its clock: the status, and the code of
// a problem.
func (i *instance) me(t *testing.T, c client, off time.Duration) (int, string) {
	t.Helper()
	i.off.Store(int64(off))
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(c.token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims, event object
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(file("infra/events/me.json"), &event); err != nil {
		t.Fatal(err)
	}
	at(event, "requestContext", "authorizer", "jwt", "claims").(object)["sub"] = claims["sub"]
	event["headers"].(object)["impersonation-session"] = c.session
	asked, _ := json.Marshal(event)
	raw, err := i.handlers["DirectoryFunction"].Invoke(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		StatusCode int
		Body       string
	}
	var problem struct{ Type string }
	if err := json.Unmarshal(raw, &answer); err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal([]byte(answer.Body), &problem) // none of a good answer
	return answer.StatusCode, strings.TrimPrefix(problem.Type, "urn:problem:")
}

// clockStepsBack: an instance whose clock was set back brought sessions back that had
// ended, and one ahead told of ends before the last request (I4).
func clockStepsBack(t *testing.T) {
	o, other := found(t, nil), newInstance(t)
	const invalid = "impersonation_invalid"
	holds := func(t *testing.T, c client, off time.Duration, want string) {
		t.Helper()
		if status, code := other.me(t, c, off); code != want || (status == 200) != (want == "") {
			t.Errorf("I4 with a clock off by %v: %d %s, want %q", off, status, code, want)
		}
	}
	lasting, started := o.begin(t, "sam", "mia")
	for _, off := range []time.Duration{0, -time.Second, -2 * time.Minute, -time.Hour, time.Minute} {
		holds(t, lasting, off, "")
	}
	lasting.get(t, "/v1/me").is(t, 200)
	out := lasting.delete(t, "/v1/impersonations/"+lasting.session).is(t, 200)
	for _, off := range []time.Duration{0, -time.Second, -2 * time.Minute, -time.Hour, idle + time.Minute} {
		holds(t, lasting, off, invalid)
	}
	o.session(t, lasting.session).has(t, object{"cause": "signed_out", "endedAt": out.body["endedAt"]})
	if instant(t, out.body["endedAt"]).Before(instant(t, started.body["startedAt"])) {
		t.Errorf("I4 it ended before it began: %s", out.raw)
	}

	ahead, begun := o.begin(t, "sam", "wes")
	holds(t, ahead, idle+time.Minute, invalid)
	for _, off := range []time.Duration{0, -time.Hour} {
		holds(t, ahead, off, invalid)
	}
	invalidOf := o.session(t, ahead.session).has(t, object{"cause": "idle"})
	if got := instant(t, invalidOf.body["endedAt"]).Sub(instant(t, begun.body["startedAt"])); got != idle {
		t.Errorf("I4 it idled out %v after its last request", got)
	}
	ends := 0
	for _, e := range timeline(t, o.as(t, "ada"), "type=impersonation&person=wes") {
		if e["action"] == "end" {
			ends++
		}
	}
	if ends != 1 {
		t.Errorf("I4 %d ends in the record", ends)
	}
}
