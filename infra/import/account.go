package main

import (
	"fmt"
	"io"

	"gemba/shared/importer"
)

// The API's words for what became of an entry.
var (
	created   = importer.Created.String()
	changed   = importer.Changed.String()
	unchanged = importer.Unchanged.String()
	refused   = importer.Refused.String()
)

// account is what became of entries: how many of a kind, and who was refused.
type account struct {
	Counts  map[string]map[string]int `json:"counts"`
	Refused []refusal                 `json:"refused,omitempty"`
}

// count adds an entry.
func (a *account) count(kind importer.Kind, outcome string) {
	a.add(kind.String(), outcome, 1)
}

func (a *account) add(kind, outcome string, n int) {
	if a.Counts == nil {
		a.Counts = map[string]map[string]int{}
	}
	if a.Counts[kind] == nil {
		a.Counts[kind] = map[string]int{}
	}
	a.Counts[kind][outcome] += n
}

// refuse adds refusals; an entry counts once, however many faults it has.
func (a *account) refuse(refusals []refusal) {
	for i, r := range refusals {
		if i == 0 || refusals[i-1].Kind != r.Kind || refusals[i-1].Entry != r.Entry {
			a.add(r.Kind, refused, 1)
		}
	}
	a.Refused = append(a.Refused, refusals...)
}

// sum adds another account.
func (a *account) sum(other account) {
	for kind, outcomes := range other.Counts {
		for outcome, n := range outcomes {
			a.add(kind, outcome, n)
		}
	}
	a.Refused = append(a.Refused, other.Refused...)
}

// all is how many entries there are.
func (a *account) all() (n int) {
	for _, outcomes := range a.Counts {
		for _, count := range outcomes {
			n += count
		}
	}
	return n
}

// tell prints the account.
func (a *account) tell(out io.Writer) {
	fmt.Fprintf(out, "%-14s %9s %9s %9s %9s\n", "", created, changed, unchanged, refused)
	for k := range importer.KindCount {
		if c := a.Counts[k.String()]; c != nil {
			fmt.Fprintf(out, "%-14s %9d %9d %9d %9d\n", k.Member(), c[created], c[changed], c[unchanged], c[refused])
		}
	}
	if len(a.Refused) > 0 {
		fmt.Fprintln(out, "\nRefused:")
	}
	for _, r := range a.Refused {
		fmt.Fprintln(out, r.String())
	}
}

// String tells a refusal on one line.
func (r refusal) String() string {
	text := r.Place + ": " + r.Kind
	if r.ID != "" {
		text += " " + r.ID
	}
	return text + ": " + r.Why
}
