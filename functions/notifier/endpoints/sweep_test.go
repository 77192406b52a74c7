package endpoints_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
	"gemba/shared/timeline"
)

// fire is the schedule's firing, as infra/events has it.
func (w *world) fire(t *testing.T, ctx context.Context) (object, error) {
	t.Helper()
	payload, err := os.ReadFile("../../../infra/events/sweep.json")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := w.function.Invoke(ctx, payload)
	var answer object
	if err == nil {
		if err := json.Unmarshal(raw, &answer); err != nil {
			t.Fatal(err)
		}
	}
	return answer, err
}

// measured are the metrics that were written, each "name organization value", sorted;
// and that each of them is a member of its line.
func (w *world) measured(t *testing.T) []string {
	t.Helper()
	var out []string
	for line := range strings.Lines(w.metrics.String()) {
		var read struct {
			AWS struct {
				Timestamp         int64
				CloudWatchMetrics []struct {
					Namespace  string
					Dimensions [][]string
					Metrics    []struct{ Name, Unit string }
				}
			} `json:"_aws"`
		}
		var members object
		if json.Unmarshal([]byte(line), &read) != nil || json.Unmarshal([]byte(line), &members) != nil {
			t.Fatalf("no line of the format: %s", line)
		}
		filing := read.AWS.CloudWatchMetrics[0]
		if filing.Namespace != "Gemba/Impersonation" || read.AWS.Timestamp == 0 {
			t.Errorf("filed as %+v", read.AWS)
		}
		for _, m := range filing.Metrics {
			value, ok := members[m.Name].(float64)
			if !ok || m.Unit != "Count" {
				t.Errorf("%s is %v in %s", m.Name, members[m.Name], line)
			}
			where := []string{m.Name}
			for _, d := range filing.Dimensions[0] {
				where = append(where, members[d].(string))
			}
			text, _ := json.Marshal(value)
			out = append(out, strings.Join(append(where, string(text)), " "))
		}
	}
	w.metrics.Reset()
	slices.Sort(out)
	return out
}

func TestAFiringSweeps(t *testing.T) {
	w := open(t)
	id := w.start(t, "support", "nurse")
	start := w.session(t, id).Started
	w.Clock.Advance(6 * time.Minute)
	for _, want := range []object{
		{"organizations": 1.0, "sessions": 1.0, "ended": 1.0, "stuck": 1.0, "left": 0.0},
		{"organizations": 1.0, "sessions": 1.0, "ended": 0.0, "stuck": 0.0, "left": 0.0},
	} {
		answer, err := w.fire(t, t.Context())
		if diff := cmp.Diff(want, answer); diff != "" || err != nil {
			t.Errorf("I4: %v (-want +got):\n%s", err, diff)
		}
		measured := []string{
			"FailedMail riverside 0", "StuckMail riverside " + map[bool]string{true: "1", false: "0"}[want["stuck"] == 1.0],
			"SweptEnds riverside " + map[bool]string{true: "1", false: "0"}[want["ended"] == 1.0], "UnknownMail riverside 0", "Unswept 0",
		}
		if diff := cmp.Diff(measured, w.measured(t)); diff != "" {
			t.Errorf("metrics (-want +got):\n%s", diff)
		}
	}
	if s := w.session(t, id); s.Cause != impersonation.Idle || !s.Ended.Equal(start.Add(impersonation.DefaultIdle)) || s.Notice.Status != impersonation.Sent {
		t.Errorf("I4, I8: ended %q at %s, its notice is %s", s.Cause, s.Ended, s.Notice.Status)
	}
	for _, secret := range []string{"nurse@riverside.example", "Sam Support"} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("T5: the log tells %q:\n%s", secret, w.log)
		}
	}
}

func TestAFiringThatFailsIsKnown(t *testing.T) {
	w := open(t)
	id := w.start(t, "support", "nurse")
	w.Clock.Advance(6 * time.Minute)
	w.post.statuses = []int{http.StatusTooManyRequests}
	if _, err := w.fire(t, t.Context()); err == nil {
		t.Error("I8: nobody learns that a mail is not taken")
	}
	if got := w.measured(t); !slices.Contains(got, "StuckMail riverside 1") {
		t.Errorf("I8: %q", got)
	}
	if s := w.session(t, id); s.Cause != impersonation.Idle {
		t.Errorf("I4: a mail that does not go keeps the session from its end: %q", s.Cause)
	}
	if _, err := w.fire(t, t.Context()); err != nil || len(w.post.to) != 1 {
		t.Errorf("I8: the next firing: %v, mail went to %q", err, w.post.to)
	}
}

