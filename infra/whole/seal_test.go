package whole

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// verified is a verification of all of the timeline.
func verified(t *testing.T, c client, query string) object {
	t.Helper()
	r := c.get(t, "/v1/timeline/verification?"+query).is(t, 200).members(t, "from", "to", "head", "kept", "verified", "unsealed", "first", "complete", "next")
	if r.body["complete"] != true || r.body["next"] != "" {
		t.Fatalf("%s", r.raw)
	}
	return r.body
}

// sealedWhole waits until all entries that there are now are sealed, and is the head
// then, as it is kept.
func sealedWhole(t *testing.T, c client) string {
	t.Helper()
	var found object
	eventually(t, "a sealed timeline", func() bool {
		found = verified(t, c, "")
		if found["first"] != nil {
			t.Fatalf("T2 %v", found["first"])
		}
		return found["unsealed"] == 0.0 && found["verified"] == float64(len(timeline(t, c, "")))
	})
	return fmt.Sprintf("%v.%v", at(found, "head", "entries"), at(found, "head", "hash"))
}

// table is the running system's table, past all functions.
func table(t *testing.T) (*dynamodb.Client, string) {
	t.Helper()
	parts := running(t).Parts
	return dynamodb.NewFromConfig(parts.DynamoDB), parts.Environment["TimelineFunction"]["TABLE"]
}

// stored is an entry as it stands in the table, or a person's copy of it.
func stored(t *testing.T, pk, id string) map[string]types.AttributeValue {
	t.Helper()
	client, name := table(t)
	out, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &name, ConsistentRead: aws.Bool(true), Key: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberS{Value: id},
	}})
	if err != nil || out.Item == nil {
		t.Fatalf("%s %s: %v", pk, id, err)
	}
	return out.Item
}

func place(t *testing.T, item map[string]types.AttributeValue) {
	t.Helper()
	client, name := table(t)
	if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: item}); err != nil {
		t.Fatal(err)
	}
}

// TestT2TheTimelineProvesItself: it is sealed while people work, and what is done to
// it past them is found and told.
func TestT2TheTimelineProvesItself(t *testing.T) {
	t.Parallel()
	o, other := found(t, nil), found(t, nil)
	ada := o.as(t, "ada")
	before := sealedWhole(t, ada)

	ada.put(t, "/v1/users/mia/persona", object{"persona": "leader"}).is(t, 200)
	o.as(t, "lena").get(t, "/v1/timeline/verification").problem(t, 403, "denied")
	acting, _ := o.begin(t, "sam", "mia")
	acting.delete(t, "/v1/impersonations/"+acting.session).is(t, 200)
	head := sealedWhole(t, ada)
	if head == before {
		t.Error("the head did not move")
	}
	for _, kept := range []string{before, head} {
		if v := verified(t, ada, "head="+kept); v["kept"] != true || v["first"] != nil {
			t.Errorf("the head %s is not in the chain: %v", kept, v)
		}
		entries, hash, _ := strings.Cut(kept, ".")
		want := []string{`"action":"seal"`, `"organization":"` + o.id + `"`, `"entries":` + entries + `,`, `"hash":"` + hash + `"`}
		if !logged(want...) {
			t.Errorf("the log has no line with %q", want)
		}
	}

	entry := timeline(t, ada, "type=persona")[0]
	id, month := text(entry["id"]), instant(t, entry["at"]).Format("2006-01")
	original := stored(t, "T#"+o.id+"#"+month, id)
	finds := func(what, fault string) {
		t.Helper()
		v := verified(t, ada, "head="+head)
		if at(v, "first", "id") != id || at(v, "first", "fault") != fault || !instant(t, at(v, "first", "at")).Equal(instant(t, entry["at"])) {
			t.Errorf("T2 %s: %v", what, v["first"])
		}
	}
	changed := maps.Clone(original)
	changed["after"] = &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"persona": &types.AttributeValueMemberS{Value: "champion"}}}
	place(t, changed)
	finds("a changed entry", "changed")
	eventually(t, "an error in the log", func() bool {
		return logged(`"level":"ERROR"`, `"tampered"`, `"organization":"`+o.id+`"`, `"entry":"`+id+`"`, `"MODIFY"`) &&
			logged(`"TimelineTampered":`, `"Organization":"`+o.id+`"`)
	})
	place(t, original)
	if v := verified(t, ada, ""); v["first"] != nil {
		t.Errorf("as it was: %v", v["first"])
	}

	copied := maps.Clone(original)
	copied["pk"] = &types.AttributeValueMemberS{Value: "TP#" + o.id + "#wes"}
	place(t, copied)
	finds("a copy for somebody else", "inserted")
	client, name := table(t)
	for _, pk := range []string{"TP#" + o.id + "#wes", "T#" + o.id + "#" + month, "SEALED#" + o.id + "#" + month} {
		if _, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &name, Key: map[string]types.AttributeValue{
			"pk": &types.AttributeValueMemberS{Value: pk}, "sk": original["sk"],
		}}); err != nil {
			t.Fatal(err)
		}
	}
	finds("a removed entry, with its mark", "removed")
	sealedWhole(t, other.as(t, "ada"))
}

// logged tells whether the log has a line with all of these.
func logged(parts ...string) bool {
lines:
	for line := range strings.Lines(shared.log.String()) {
		for _, part := range parts {
			if !strings.Contains(line, part) {
				continue lines
			}
		}
		return true
	}
	return false
}
