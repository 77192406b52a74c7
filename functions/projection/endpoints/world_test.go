package endpoints_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/functions/projection/endpoints"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/fault"
	"gemba/shared/persona"
	"gemba/shared/timeline"
)

type object = map[string]any

// world is the projection function over the fixture's organization, and the
// records of the stream that it was not yet given.
type world struct {
	*fixture.Place
	store    *dynamo.Store
	log      *bytes.Buffer
	function *endpoints.Function
	numbers  int
}

func open(t testing.TB) *world {
	t.Helper()
	store, place := fixture.World(t)
	w := &world{Place: place, store: store, log: &bytes.Buffer{}}
	w.function = w.over(store)
	return w
}

// over is the function over a store of its own.
func (w *world) over(store *dynamo.Store) *endpoints.Function {
	return endpoints.New(persona.NewEngager(store), timeline.NewSealer(store, w.Clock.Now), slog.New(slog.NewJSONHandler(w.log, nil)), w.log, w.Clock.Now)
}

// quiet is the function over a store, and tells nobody.
func (w *world) quiet(store *dynamo.Store) *endpoints.Function {
	return endpoints.New(persona.NewEngager(store), timeline.NewSealer(store, w.Clock.Now), slog.New(slog.DiscardHandler), io.Discard, w.Clock.Now)
}

// noted is a world in which the fixture's items were told already.
func noted(t testing.TB) *world {
	t.Helper()
	w := open(t)
	var records []object
	for _, id := range []string{"icu-idea", "icu-new", "surgery-draft", "ward-project", "ward-private", "clinic-incident"} {
		records = append(records, w.ofItem("INSERT", id))
	}
	w.deliver(t, records...)
	return w
}

// record is a stream's record about a key.
func (w *world) record(event, pk, sk string) object {
	w.numbers++
	return object{"eventName": event, "eventSource": "aws:dynamodb", "dynamodb": object{
		"SequenceNumber": fmt.Sprint(w.numbers), "Keys": object{"pk": object{"S": pk}, "sk": object{"S": sk}},
	}}
}

// ofItem is the record of a change of an item.
func (w *world) ofItem(event, id string) object {
	return w.record(event, "I#"+fixture.Organization+"#"+id, "ITEM")
}

// ofMark is the record of a mark.
func (w *world) ofMark(user string, day directory.Day) object {
	return w.record("INSERT", "SEEN#"+fixture.Organization+"#"+user, fmt.Sprint(int(day)))
}

// invoke hands records to a function and is the numbers of those that failed.
func invoke(ctx context.Context, f *endpoints.Function, records ...object) ([]string, error) {
	payload, err := json.Marshal(object{"Records": records})
	if err != nil {
		return nil, err
	}
	raw, err := f.Invoke(ctx, payload)
	if err != nil {
		return nil, err
	}
	var answer struct {
		BatchItemFailures []struct{ ItemIdentifier string }
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, err
	}
	var failed []string
	for _, f := range answer.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	return failed, nil
}

// deliver hands records over, none of which may fail.
func (w *world) deliver(t testing.TB, records ...object) {
	t.Helper()
	if failed, err := invoke(t.Context(), w.function, records...); err != nil || failed != nil {
		t.Fatalf("failed are %v, %v\n%s", failed, err, w.log)
	}
}

// today is the clock's day.
func (w *world) today() directory.Day { return directory.DayOf(w.Clock.Now()) }