func TestAFiringWithoutTimeSaysSo(t *testing.T) {
	w := open(t)
	late, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	answer, err := w.fire(t, late)
	if err != nil || answer["left"] != 1.0 || answer["organizations"] != 0.0 {
		t.Errorf("%v, %v", answer, err)
	}
	if diff := cmp.Diff([]string{"Unswept 1"}, w.measured(t)); diff != "" || !strings.Contains(w.log.String(), `"unswept"`) {
		t.Errorf("(-want +got):\n%s\n%s", diff, w.log)
	}
}

// entered are the records of the timeline's entries of impersonations, as the stream
// has them.
func (w *world) entered(t *testing.T) []object {
	t.Helper()
	out, err := w.Client().Query(t.Context(), &dynamodb.QueryInput{
		TableName: &w.Table, KeyConditionExpression: aws.String("pk = :t"), FilterExpression: aws.String("#type = :i"),
		ExpressionAttributeNames: map[string]string{"#type": "type"},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":t": &types.AttributeValueMemberS{Value: "T#" + fixture.Organization + "#" + w.Clock.Now().Format("2006-01")},
			":i": &types.AttributeValueMemberS{Value: "impersonation"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	var records []object
	for _, item := range out.Items {
		records = append(records, object{"eventName": "INSERT", "dynamodb": object{
			"SequenceNumber": item["sk"].(*types.AttributeValueMemberS).Value,
			"Keys":           object{"pk": image(t, item["pk"]), "sk": image(t, item["sk"])},
			"NewImage":       image(t, &types.AttributeValueMemberM{Value: item}).(object)["M"],
		}})
	}
	return records
}

// image is an attribute as the stream's JSON has it.
func image(t *testing.T, v types.AttributeValue) any {
	t.Helper()
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return object{"S": v.Value}
	case *types.AttributeValueMemberN:
		return object{"N": v.Value}
	case *types.AttributeValueMemberBOOL:
		return object{"BOOL": v.Value}
	case *types.AttributeValueMemberM:
		members := object{}
		for name, member := range v.Value {
			members[name] = image(t, member)
		}
		return object{"M": members}
	}
	var out any
	_ = attributevalue.Unmarshal(v, &out)
	t.Fatalf("an attribute %T %v is not expected here", v, out)
	return nil
}

// observe makes these the observers.
func (w *world) observe(t *testing.T, ids ...string) {
	t.Helper()
	c := w.Caller(t, "root", directory.Keys{})
	after := c.Organization
	after.Settings.Impersonation.Observers = ids
	if err := w.store.PutOrganization(t.Context(), c.Basis(), directory.OrganizationChange{
		Before: c.Organization, After: after, Entry: c.Entry(timeline.Settings, "update", timeline.Target{Type: "organization", ID: fixture.Organization}),
	}); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsInTheRecordAlerts(t *testing.T) {
	w := open(t)
	w.observe(t, "doctor", "coach")
	w.start(t, "support", "nurse")
	w.start(t, "vendor", "local")
	records := w.entered(t)
	w.post.statuses = []int{http.StatusTooManyRequests}
	failed := w.batch(t, t.Context(), records...)
	if len(failed) != 1 {
		t.Fatalf("failed are %q, want the alert of which SES did not take one mail", failed)
	}
	for range 2 {
		if failed := w.batch(t, t.Context(), records...); failed != nil {
			t.Fatalf("failed again: %q", failed)
		}
	}
	slices.Sort(w.post.to)
	if want := []string{"coach@riverside.example", "doctor@riverside.example"}; !slices.Equal(w.post.to, want) {
		t.Errorf("alerts went to %q, want each once: %q", w.post.to, want)
	}
	if want := "AdministratorImpersonated riverside 1"; !slices.Contains(w.measured(t), want) {
		t.Errorf("metrics lack %q", want)
	}
}

func TestRepeatedFailuresAreCounted(t *testing.T) {
	w := open(t)
	w.observe(t, "doctor")
	for range 6 {
		c := w.Caller(t, "support", directory.Keys{Users: []string{"nurse"}})
		if _, err := w.service.Start(t.Context(), c, impersonation.Request{Subject: "nurse", Credentials: &impersonation.Credentials{Username: "another", Password: "p"}}); err == nil {
			t.Fatal("I2: another's username proves")
		}
	}
	if failed := w.batch(t, t.Context(), w.entered(t)...); failed != nil {
		t.Fatalf("failed: %q", failed)
	}
	if diff := cmp.Diff([]string{"RepeatedFailures riverside 1"}, w.measured(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want := []string{"doctor@riverside.example"}; !slices.Equal(w.post.to, want) {
		t.Errorf("I2: alerts went to %q, want %q", w.post.to, want)
	}
}
