package persona_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/persona"
	"gemba/shared/timeline"
)

// ledger is the fixture's organization with hands on its counters, past the
// store.
type ledger struct {
	*dynamo.Store
	place *fixture.Place
}

func openLedger(t testing.TB) ledger {
	t.Helper()
	store, place := fixture.World(t)
	return ledger{store, place}
}

// counters are the counters as they are stored, by their locations.
func (l ledger) counters(t testing.TB) map[string]map[string]types.AttributeValue {
	t.Helper()
	pages := dynamodb.NewQueryPaginator(l.place.Client(), &dynamodb.QueryInput{
		TableName: &l.place.Table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("pk = :pk AND begins_with(sk, :set)"),
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":pk": &types.AttributeValueMemberS{Value: "CNT#" + fixture.Organization}, ":set": &types.AttributeValueMemberS{Value: "SET#"},
		},
	})
	found := map[string]map[string]types.AttributeValue{}
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			var set []string
			if err := attributevalue.Unmarshal(item["set"], &set); err != nil {
				t.Fatal(err)
			}
			found[strings.Join(set, "+")] = item
		}
	}
	return found
}

// corrupt adds to a number of a counter, and changes nothing else of it.
func (l ledger) corrupt(t testing.TB, set, attribute string, n int) {
	t.Helper()
	item := maps.Clone(l.counters(t)[set])
	if item == nil {
		t.Fatalf("there is no counter of %s", set)
	}
	was := 0
	if number, ok := item[attribute].(*types.AttributeValueMemberN); ok {
		was, _ = strconv.Atoi(number.Value)
	}
	item[attribute] = &types.AttributeValueMemberN{Value: strconv.Itoa(was + n)}
	l.write(t, item)
}

func (l ledger) write(t testing.TB, item map[string]types.AttributeValue) {
	t.Helper()
	if _, err := l.place.Client().PutItem(context.Background(), &dynamodb.PutItemInput{TableName: &l.place.Table, Item: item}); err != nil {
		t.Fatal(err)
	}
}

