package dynamo

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/google/go-cmp/cmp"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// row is an item as the table has it.
func row(t *testing.T, k key, item any) attributes {
	t.Helper()
	encoded, err := attributevalue.MarshalMap(item)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range k.attributes() {
		encoded[name] = value
	}
	return encoded
}

// TestU3UsesAreVerifiedAndCounted: a list of items may say too much; of each
// kind a thousand are counted and the first ten are named.
func TestU3UsesAreVerifiedAndCounted(t *testing.T) {
	b := openBare(t)
	var rows []attributes
	item := func(id, template string, locations ...string) {
		rows = append(rows, row(t, itemKey("o", id), itemForm(directory.Item{Item: authz.Item{ID: id, Template: template, Locations: locations, Status: authz.Active}})))
	}
	list := func(kind, at, id string) {
		k := map[string]key{"user": locationUserKey("o", at, id), "item": locationItemKey("o", at, id), "made": templateItemKey("o", at, id)}[kind]
		rows = append(rows, row(t, k, stored{}))
	}
	for n := range 1001 {
		id := fmt.Sprintf("x%04d", n)
		list("user", "crowded", id)
		list("item", "full", id)
		list("item", "left", id) // nothing of it is there any more, or at all
		if n != 5 {
			item(id, "idea", "full", "other")
			list("made", "idea", id)
		}
	}
	for n := range 1000 {
		list("user", "just", fmt.Sprintf("x%04d", n))
	}
	list("item", "full", "x9998")
	list("item", "full", "x9999")
	item("x9999", "idea", "full")
	list("item", "both", "x0001")
	list("user", "both", "x0001")
	item("moved", "note", "other")
	list("made", "note", "moved")
	list("made", "other", "moved")
	b.fill(t, rows)

	first := func(without string) (ids []string) {
		for n := 0; len(ids) < 10; n++ {
			if id := fmt.Sprintf("x%04d", n); id != without {
				ids = append(ids, id)
			}
		}
		return ids
	}
	for _, c := range []struct {
		kind timeline.Type
		id   string
		want []fault.Use
	}{
		{timeline.Location, "crowded", []fault.Use{{Kind: "user", Count: 1000, More: true, IDs: first("")}}},
		{timeline.Location, "just", []fault.Use{{Kind: "user", Count: 1000, IDs: first("")}}},
		{timeline.Location, "full", []fault.Use{{Kind: "item", Count: 1000, More: true, IDs: first("x0005")}}},
		{timeline.Template, "idea", []fault.Use{{Kind: "item", Count: 1000, IDs: first("x0005")}}},
		{timeline.Location, "left", nil},
		{timeline.Location, "both", []fault.Use{{Kind: "user", Count: 1, IDs: []string{"x0001"}}}},
		{timeline.Location, "empty", nil},
		{timeline.Template, "note", []fault.Use{{Kind: "item", Count: 1, IDs: []string{"moved"}}}},
		{timeline.Template, "other", nil},
		{timeline.Workflow, "full", nil},
	} {
		got, err := b.PlaceUses(t.Context(), "o", directory.PlaceRef{Kind: c.kind, ID: c.id})
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("U3 %s %s: %v %s", c.kind, c.id, err, diff)
		}
	}
}

// TestU3OnlyWhatIsMarkedIsDeleted, in the version and from the policy that the
// deletion was decided by.
func TestU3OnlyWhatIsMarkedIsDeleted(t *testing.T) {
	b := openBare(t)
	annex := directory.Location{Location: authz.Location{ID: "annex", Name: "Annex"}, Version: 1}
	if _, err := b.CreateOrganization(t.Context(), directory.Organization{ID: "o", Name: "O"}, noon); err != nil {
		t.Fatal(err)
	}
	if _, err := b.CreatePolicy(t.Context(), "o", Policy{Locations: []directory.Location{annex}}, noon); err != nil {
		t.Fatal(err)
	}
	remove := func(policy, version uint64) error {
		place := annex
		place.Version = version
		entry := timeline.Entry{At: noon, Type: timeline.Location, Action: "delete", Target: place.Ref().Target()}
		return b.DeletePlace(t.Context(), directory.Basis{Organization: "o", Policy: policy}, directory.PlaceChange{Before: place, Entry: entry})
	}
	if err := remove(2, 1); !fault.Is(err, fault.Stale) {
		t.Errorf("U3 without a mark: %v", err)
	}
	marked := annex
	marked.Closing = true
	if err := b.MarkPlace(t.Context(), directory.Basis{Organization: "o", Policy: 2}, marked); err != nil {
		t.Fatal(err)
	}
	found, err := b.Place(t.Context(), "o", annex.Ref())
	if version, closing := found.State(); err != nil || version != 1 || !closing {
		t.Errorf("U3 the mark: version %d, closing %v, %v", version, closing, err)
	}
	if err := remove(2, 1); !fault.IsRaced(err) {
		t.Errorf("C11 from an older policy: %v", err)
	}
	if err := remove(3, 2); !fault.Is(err, fault.Stale) {
		t.Errorf("T3 of another version: %v", err)
	}
	if err := remove(3, 1); err != nil {
		t.Errorf("U3 marked: %v", err)
	}
	if _, err := b.Place(t.Context(), "o", annex.Ref()); !fault.Is(err, fault.NotFound) {
		t.Errorf("U3 deleted: %v", err)
	}
}
