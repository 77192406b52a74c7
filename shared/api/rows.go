package api

import (
	"encoding/json"
	"net/http"
	"strconv"

	"gemba/shared/fault"
)

// This file is answers of requests whose rows have a result each: they are made
// and kept by units of rows, and put together in the order of the request.

// Rows is what became of each row, in the order of the request.
type Rows struct {
	Results []json.RawMessage `json:"results"`
}

// placed is a row's outcome as it is kept, with its place in the request.
type placed struct {
	Place   int             `json:"place"`
	Outcome json.RawMessage `json:"outcome"`
}

// KeepRows is a unit of rows as it is kept: each one's place in the request, and
// the body that tells what became of it.
func KeepRows[Outcome any](outcomes []Outcome, body func(Outcome) (place int, body any)) []byte {
	kept := make([]placed, len(outcomes))
	for i, o := range outcomes {
		place, told := body(o)
		text, _ := json.Marshal(told) // text alone always marshals
		kept[i] = placed{place, text}
	}
	text, _ := json.Marshal(kept)
	return text
}

// RowsOf is the answer to a request of so many rows by the units that KeepRows
// made, in whatever order. Internal when one of them is not to be read.
func RowsOf(units [][]byte, rows int) (Response, error) {
	results := make([]json.RawMessage, rows)
	for _, unit := range units {
		var kept []placed
		if err := json.Unmarshal(unit, &kept); err != nil {
			return Response{}, fault.Wrap(fault.Internal, "answer", err)
		}
		for _, p := range kept {
			results[p.Place] = p.Outcome
		}
	}
	return Response{Status: http.StatusOK, Body: Rows{results}}, nil
}

// RowProblem is the problem document of a row at a place among the changes that
// were asked for; nil when nothing is wrong with it. Pointers lead into the whole
// body.
func RowProblem(place int, err error) any {
	if err == nil {
		return nil
	}
	f := *fault.Of(err)
	problems := make([]fault.Problem, len(f.Problems))
	for i, p := range f.Problems {
		problems[i] = fault.Problem{Pointer: "/changes/" + strconv.Itoa(place) + p.Pointer, Detail: p.Detail}
	}
	f.Problems = problems
	return Problem(&f)
}
