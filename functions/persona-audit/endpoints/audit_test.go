package endpoints_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gemba/functions/persona-audit/endpoints"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/persona"
	"gemba/shared/role"
)

// postman counts letters.
type postman struct{ letters []persona.Letter }

func (p *postman) Send(_ context.Context, l persona.Letter) error {
	p.letters = append(p.letters, l)
	return nil
}

// nowhere takes no hand-overs.
type nowhere struct{}

func (nowhere) Invoke(context.Context, []byte) error {
	return errors.New("there is nothing to hand over")
}

// at is the function over the fixture's organization.
type at struct {
	*endpoints.Function
	place        *fixture.Place
	store        *dynamo.Store
	post         *postman
	metrics, log *bytes.Buffer
}

func world(t *testing.T) at {
	t.Helper()
	store, place := fixture.World(t)
	a := at{place: place, store: store, post: &postman{}, metrics: &bytes.Buffer{}, log: &bytes.Buffer{}}
	auditor := persona.NewAuditor(store, store, a.post, place.Clock.Now)
	a.Function = endpoints.New(endpoints.Deps{
		Organizations: store, Auditor: auditor, Sweeper: role.NewSweeper(store, place.Clock.Now),
		Watcher: persona.NewWatch(persona.NewReconciler(store), store, place.Clock.Now), Relay: nowhere{},
		Metrics: a.metrics, Log: slog.New(slog.NewJSONHandler(a.log, nil)),
	})
	return a
}