func (l ledger) remove(t testing.TB, set string) {
	t.Helper()
	item := l.counters(t)[set]
	_, err := l.place.Client().DeleteItem(context.Background(), &dynamodb.DeleteItemInput{
		TableName: &l.place.Table, Key: map[string]types.AttributeValue{"pk": item["pk"], "sk": item["sk"]},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// root is the system administrator as a request of theirs is.
func (l ledger) root(t testing.TB) directory.Caller {
	c := l.place.Caller(t, "root", directory.Keys{})
	c.Again = func(context.Context, directory.Keys) (directory.Caller, error) { return l.root(t), nil }
	return c
}

// reconcile holds the counters against the users, and tells what drifted as
// text.
func (l ledger) reconcile(t testing.TB, mend bool) (persona.Reconciliation, []string) {
	t.Helper()
	found, err := persona.NewReconciler(l.Store).Reconcile(context.Background(), l.root(t), mend)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, s := range found.Strayed {
		for _, d := range s.Drifts {
			day := ""
			if d.Measure == persona.Active {
				day = " " + d.Day.String()
			}
			told = append(told, fmt.Sprintf("%s %s %s%s: %d is %d", strings.Join(s.Count.Locations, "+"), persona.Word(d.Persona), d.Measure, day, d.Counted, d.Found))
		}
	}
	return found, told
}

func (l ledger) entries(t testing.TB) []timeline.Entry {
	t.Helper()
	entries, _, err := l.Entries(t.Context(), fixture.Organization, timeline.Stretch{
		From: fixture.Start, To: l.place.Clock.Now().Add(time.Hour), Page: timeline.Page{Limit: 500},
	})
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestP8NothingDrifts(t *testing.T) {
	l := openLedger(t)
	found, told := l.reconcile(t, false)
	if len(told) > 0 || found.Users != 15 || found.Sets != len(l.counters(t)) || found.Unsettled != 0 || found.Drift() != 0 {
		t.Errorf("%+v %v", found, told)
	}
	if _, told := l.reconcile(t, true); len(told) > 0 || len(l.entries(t)) > 0 {
		t.Errorf("T1 mending nothing is no entry: %v", l.entries(t))
	}
}

// TestP8EachDriftIsFoundAndMended: every kind of wrong number, alone.
func TestP8EachDriftIsFoundAndMended(t *testing.T) {
	l := openLedger(t)
	today := directory.DayOf(fixture.Start)
	for _, c := range []struct {
		name  string
		wrong func()
		want  []string
	}{
		{"a number too high", func() { l.corrupt(t, "icu", "frontline", 2) }, []string{"icu frontline people: 4 is 2"}},
		{"a number too low", func() { l.corrupt(t, "hospital", "none", -1) }, []string{"hospital none people: 3 is 4"}},
		{"a number below nothing", func() { l.corrupt(t, "icu", "champion", -1) }, []string{"icu champion people: -1 is 0"}},
		{"on a team", func() { l.corrupt(t, "icu", "team_frontline", 1) }, []string{"icu frontline onTeam: 1 is 0"}},
		{"active", func() { l.corrupt(t, "icu", fmt.Sprintf("seen_%d_leader", today-3), 1) }, []string{"icu leader active 2026-02-27: 1 is 0"}},
		{"active on another clock's day", func() { l.corrupt(t, "icu", fmt.Sprintf("seen_%d_none", today+1), 1) }, []string{"icu none active 2026-03-03: 1 is 0"}},
		{"a counter that is not there", func() { l.remove(t, "icu") }, []string{"icu frontline people: 0 is 2"}},
		{"a counter of nobody", func() {
			l.place.AddUser(t, directory.User{ID: "gone", Name: "Gone", Username: "gone", Type: authz.General, Locations: []string{"clinic", "icu"}})
			l.place.Clock.Advance(time.Minute)
			l.corrupt(t, "clinic+icu", "leader", 5)
		}, []string{"clinic+icu leader people: 5 is 0"}},
		{"several", func() { l.corrupt(t, "icu", "leader", 1); l.corrupt(t, "hospital", "leader", 1) },
			[]string{"hospital leader people: 1 is 0", "icu leader people: 1 is 0"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l.place.Clock.Advance(time.Minute)
			c.wrong()
			found, told := l.reconcile(t, false)
			if !slices.Equal(told, c.want) || found.Unsettled != 0 || found.Mended != 0 {
				t.Errorf("found %q, want %q, %d unsettled", told, c.want, found.Unsettled)
			}
			entries := len(l.entries(t))
			found, told = l.reconcile(t, true)
			if !slices.Equal(told, c.want) || found.Mended != len(c.want) {
				t.Errorf("%d mended of %q", found.Mended, told)
			}
			if n := len(l.entries(t)) - entries; n != 1 {
				t.Errorf("T1 %d entries", n)
			}
			if _, told := l.reconcile(t, true); len(told) > 0 {
				t.Errorf("still wrong: %q", told)
			}
		})
	}
}

// TestP8DaysOfLongAgoAreNoDrift: nobody reads them, and they are kept up no more.
func TestP8DaysOfLongAgoAreNoDrift(t *testing.T) {
	l := openLedger(t)
	today := directory.DayOf(fixture.Start)
	l.corrupt(t, "icu", fmt.Sprintf("seen_%d_leader", today-persona.MonthDays), 1)
	if _, told := l.reconcile(t, false); len(told) > 0 {
		t.Errorf("%q", told)
	}
	l.corrupt(t, "icu", fmt.Sprintf("seen_%d_leader", today-persona.MonthDays+1), 1)
	if _, told := l.reconcile(t, false); len(told) != 1 {
		t.Errorf("%q", told)
	}
}

// inTheWay does something once between two calls of a reconciliation.
type inTheWay struct {
	persona.Recounts
	afterWalk, afterCounts, beforeMend func()
}

func (w *inTheWay) Everybody(ctx context.Context, o string, see func([]directory.User) error) error {
	err := w.Recounts.Everybody(ctx, o, see)
	if w.afterWalk != nil {
		w.afterWalk()
	}
	return err
}

func (w *inTheWay) SetCounts(ctx context.Context, o string) ([]persona.SetCount, error) {
	found, err := w.Recounts.SetCounts(ctx, o)
	if w.afterCounts != nil {
		w.afterCounts()
		w.afterCounts = nil
	}
	return found, err
}

func (w *inTheWay) Mend(ctx context.Context, b directory.Basis, wrong []persona.Strayed, e timeline.Entry) error {
	if w.beforeMend != nil {
		w.beforeMend()
	}
	return w.Recounts.Mend(ctx, b, wrong, e)
}

// label changes a persona as a request would.
func (l ledger) label(t testing.TB, user string, to directory.Persona) {
	t.Helper()
	c := l.place.Caller(t, "root", directory.Keys{Users: []string{user}})
	if _, err := persona.New(l.Store).Label(context.Background(), c, user, to, directory.Precondition{}); err != nil {
		t.Fatal(err)
	}
}

func (l ledger) through(t testing.TB, w *inTheWay, mend bool) persona.Reconciliation {
	t.Helper()
	w.Recounts = l.Store
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	found, err := persona.NewReconciler(w).Reconcile(ctx, l.root(t), mend)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestP8AChangeMeanwhileIsNoDrift: before the walk, and after it.
func TestP8AChangeMeanwhileIsNoDrift(t *testing.T) {
	l := openLedger(t)
	for name, w := range map[string]*inTheWay{
		"after the counters were read": {afterCounts: func() { l.label(t, "nurse", directory.Leader) }},
		"after the users were read":    {afterWalk: func() { l.label(t, "nurse", directory.Executive) }},
	} {
		t.Run(name, func(t *testing.T) {
			l.place.Clock.Advance(time.Minute)
			if found := l.through(t, w, false); found.Drift() != 0 || found.Unsettled != 0 {
				t.Errorf("%+v", found)
			}
		})
	}
}

// TestP8DriftUnderAChangeIsFoundLater: a counter that just changed is not
// believed to be wrong, as its change may be half seen; when it has come to
// rest it is.
func TestP8DriftUnderAChangeIsFoundLater(t *testing.T) {
	l := openLedger(t)
	l.corrupt(t, "icu", "frontline", 2)
	l.label(t, "nurse", directory.Leader)
	if found := l.through(t, &inTheWay{}, true); found.Drift() != 0 || found.Unsettled != 1 || found.Mended != 0 {
		t.Errorf("%+v", found)
	}
	l.place.Clock.Advance(time.Minute)
	if found, told := l.reconcile(t, true); !slices.Equal(told, []string{"icu frontline people: 3 is 1"}) || found.Unsettled != 0 || found.Mended != 1 {
		t.Errorf("%q %+v", told, found)
	}
}

// TestP8DriftOfASetThatMovedIsFound by reading the set again: the counter is of
// another version than before the walk, and has come to rest since.
func TestP8DriftOfASetThatMovedIsFound(t *testing.T) {
	l := openLedger(t)
	l.corrupt(t, "icu", "frontline", 2)
	w := &inTheWay{afterCounts: func() {
		l.label(t, "nurse", directory.Leader)
		l.place.Clock.Advance(time.Minute)
	}}
	found := l.through(t, w, true)
	if found.Drift() != 1 || found.Mended != 1 || found.Strayed[0].Drifts[0].Counted != 3 {
		t.Errorf("%+v", found)
	}
	if _, told := l.reconcile(t, false); len(told) > 0 {
		t.Errorf("%q", told)
	}
}

// TestT3ACounterThatChangesIsNotMended: what was found is of another version.
// The others of its transaction are.
// TestI5WhoMayNoLongerMendsNoLonger: the right is asked for at each transaction.
func TestReconciliationIsBusyWithoutTime(t *testing.T) {
	l := openLedger(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if _, err := persona.NewReconciler(l.Store).Reconcile(ctx, l.root(t), false); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
}

// TestT1ManyCountersAreMendedInParts: twenty a transaction, with an entry each.
// TestP8EveryInjectedDriftIsFoundExactly corrupts counters at random: what is
// found is what was done, and mended it is gone.
func TestP8EveryInjectedDriftIsFoundExactly(t *testing.T) {
	l := openLedger(t)
	sets := slices.Sorted(maps.Keys(l.counters(t)))
	today := directory.DayOf(fixture.Start)
	attributes := []string{"none", "frontline", "champion", "team_none", "team_leader", fmt.Sprintf("seen_%d_none", today), fmt.Sprintf("seen_%d_executive", today-9)}
	rapid.Check(t, func(r *rapid.T) {
		l.place.Clock.Advance(time.Minute)
		deltas := rapid.MapOfN(rapid.Custom(func(r *rapid.T) [2]string {
			return [2]string{rapid.SampledFrom(sets).Draw(r, "set"), rapid.SampledFrom(attributes).Draw(r, "number")}
		}), rapid.SampledFrom([]int{-3, -1, 1, 2, 40}), 0, 4).Draw(r, "deltas")
		for number, n := range deltas {
			l.corrupt(t, number[0], number[1], n)
		}
		found, told := l.reconcile(t, true)
		sum := 0
		for _, s := range found.Strayed {
			for _, d := range s.Drifts {
				sum += d.Counted - d.Found
			}
		}
		want := 0
		for _, n := range deltas {
			want += n
		}
		if len(told) != len(deltas) || found.Mended != len(deltas) || sum != want || found.Unsettled != 0 {
			r.Errorf("P8 %v was found as %q, %d mended", deltas, told, found.Mended)
		}
		if found, told := l.reconcile(t, false); found.Drift() != 0 {
			r.Errorf("P8 still %q", told)
		}
	})
}
