package schedule

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"gemba/infra/local/function"
	"gemba/infra/local/template"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) // a Sunday

type handlerFunc func(ctx context.Context, payload []byte) ([]byte, error)

func (f handlerFunc) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

func scheduler(t *testing.T, expression, input string, retries *int, handler handlerFunc) *Scheduler {
	t.Helper()
	schedule := template.Schedule{ScheduleExpression: expression, Input: input}
	schedule.RetryPolicy.MaximumRetryAttempts = retries
	s, err := New(
		[]template.Function{{ID: "PersonaAuditFunction", Schedules: []template.Schedule{schedule}}},
		map[string]function.Function{"PersonaAuditFunction": {ID: "PersonaAuditFunction", Timeout: time.Minute, Handler: handler}},
		0, slog.New(slog.NewTextHandler(io.Discard, nil)), func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNextTimes(t *testing.T) {
	cases := map[string]string{
		"cron(0 3 * * ? *)":       "2026-11-23T03:00:00Z",
		"cron(30 12 * * ? *)":     "2026-11-22T12:30:00Z",
		"cron(0/15 * * * ? *)":    "2026-11-22T12:15:00Z",
		"cron(0 8 ? * MON-FRI *)": "2026-11-23T08:00:00Z",
		"cron(0 8 ? * 2-6 *)":     "2026-11-23T08:00:00Z", // the same in numbers: 1 is Sunday
		"cron(0 13 ? * 1 *)":      "2026-11-22T13:00:00Z",
		"cron(0 0 1 JAN,JUL ? *)": "2027-01-01T00:00:00Z",
		"rate(1 day)":             "2026-11-23T12:00:00Z",
		"rate(5 minutes)":         "2026-11-22T12:05:00Z",
		"rate(2 hours)":           "2026-11-22T14:00:00Z",
	}
	for expression, want := range cases {
		t.Run(expression, func(t *testing.T) {
			times, err := parse(expression, "", 0)
			if err != nil {
				t.Fatal(err)
			}
			if got := times.Next(noon).UTC().Format(time.RFC3339); got != want {
				t.Errorf("next %s, want %s", got, want)
			}
		})
	}
}

func TestAPaceHastensRates(t *testing.T) {
	for _, c := range []struct {
		expression string
		pace, want time.Duration
	}{
		{"rate(5 minutes)", 2 * time.Second, 2 * time.Second},
		{"rate(5 minutes)", 300 * time.Millisecond, time.Second},
		{"rate(1 minute)", time.Hour, time.Minute},
		{"rate(1 minute)", 0, time.Minute},
		{"cron(0 13 * * ? *)", time.Second, time.Hour},
	} {
		times, err := parse(c.expression, "", c.pace)
		if err != nil {
			t.Fatal(err)
		}
		if got := times.Next(noon).Sub(noon); got != c.want {
			t.Errorf("%s at a pace of %s comes after %s, want %s", c.expression, c.pace, got, c.want)
		}
	}
}

func TestTimesAreOfTheirZone(t *testing.T) {
	times, err := parse("cron(0 3 * * ? *)", "Europe/Berlin", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if got := times.Next(noon).UTC().Format(time.RFC3339); got != "2026-11-23T02:00:00Z" {
		t.Errorf("next %s", got)
	}
}

func TestExpressionsThatAreRefused(t *testing.T) {
	for _, expression := range []string{
		"", "cron(0 3 * * *)", "cron(0 3 * * ? 2027)", "cron(0 3 L * ? *)", "cron(0 3 ? * 2#1 *)", "cron(0 3 ? * 0 *)",
		"rate(0 days)", "rate(1 week)", "rate(x days)", "at(2026-11-22T12:00:00)",
	} {
		if _, err := parse(expression, "", 0); err == nil {
			t.Errorf("%q is not refused", expression)
		}
	}
}

func TestNameIsTheFunctionsInKebabCase(t *testing.T) {
	for id, want := range map[string]string{"PersonaAuditFunction": "persona-audit", "NotifierFunction": "notifier"} {
		if got := Name(id); got != want {
			t.Errorf("%s is %s, want %s", id, got, want)
		}
	}
}

func TestFireCallsTheFunctionWithItsInput(t *testing.T) {
	var got string
	s := scheduler(t, "rate(1 day)", `{"at":"<aws.scheduler.scheduled-time>","try":<aws.scheduler.attempt-number>}`, nil,
		func(_ context.Context, payload []byte) ([]byte, error) {
			got = string(payload)
			return []byte(`{"done":true}`), nil
		})
	for want, at := range map[string]time.Time{
		`{"at":"2026-11-22T12:00:00Z","try":1}`: {},
		`{"at":"2026-12-01T03:00:00Z","try":1}`: time.Date(2026, 12, 1, 4, 0, 0, 0, time.FixedZone("CET", 3600)),
	} {
		answer, err := s.Fire(t.Context(), "persona-audit", at)
		if err != nil || string(answer) != `{"done":true}` {
			t.Errorf("%s, %v", answer, err)
		}
		if got != want {
			t.Errorf("payload %s, want %s", got, want)
		}
	}
	if _, err := s.Fire(t.Context(), "notifier", time.Time{}); err == nil || s.Has("notifier") || !s.Has("persona-audit") {
		t.Error("a function without a schedule was fired")
	}
}

func TestAFailureIsTriedAgainAsThePolicyAllows(t *testing.T) {
	none, calls := 0, 0
	s := scheduler(t, "rate(1 day)", "", &none, func(context.Context, []byte) ([]byte, error) {
		calls++
		return nil, errors.New("no")
	})
	s.attempt(t.Context(), s.jobs["persona-audit"], noon)
	if calls != 1 {
		t.Errorf("%d calls with no retries allowed", calls)
	}
}

func TestRunFiresWhatIsDueUntilClosed(t *testing.T) {
	fired := make(chan string, 8)
	s := scheduler(t, "rate(1 day)", "<aws.scheduler.scheduled-time>", nil, func(_ context.Context, payload []byte) ([]byte, error) {
		fired <- string(payload)
		return nil, nil
	})
	job := s.jobs["persona-audit"]
	job.declared.Input = `"<aws.scheduler.scheduled-time>"`
	job.times = at{noon.Add(time.Millisecond)}
	s.jobs["persona-audit"] = job
	s.Run()
	if got := <-fired; got != `"2026-11-22T12:00:00Z"` {
		t.Errorf("payload %s", got)
	}
	s.Close()
}

// at is due at one instant, always.
type at struct{ time.Time }

func (a at) Next(time.Time) time.Time { return a.Time }
