package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
)

// The demo world's people, of all kinds, and the service that may ask about
// them; README.md has their password.
var people = []string{
	"olivia.bennett", "elena.petrova", "richard.osei", "priya.raman", "james.whitaker",
	"amina.hassan", "maria.alvarez", "keisha.brown", "screen.ward-2a",
}

const (
	service      = "items.service"
	demoPassword = "Demo-pass-2026!"
	demoItems    = 300
)

var actions = []string{"participate", "view", "edit", "request", "assign", "toggle_private", "honor_roll", "delete", "escalate"}

// entity is a subject or resource, named an action.
type (
	entity struct {
		Type string `json:"type"`
		ID   string `json:"id"`
	}
	named struct {
		Name string `json:"name"`
	}
)

// question is one evaluation of AuthZEN's.
type question struct {
	Subject  entity `json:"subject"`
	Action   named  `json:"action"`
	Resource entity `json:"resource"`
}

// batch is several.
type batch struct {
	Evaluations []question `json:"evaluations"`
}

// answer is to a question; an evaluation that failed has an error instead.
type answer struct {
	Decision *bool `json:"decision"`
	Context  struct {
		Error json.RawMessage `json:"error"`
	} `json:"context"`
}

// known is a question with its answer.
type known struct {
	question
	yes bool
}

// questions are of how many the load is made, and batchSize of how many a
// batch. AuthZEN's batch takes a hundred.
const (
	questions = 500
	batchSize = 20
	mostBatch = 100
)

// task is one request of the load: its token and body, and what is to be
// answered.
type task struct {
	path, token string
	body        any
	want        []bool
}

// prepare signs everybody in, finds the answers out, and makes the tasks that
// the load goes round in: four of five are single questions.
func prepare(ctx context.Context, c *client) ([]task, error) {
	tokens := map[string]string{}
	for _, name := range append([]string{service}, people...) {
		token, err := c.signIn(ctx, name)
		if err != nil {
			return nil, err
		}
		tokens[name] = token
	}
	pool, err := findOut(ctx, c, tokens[service], drawn())
	if err != nil {
		return nil, err
	}
	var tasks []task
	for i, q := range pool {
		tasks = append(tasks, task{"/access/v1/evaluation", tokens[q.Subject.ID], q.question, []bool{q.yes}})
		if i%4 == 3 {
			tasks = append(tasks, several(tokens[service], pool, i))
		}
	}
	return tasks, nil
}

// drawn are the questions, the same each time.
func drawn() []question {
	dice := rand.New(rand.NewPCG(1, 1))
	all := make([]question, questions)
	for i := range all {
		all[i] = question{
			Subject:  entity{"user", people[dice.IntN(len(people))]},
			Action:   named{actions[dice.IntN(len(actions))]},
			Resource: entity{"item", fmt.Sprintf("i-%03d", 1+dice.IntN(demoItems))},
		}
	}
	return all
}

// several is a batch of the questions from one on, round the end.
func several(token string, pool []known, from int) task {
	t := task{path: "/access/v1/evaluations", token: token}
	var b batch
	for i := range batchSize {
		q := pool[(from+i)%len(pool)]
		b.Evaluations = append(b.Evaluations, q.question)
		t.want = append(t.want, q.yes)
	}
	t.body = b
	return t
}

// findOut asks the questions in batches, as the service.
func findOut(ctx context.Context, c *client, token string, all []question) ([]known, error) {
	var pool []known
	yes := 0
	for from := 0; from < len(all); from += mostBatch {
		part := all[from:min(from+mostBatch, len(all))]
		status, raw, err := c.post(ctx, "/access/v1/evaluations", token, batch{part})
		if err != nil {
			return nil, err
		}
		got, err := decisions(status, raw, len(part))
		if err != nil {
			return nil, err
		}
		for i, q := range part {
			pool = append(pool, known{q, got[i]})
			if got[i] {
				yes++
			}
		}
	}
	if yes == 0 || yes == len(pool) {
		return nil, fmt.Errorf("%d of %d questions are answered with yes: is it the demo world that runs there?", yes, len(pool))
	}
	return pool, nil
}

// decisions are those of an answer, which must have so many.
func decisions(status int, raw []byte, want int) ([]bool, error) {
	if status != http.StatusOK {
		return nil, fmt.Errorf("answered with %d: %.200s", status, raw)
	}
	var body struct {
		answer
		Evaluations []answer `json:"evaluations"`
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return nil, fmt.Errorf("answered with no JSON: %.200s", raw)
	}
	all := body.Evaluations
	if all == nil {
		all = []answer{body.answer}
	}
	var out []bool
	for _, a := range all {
		if a.Decision == nil || len(a.Context.Error) > 0 {
			return nil, fmt.Errorf("no decision: %.200s", raw)
		}
		out = append(out, *a.Decision)
	}
	if len(out) != want {
		return nil, fmt.Errorf("%d decisions instead of %d", len(out), want)
	}
	return out, nil
}