// put makes an item so, as a service does.
func (w *world) put(t testing.TB, id string, status authz.Status, team ...string) {
	t.Helper()
	item := directory.Item{Item: authz.Item{ID: id, Template: "idea", Locations: []string{"icu"}, Status: status}}
	if len(team) > 0 {
		item.Team = map[authz.TeamRole][]string{authz.Responsible: team[:1], authz.Collaborator: team[1:]}
	}
	c := w.Caller(t, "service", directory.Keys{})
	err := directory.Anew(t.Context(), func() error {
		_, err := directory.NewItems(w.store).Put(t.Context(), c, item, directory.Precondition{Match: true, Any: true})
		if fault.Is(err, fault.Stale) {
			_, err = directory.NewItems(w.store).Put(t.Context(), c, item, directory.Precondition{None: true})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// remove deletes an item, if it is there.
func (w *world) remove(t testing.TB, id string) {
	t.Helper()
	c := w.Caller(t, "service", directory.Keys{})
	err := directory.NewItems(w.store).Delete(t.Context(), c, id, directory.Precondition{Match: true, Any: true})
	if err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Stale) {
		t.Fatal(err)
	}
}

// change writes a user's next state, and again when others were in the way.
func (w *world) change(ctx context.Context, user string, next func(*directory.User)) error {
	for attempt := 0; ; attempt++ {
		facts, err := w.store.Load(ctx, fixture.Organization, directory.Keys{Users: []string{"root", user}})
		if err != nil {
			return err
		}
		c := directory.Caller{Facts: facts, Subject: facts.Users["root"], Actor: facts.Users["root"], At: w.Clock.Now()}
		before := facts.Users[user]
		after := before
		next(&after)
		entry := c.Entry(timeline.Persona, "change", timeline.Target{Type: "user", ID: user})
		err = w.store.PutPersona(ctx, c.Basis(before), persona.Change{Before: before, After: after, Entry: entry})
		if !fault.IsRaced(err) && (!fault.Is(err, fault.Unavailable) || attempt > 20) {
			return err
		}
	}
}

// stored is what of the table's items these tests look at.
type stored struct {
	PK, SK, ID, Type, Persona, Status string
	Locations                         []string
	Team                              map[string][]string
	Seen                              directory.Day
	OnTeam                            bool
	N                                 int
}

// all is the table, past the store.
func (w *world) all(t testing.TB) []stored {
	t.Helper()
	var out []stored
	pages := dynamodb.NewScanPaginator(w.Client(), &dynamodb.ScanInput{TableName: &w.Table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			var one stored
			if kind, _, _ := strings.Cut(text(item["pk"]), "#"); !slices.Contains([]string{"U", "D", "I", "EI", "EU"}, kind) {
				continue
			}
			if err := attributevalue.UnmarshalMap(item, &one); err != nil {
				t.Fatal(err)
			}
			out = append(out, one)
		}
	}
	return out
}

// truth is what is to be noted of a user, by the items there are.
func truth(all []stored) map[string]int {
	teams := map[string]int{}
	for _, i := range all {
		if !strings.HasPrefix(i.PK, "I#") || i.SK != "ITEM" || i.Status == "draft" {
			continue
		}
		team := map[string]bool{}
		for _, users := range i.Team {
			for _, u := range users {
				team[u] = true
			}
		}
		for u := range team {
			teams[u]++
		}
	}
	return teams
}

// exact holds all that is noted to what is so: users, their copies in the
// directory and their numbers of items to the items, the counts to the users.
func (w *world) exact(t testing.TB) (faults []string) {
	t.Helper()
	all := w.all(t)
	teams, numbers, copies := truth(all), map[string]int{}, map[string]stored{}
	for _, u := range all {
		switch {
		case strings.HasPrefix(u.PK, "EU#"):
			numbers[u.PK[strings.LastIndex(u.PK, "#")+1:]] = u.N
		case strings.HasPrefix(u.PK, "D#"):
			copies[u.ID] = u
		}
	}
	if !maps.Equal(numbers, teams) {
		faults = append(faults, fmt.Sprintf("the numbers of items are %v, not %v", numbers, teams))
	}
	counted := map[string]map[string]int{}
	for _, u := range all {
		if u.SK != "USER" || !strings.HasPrefix(u.PK, "U#") {
			continue
		}
		if copied := copies[u.ID]; copied.Seen != u.Seen || copied.OnTeam != u.OnTeam {
			faults = append(faults, fmt.Sprintf("%s is noted as %d %v, and in the directory as %d %v", u.ID, u.Seen, u.OnTeam, copied.Seen, copied.OnTeam))
		}
		if u.OnTeam != (teams[u.ID] > 0) {
			faults = append(faults, fmt.Sprintf("%s is noted on a team: %v, and is on %d", u.ID, u.OnTeam, teams[u.ID]))
		}
		if u.Type == "general" || u.Type == "capture" {
			count(counted, u, w.today())
		}
	}
	if told := w.told(t); !equal(counted, told) {
		faults = append(faults, fmt.Sprintf("the counts are %v, recounted %v", told, counted))
	}
	return faults
}

// count adds a user to the counts of their set, in words.
func count(counted map[string]map[string]int, u stored, today directory.Day) {
	slices.Sort(u.Locations)
	set := strings.Join(u.Locations, "+")
	if counted[set] == nil {
		counted[set] = map[string]int{}
	}
	counted[set][u.Persona]++
	if u.OnTeam {
		counted[set][u.Persona+" on a team"]++
	}
	if u.Seen > today-persona.MonthDays {
		counted[set][fmt.Sprint(u.Persona, " on ", u.Seen)]++
	}
}

// told are the counts that a report is made of, as count makes them.
func (w *world) told(t testing.TB) map[string]map[string]int {
	t.Helper()
	census, err := w.store.Census(t.Context(), fixture.Organization)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]map[string]int{}
	for _, p := range census.Populations {
		counts := map[string]int{}
		for i := range directory.PersonaCount {
			counts[i.String()] += p.Counts[i]
			counts[i.String()+" on a team"] += p.OnTeam[i]
			for day, seen := range p.Seen {
				if day > w.today()-persona.MonthDays {
					counts[fmt.Sprint(i, " on ", day)] += seen[i]
				}
			}
		}
		maps.DeleteFunc(counts, func(_ string, n int) bool { return n == 0 })
		if len(counts) > 0 {
			told[strings.Join(slices.Sorted(slices.Values(p.Locations)), "+")] = counts
		}
	}
	return told
}

func equal(a, b map[string]map[string]int) bool { return maps.EqualFunc(a, b, maps.Equal) }

// isExact fails when what is noted is not so.
func (w *world) isExact(t testing.TB) {
	t.Helper()
	for _, fault := range w.exact(t) {
		t.Errorf("P8 %s", fault)
	}
}

// text is a text attribute.
func text(value any) string {
	s, _ := value.(*types.AttributeValueMemberS)
	if s == nil {
		return ""
	}
	return s.Value
}

// partition is a partition's items as JSON would have them.
func (w *world) partition(t testing.TB, pk string) []object {
	t.Helper()
	out, err := w.Client().Query(t.Context(), &dynamodb.QueryInput{
		TableName: &w.Table, ConsistentRead: aws.Bool(true), KeyConditionExpression: aws.String("pk = :p"),
		ExpressionAttributeValues: map[string]types.AttributeValue{":p": &types.AttributeValueMemberS{Value: pk}},
	})
	if err != nil {
		t.Fatal(err)
	}
	items := make([]object, len(out.Items))
	for i, item := range out.Items {
		if err := attributevalue.UnmarshalMap(item, &items[i]); err != nil {
			t.Fatal(err)
		}
	}
	return items
}

// spoil puts a word into an item that this program does not know.
func (w *world) spoil(t testing.TB, pk, sk, attribute string) {
	t.Helper()
	_, err := w.Client().UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &w.Table, Key: map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: sk}},
		UpdateExpression: aws.String("SET #a = :w"), ExpressionAttributeNames: map[string]string{"#a": attribute},
		ExpressionAttributeValues: map[string]types.AttributeValue{":w": &types.AttributeValueMemberS{Value: "from-tomorrow"}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// numberOf is a record's sequence number.
func numberOf(record object) string { return record["dynamodb"].(object)["SequenceNumber"].(string) }
