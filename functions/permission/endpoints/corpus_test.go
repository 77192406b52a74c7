package endpoints_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"gemba/functions/permission/endpoints"
	"gemba/infra/organization/world"
	"gemba/shared/authz"
	"gemba/shared/cognito"
	"gemba/shared/dynamotest/fixture"
)

// pool gives every account the sign-in that the fixture's tokens are of.
type pool struct{}

func (pool) Create(_ context.Context, a cognito.Account) (string, bool, error) {
	return fixture.Sub(a.Username), true, nil
}

// corpusCase is one recorded question with its decision.
type corpusCase struct {
	Subject, Action string
	Resource        json.RawMessage
	Decision        bool
}

// TestCorpus asks every case of a world of the corpus through the endpoint.
func TestCorpus(t *testing.T) {
	var corpus struct {
		World json.RawMessage
		Cases []corpusCase
	}
	if err := json.Unmarshal(read(t, filepath.FromSlash("../../../shared/authz/testdata/corpus/small-1.json")), &corpus); err != nil {
		t.Fatal(err)
	}
	w, problems := world.Read(corpus.World)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	place := fixture.Empty(t)
	if _, err := world.Load(t.Context(), world.Target{Table: place.Open(), Pool: pool{}, Now: place.Clock.Now}, w); err != nil {
		t.Fatal(err)
	}
	place.Clock.Advance(time.Minute)
	f := endpoints.New(place.Deps(t, nil), place.Open())
	judged := 0
	for part := range slices.Chunk(corpus.Cases, 100) {
		var asked []object
		for _, c := range part {
			asked = append(asked, object{"subject": object{"type": "user", "id": c.Subject}, "action": object{"name": c.Action}, "resource": c.Resource})
		}
		out := several(t, place, f, "root", object{"evaluations": asked})
		for i, c := range part {
			e := out.Evaluations[i]
			if *e.Decision != c.Decision || e.Context.Error != nil || !isReason(e.Context.Reason) {
				t.Errorf("%s %s %s: %v %+v, want %v", c.Subject, c.Action, c.Resource, *e.Decision, e.Context, c.Decision)
			}
			judged++
		}
	}
	if judged != len(corpus.Cases) || judged == 0 {
		t.Errorf("%d of %d cases judged", judged, len(corpus.Cases))
	}
}

// isReason is whether the word is one of the closed list.
func isReason(word string) bool {
	for r := authz.NoReason + 1; r < authz.ReasonCount; r++ {
		if r.String() == word {
			return true
		}
	}
	return false
}
