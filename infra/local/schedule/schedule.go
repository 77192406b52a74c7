// Package schedule drives functions by their EventBridge schedules, and on
// demand. It knows when, and what EventBridge Scheduler puts into a payload,
// not what a function does with it.
package schedule

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"gemba/infra/local/function"
	"gemba/infra/local/template"
)

// Scheduler fires the schedules of a template until it is closed.
type Scheduler struct {
	jobs    map[string]job
	log     *slog.Logger
	now     func() time.Time
	cancel  context.CancelFunc
	running sync.WaitGroup
}

type job struct {
	declared template.Schedule
	target   function.Function
	times    cron.Schedule
}

// New reads the functions' schedules, of which each function may have one. One that
// is a rate, and no time of day, comes at least as often as pace says, 0 for as the
// template does: who shortens what a sweep waits for, shortens the wait for the sweep.
func New(functions []template.Function, running map[string]function.Function, pace time.Duration, log *slog.Logger, now func() time.Time) (*Scheduler, error) {
	s := &Scheduler{jobs: map[string]job{}, log: log, now: now, cancel: func() {}}
	for _, declared := range functions {
		for _, schedule := range declared.Schedules {
			times, err := parse(schedule.ScheduleExpression, schedule.ScheduleExpressionTimezone, pace)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", declared.ID, err)
			}
			if _, twice := s.jobs[Name(declared.ID)]; twice {
				return nil, fmt.Errorf("%s has several schedules, one is expected", declared.ID)
			}
			s.jobs[Name(declared.ID)] = job{schedule, running[declared.ID], times}
		}
	}
	return s, nil
}

// Name is how a function is called by whoever fires its schedule:
// PersonaAuditFunction is persona-audit.
func Name(id string) string {
	var out strings.Builder
	for i, letter := range strings.TrimSuffix(id, "Function") {
		if i > 0 && letter >= 'A' && letter <= 'Z' {
			out.WriteByte('-')
		}
		out.WriteRune(letter)
	}
	return strings.ToLower(out.String())
}

// Run fires every schedule at its times until Close.
func (s *Scheduler) Run() {
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	for _, job := range s.jobs {
		s.running.Go(func() { s.follow(ctx, job) })
	}
}

// Close stops the schedules and returns when none is being fired any more.
func (s *Scheduler) Close() {
	s.cancel()
	s.running.Wait()
}

// Has tells whether a function of this name has a schedule.
func (s *Scheduler) Has(name string) bool {
	_, ok := s.jobs[name]
	return ok
}

// Fire calls the function of this name now, once, with its schedule's payload
// for a scheduled time, the zero one for now, and is its answer.
func (s *Scheduler) Fire(ctx context.Context, name string, at time.Time) ([]byte, error) {
	job, ok := s.jobs[name]
	if !ok {
		return nil, fmt.Errorf("no function %s has a schedule", name)
	}
	if at.IsZero() {
		at = s.now()
	}
	return job.fire(ctx, at, 1)
}

func (s *Scheduler) follow(ctx context.Context, job job) {
	for ctx.Err() == nil {
		due := job.times.Next(s.now())
		if due.IsZero() {
			return // it never comes
		}
		select {
		case <-time.After(due.Sub(s.now())):
			s.attempt(ctx, job, due)
		case <-ctx.Done():
		}
	}
}

// attempt fires a job that is due, and again after a failure as often as its
// retry policy allows, a minute apart.
func (s *Scheduler) attempt(ctx context.Context, job job, due time.Time) {
	most := 185 // EventBridge Scheduler's own default
	if job.declared.RetryPolicy.MaximumRetryAttempts != nil {
		most = *job.declared.RetryPolicy.MaximumRetryAttempts
	}
	for number := 1; ; number++ {
		_, err := job.fire(ctx, due, number)
		if err == nil {
			return
		}
		s.log.Error("a scheduled function failed", "function", job.target.ID, "attempt", number, "error", err.Error())
		if number > most {
			return
		}
		select {
		case <-time.After(time.Minute):
		case <-ctx.Done():
			return
		}
	}
}

func (j job) fire(ctx context.Context, at time.Time, attempt int) ([]byte, error) {
	id := rand.Text()
	input := strings.NewReplacer(
		"<aws.scheduler.schedule-arn>", "arn:aws:scheduler:"+template.Region+":"+template.Account+":schedule/default/"+j.target.ID,
		"<aws.scheduler.scheduled-time>", at.UTC().Format(time.RFC3339),
		"<aws.scheduler.execution-id>", id,
		"<aws.scheduler.attempt-number>", strconv.Itoa(attempt),
	).Replace(j.declared.Input)
	if input == "" {
		input = "{}"
	}
	return j.target.Call(ctx, id, json.RawMessage(input))
}

// parse reads EventBridge's rate(…) and cron(…). Of the latter's six fields
// the year must be every year; L, W and # are refused.
func parse(expression, zone string, pace time.Duration) (cron.Schedule, error) {
	kind, body, _ := strings.Cut(strings.TrimSuffix(expression, ")"), "(")
	fields := strings.Fields(body)
	switch {
	case kind == "rate" && len(fields) == 2:
		return rate(fields[0], fields[1], pace)
	case kind == "cron" && len(fields) == 6 && fields[5] == "*":
		weekday, err := weekdays(fields[4])
		if err != nil {
			return nil, fmt.Errorf("schedule %s: %w", expression, err)
		}
		if zone == "" {
			zone = "UTC"
		}
		times, err := cron.ParseStandard("CRON_TZ=" + zone + " " + strings.Join(fields[:4], " ") + " " + weekday)
		if err != nil {
			return nil, fmt.Errorf("schedule %s: %w", expression, err)
		}
		return times, nil
	default:
		return nil, fmt.Errorf("schedule %s is not understood here", expression)
	}
}

// rate is the schedule of a rate that comes at least as often as pace, if that is
// not 0, but once a second at most.
func rate(count, unit string, pace time.Duration) (cron.Schedule, error) {
	units := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
	n, err := strconv.Atoi(count)
	size, ok := units[strings.TrimSuffix(unit, "s")]
	if err != nil || !ok || n < 1 {
		return nil, fmt.Errorf("schedule rate(%s %s) is not understood here", count, unit)
	}
	every := time.Duration(n) * size
	if pace > 0 {
		every = min(every, pace)
	}
	return cron.Every(every), nil // which knows no fraction of a second
}

// weekdays turns EventBridge's numbers (1 is Sunday) into cron's (0 is).
func weekdays(field string) (string, error) {
	steps := ""
	if days, rest, found := strings.Cut(field, "/"); found {
		field, steps = days, "/"+rest
	}
	var failed error
	out := strings.FieldsFunc(field, func(r rune) bool { return r == ',' })
	for i, list := range out {
		ends := strings.Split(list, "-")
		for j, day := range ends {
			if n, err := strconv.Atoi(day); err == nil {
				if n < 1 || n > 7 {
					failed = fmt.Errorf("%d is no day of the week", n)
				}
				ends[j] = strconv.Itoa(n - 1)
			}
		}
		out[i] = strings.Join(ends, "-")
	}
	return strings.Join(out, ",") + steps, failed
}
