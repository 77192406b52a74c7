package whole

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// leastCorpus is how many recorded cases must have been asked for the corpus
// to have been asked at all.
const leastCorpus = 2000

// corpus is a world and the decisions that are right in it.
type corpus struct {
	World object
	Cases []struct {
		Subject, Action string
		Resource        object
		Decision        bool
	}
}

func readCorpus(t *testing.T, name string) corpus {
	t.Helper()
	var c corpus
	if err := json.Unmarshal(file("shared/authz/testdata/corpus/"+name), &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Cases) == 0 {
		t.Fatalf("%s has no cases", name)
	}
	return c
}

// TestCorpus asks every case of every small world, each an organization of the
// running stack. They all have one id and one root, so each gets a name of its
// own; a world that is loaded as it is stands in TestTheOneCommand.
func TestCorpus(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob(filepath.Join(repository, "shared/authz/testdata/corpus/small-*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	t.Run("worlds", func(t *testing.T) {
		for _, path := range paths {
			name := filepath.Base(path)
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				c := readCorpus(t, name)
				c.rename("corpus-" + strings.TrimSuffix(name, ".json"))
				document, err := json.Marshal(c.World)
				if err != nil {
					t.Fatal(err)
				}
				if err := seed(t.Context(), running(t).Parts, document); err != nil {
					t.Fatal(err)
				}
				asked.Add(int64(c.ask(t, signIn(t, running(t).URL, c.root(t, "username"), c.root(t, "password")))))
			})
		}
	})
	if got := asked.Load(); got < leastCorpus {
		t.Errorf("%d cases were asked, fewer than %d", got, leastCorpus)
	}
}

// rename gives organization and sign-ins names of their own, in the questions
// too.
func (c corpus) rename(id string) {
	organization := c.World["organization"].(object)
	for i := range c.Cases {
		if r := c.Cases[i].Resource; r["type"] == "organization" && r["id"] == organization["id"] {
			r["id"] = id
		}
	}
	organization["id"] = id
	for _, user := range c.World["users"].(list) {
		user.(object)["username"] = id + "." + text(at(user, "username"))
	}
}

// root is a member of the one who may ask about everybody.
func (c corpus) root(t *testing.T, member string) string {
	t.Helper()
	for _, user := range c.World["users"].(list) {
		if at(user, "id") == "root" {
			return text(at(user, member))
		}
	}
	t.Fatal("the world has no root")
	return ""
}

// ask asks all cases, a hundred a request, and is how many they are.
func (c corpus) ask(t *testing.T, root client) int {
	t.Helper()
	first := 0
	for batch := range slices.Chunk(c.Cases, 100) {
		questions := make([]object, len(batch))
		for i, one := range batch {
			questions[i] = question(one.Subject, one.Action, one.Resource)
		}
		r := root.post(t, "/access/v1/evaluations", object{"evaluations": questions}).is(t, 200)
		answers, _ := r.body["evaluations"].(list)
		if len(answers) != len(batch) {
			t.Fatalf("%d answers to %d questions", len(answers), len(batch))
		}
		for i, one := range batch {
			if got := at(answers[i], "decision"); got != one.Decision {
				t.Errorf("case %d: %s %s %v: %v (%v), not %v", first+i, one.Subject, one.Action, one.Resource, got, at(answers[i], "context", "reason"), one.Decision)
			}
		}
		first += len(batch)
	}
	return first
}