// fire is EventBridge Scheduler's payload, as template.yaml words it.
func (a at) fire(t *testing.T, time string) string {
	t.Helper()
	answer, err := a.Invoke(t.Context(), []byte(`{"scheduledTime":"`+time+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func TestASlotIsAUTCDay(t *testing.T) {
	a := world(t)
	for _, c := range []struct{ time, want string }{
		{"2026-03-02T03:00:00Z", `{"slot":"2026-03-02","organizations":1,"made":1,"failed":0}`},
		{"2026-03-02T03:00:00Z", `{"slot":"2026-03-02","organizations":1,"made":0,"failed":0}`},
		{"2026-03-02T23:59:59Z", `{"slot":"2026-03-02","organizations":1,"made":0,"failed":0}`},
		{"2026-03-03T01:00:00+02:00", `{"slot":"2026-03-02","organizations":1,"made":0,"failed":0}`},
		{"2026-03-03T00:00:00Z", `{"slot":"2026-03-03","organizations":1,"made":1,"failed":0}`},
	} {
		if got := a.fire(t, c.time); got != c.want {
			t.Errorf("P6 %s: %s, want %s", c.time, got, c.want)
		}
	}
}

func TestMetricsAreOnesOfTheEmbeddedFormat(t *testing.T) {
	a := world(t)
	a.fire(t, "2026-03-02T03:00:00Z")
	a.fire(t, "2026-03-02T03:00:00Z")
	const head = `{"_aws":{"Timestamp":1772442000000,"CloudWatchMetrics":[{"Namespace":"Gemba/Personas","Dimensions":[["Organization","Persona"]],"Metrics":[`
	const plain = `{"Name":"People","Unit":"Count"},{"Name":"Active7","Unit":"Count"},{"Name":"Active30","Unit":"Count"},{"Name":"OnTeam","Unit":"Count"},{"Name":"Share","Unit":"Percent"}`
	const judged = plain + `,{"Name":"Least","Unit":"Count"},{"Name":"Most","Unit":"Count"},{"Name":"ToChange","Unit":"Count"},{"Name":"OffTarget","Unit":"Count"}`
	const foot = `"Audit":"2026-03-02","Slot":"2026-03-02"}`
	const idle = `"Active7":0,"Active30":0,"OnTeam":0,`
	want := strings.Join([]string{
		head + judged + `]}]},"Organization":"riverside","Persona":"frontline","People":4,` + idle + `"Share":33.333333333333336,"Least":8,"Most":11,"ToChange":4,"OffTarget":1,"Verdict":"below",` + foot,
		head + judged + `]}]},"Organization":"riverside","Persona":"leader","People":1,` + idle + `"Share":8.333333333333334,"Least":0,"Most":3,"ToChange":0,"OffTarget":0,"Verdict":"within",` + foot,
		head + judged + `]}]},"Organization":"riverside","Persona":"executive","People":1,` + idle + `"Share":8.333333333333334,"Least":0,"Most":2,"ToChange":0,"OffTarget":0,"Verdict":"within",` + foot,
		head + plain + `]}]},"Organization":"riverside","Persona":"ci_coach","People":1,` + idle + `"Share":8.333333333333334,` + foot,
		head + judged + `]}]},"Organization":"riverside","Persona":"champion","People":0,` + idle + `"Share":0,"Least":2,"Most":3,"ToChange":2,"OffTarget":1,"Verdict":"below",` + foot,
		head + plain + `]}]},"Organization":"riverside","Persona":"none","People":5,` + idle + `"Share":41.666666666666664,` + foot,
		head + judged + `]}]},"Organization":"riverside","Persona":"ci_experts","People":1,` + idle + `"Share":8.333333333333334,"Least":0,"Most":3,"ToChange":0,"OffTarget":0,"Verdict":"within",` + foot,
		"",
	}, "\n")
	if diff := cmp.Diff(want, withoutDrift(a.metrics.String())); diff != "" {
		t.Errorf("P6 %s", diff)
	}
}

func TestEveryMetricIsAMemberOfItsLine(t *testing.T) {
	a := world(t)
	a.fire(t, "2026-03-02T03:00:00Z")
	for text := range strings.Lines(a.metrics.String()) {
		var line map[string]any
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		var directive struct {
			AWS struct {
				CloudWatchMetrics []struct {
					Dimensions [][]string
					Metrics    []struct{ Name string }
				}
			} `json:"_aws"`
		}
		if err := json.Unmarshal([]byte(text), &directive); err != nil {
			t.Fatal(err)
		}
		for _, filing := range directive.AWS.CloudWatchMetrics {
			for _, m := range filing.Metrics {
				if _, ok := line[m.Name].(float64); !ok {
					t.Errorf("%v: no number %s", line["Persona"], m.Name)
				}
			}
			for _, d := range filing.Dimensions[0] {
				if _, ok := line[d].(string); !ok {
					t.Errorf("%v: no text %s", line["Persona"], d)
				}
			}
		}
	}
}

func TestNewsGoesToTheChampions(t *testing.T) {
	a := world(t)
	a.place.AddUser(t, directory.User{ID: "chris", Name: "Chris", Username: "chris", Email: "chris@riverside.example", Type: authz.General, Locations: []string{"clinic"}, Persona: directory.Champion})
	a.fire(t, "2026-03-02T03:00:00Z")
	a.place.AddUser(t, directory.User{ID: "kim", Name: "Kim", Username: "kim", Type: authz.General, Locations: []string{"clinic"}, Persona: directory.Champion})
	a.fire(t, "2026-03-03T03:00:00Z")
	a.fire(t, "2026-03-03T03:00:00Z")
	if len(a.post.letters) != 1 || a.post.letters[0].To != "chris@riverside.example" ||
		!strings.Contains(a.post.letters[0].Text, "KaiNexus Champion is within its target now (it had too few): 2 people, the target is 2–3.") {
		t.Errorf("P6 %+v", a.post.letters)
	}
	if strings.Contains(a.log.String(), "chris@") {
		t.Error("T5 an address is logged")
	}
}

func TestAFiringWithoutATimeIsRefused(t *testing.T) {
	a := world(t)
	for _, payload := range []string{``, `null`, `{}`, `{"scheduledTime":""}`, `{"scheduledTime":"<aws.scheduler.scheduled-time>"}`, `{"scheduledTime":7}`} {
		if _, err := a.Invoke(t.Context(), []byte(payload)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", payload, err)
		}
	}
	if a.metrics.Len() > 0 {
		t.Error("an audit was made")
	}
}

// withoutDrift is the lines that tell of audits.
func withoutDrift(metrics string) string {
	var lines strings.Builder
	for line := range strings.Lines(metrics) {
		if !strings.Contains(line, `"Drift":`) {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

// broken fails for the first of two organizations.
type broken struct{}

func (broken) Run(_ context.Context, _ string, _ []string, tell func(persona.Outcome)) ([]string, error) {
	down := fault.Wrap(fault.Unavailable, "storage", errors.New("down"))
	tell(persona.Outcome{Organization: "alpha", Err: down})
	tell(persona.Outcome{Organization: "zeta", Made: true})
	return nil, errors.Join(down, nil)
}

// idle has nothing to sweep.
type idle struct{}

func (idle) Run(context.Context, []string) (int, error) { return 0, nil }

// jammed cannot sweep.
type jammed struct{}

func (jammed) Run(context.Context, []string) (int, error) {
	return 3, fault.Wrap(fault.Unavailable, "storage", errors.New("jammed"))
}

// served has nothing to audit.
type served struct{}

func (served) Run(context.Context, string, []string, func(persona.Outcome)) ([]string, error) {
	return nil, nil
}

// few are all organizations that there are.
type few []string

func (f few) Organizations(context.Context, directory.Page) ([]string, string, error) {
	return f, "", nil
}

// of is a function of these parts for two organizations, with its log.
func of(auditor endpoints.Auditor, sweeper endpoints.Sweeper, watcher endpoints.Watcher, metrics io.Writer) (*endpoints.Function, *bytes.Buffer) {
	log := &bytes.Buffer{}
	return endpoints.New(endpoints.Deps{
		Organizations: few{"alpha", "zeta"}, Auditor: auditor, Sweeper: sweeper, Watcher: watcher, Relay: nowhere{}, Metrics: metrics,
		Log: slog.New(slog.NewJSONHandler(log, nil)),
	}), log
}

func TestAFailedSweepIsTheFiringsToo(t *testing.T) {
	f, log := of(served{}, jammed{}, unwatched{}, &bytes.Buffer{})
	if _, err := f.Invoke(t.Context(), []byte(`{"scheduledTime":"2026-03-02T03:00:00Z"}`)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("the scheduler is not told to try again: %v", err)
	}
	if !strings.Contains(log.String(), `"msg":"sweep","function":"persona-audit","users":3,"code":"storage"`) {
		t.Errorf("%s", log.String())
	}
}

func TestAFailureIsTheFirings(t *testing.T) {
	var metrics bytes.Buffer
	f, log := of(broken{}, idle{}, unwatched{}, &metrics)
	if _, err := f.Invoke(t.Context(), []byte(`{"scheduledTime":"2026-03-02T03:00:00Z"}`)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("P6 the scheduler is not told to try again: %v", err)
	}
	if strings.Contains(metrics.String(), "alpha") || strings.Count(metrics.String(), "\n") != 7 {
		t.Errorf("P6 %s", metrics.String())
	}
	if strings.Count(log.String(), "\n") != 3 || !strings.Contains(log.String(), `"organization":"alpha","slot":"2026-03-02","made":false,"base":0,"changed":0,"code":"storage"`) {
		t.Errorf("%s", log.String())
	}
}
