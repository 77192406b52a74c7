package endpoints_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"gemba/shared/dynamotest/fixture"
)

// cost is what a call asked of DynamoDB: requests, and among them the actions of
// its transactions. AWS bills two write units an action and KB; DynamoDB Local
// tells other numbers, so they are not looked at.
type cost struct{ requests, actions int }

// costs counts what a warm instance asks for by a call.
func (d desk) costs(t *testing.T, act func(desk) fixture.Answer) (c cost, a fixture.Answer) {
	t.Helper()
	other := d.beside(t, func(_ string, input any, next func() (any, error)) (any, error) {
		c.requests++
		if t, ok := input.(*dynamodb.TransactWriteItemsInput); ok {
			c.actions += len(t.TransactItems)
		}
		return next()
	})
	a = act(other)
	return c, a
}

// TestCosts holds changes of the policy to what they cost on a warm instance
// when nothing was written in the last ten seconds: reading caller and place or
// uses, one transaction (what changed, eight copies of the policy version, the
// log, two entries, the caller checked), and the count towards a snapshot.
func TestCosts(t *testing.T) {
	d := open(t)
	d.prepare(t, "locations", "annex")
	body, tag := d.theOrganization(t)
	in(body, "settings")["localReach"] = "any"
	for _, c := range []struct {
		name   string
		act    func(d desk) fixture.Answer
		status int
		want   cost
	}{
		{"a location moves", func(d desk) fixture.Answer {
			return d.do(t, "root", "PUT", "locations", "icu", object{"name": "The icu", "parent": "ward"}, "if-match", `"1"`)
		}, 200, cost{4, 13}},
		{"a location is put as it is", func(d desk) fixture.Answer {
			return d.do(t, "root", "PUT", "locations", "icu", object{"name": "The icu", "parent": "ward"}, "if-match", `"2"`)
		}, 200, cost{2, 0}},
		{"a setting changes", func(d desk) fixture.Answer {
			return d.do(t, "root", "PUT", "organization", "", body, "if-match", tag)
		}, 200, cost{3, 13}},
		{"a deletion is refused", func(d desk) fixture.Answer {
			return d.do(t, "root", "DELETE", "locations", "ward", nil, "if-match", "*")
		}, 409, cost{5, 0}},
		{"a location is deleted", func(d desk) fixture.Answer {
			return d.do(t, "root", "DELETE", "locations", "annex", nil, "if-match", "*")
		}, 204, cost{10, 24}},
	} {
		d.Clock.Advance(time.Minute)
		if got, a := d.costs(t, c.act); got != c.want || a.Status != c.status {
			t.Errorf("%s: %d, %+v, want %+v\n%s", c.name, a.Status, got, c.want, a.Body)
		}
	}
}
