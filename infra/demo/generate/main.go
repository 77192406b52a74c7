// Command generate writes the demo world: an invented hospital group of 200
// people with 300 items.
//
//	go run ./infra/demo/generate > infra/demo/world.json
//
// What is worth reading is written by hand (hand.json: the tree, the
// workflows, the roles, the people who sign in, the first items); the command
// adds the crowd around it: staff for every unit and the items that they work
// on. It is deterministic, so the same hand.json gives the same world.
//
// The crowd makes the persona shares instructive (P4, P5): too few people are
// Frontline, too many are Leader, the rest is within its target; and a few
// roles do not fit their holder's persona (P7).
package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

//go:embed hand.json
var hand []byte

// document is the hand-written world with the crowd. What is only passed on
// stays as it was written.
type document struct {
	Organization json.RawMessage   `json:"organization"`
	Locations    []location        `json:"locations"`
	Workflows    []json.RawMessage `json:"workflows"`
	Templates    []template        `json:"templates"`
	Roles        []json.RawMessage `json:"roles"`
	Users        []user            `json:"users"`
	Items        []item            `json:"items"`
}

type location struct {
	ID     string  `json:"id"`
	Name   string  `json:"name"`
	Parent *string `json:"parent"`
}

type template struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Workflow string `json:"workflow"`
	TeamType string `json:"teamType"`
}

type user struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Email     string   `json:"email,omitempty"`
	Username  string   `json:"username"`
	Type      string   `json:"type"`
	Internal  bool     `json:"internal,omitempty"`
	Locations []string `json:"locations"`
	Persona   string   `json:"persona,omitempty"`
	Roles     []held   `json:"roles"`
	Password  string   `json:"password,omitempty"`
}

type held struct {
	Role      string   `json:"role"`
	Locations []string `json:"locations,omitempty"`
	Until     string   `json:"until,omitempty"`
}

type item struct {
	ID        string              `json:"id"`
	Template  string              `json:"template"`
	Locations []string            `json:"locations"`
	Status    string              `json:"status"`
	Private   bool                `json:"private,omitempty"`
	Team      map[string][]string `json:"team"`
}

func main() {
	if err := generate(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// generate writes the demo world.
func generate(out io.Writer) error {
	var w document
	if err := json.Unmarshal(hand, &w); err != nil {
		return fmt.Errorf("hand.json: %w", err)
	}
	staff(&w)
	fill(&w)
	text, err := w.text()
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return err
}

// text is the world with one thing a line, so that a change of it can be read.
func (w document) text() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("{\n\"organization\": ")
	if err := line(&b, w.Organization, ","); err != nil {
		return nil, err
	}
	lists := []struct {
		name   string
		things []any
	}{
		{"locations", things(w.Locations)}, {"workflows", things(w.Workflows)}, {"templates", things(w.Templates)},
		{"roles", things(w.Roles)}, {"users", things(w.Users)}, {"items", things(w.Items)},
	}
	for i, list := range lists {
		fmt.Fprintf(&b, "%q: [\n", list.name)
		for j, thing := range list.things {
			if err := line(&b, thing, comma(j, len(list.things))); err != nil {
				return nil, err
			}
		}
		b.WriteString("]" + comma(i, len(lists)) + "\n")
	}
	b.WriteString("}\n")
	return b.Bytes(), nil
}

func things[T any](list []T) []any {
	out := make([]any, len(list))
	for i, thing := range list {
		out[i] = thing
	}
	return out
}

func line(b *bytes.Buffer, thing any, end string) error {
	text, err := json.Marshal(thing)
	b.Write(text)
	b.WriteString(end + "\n")
	return err
}

func comma(i, n int) string {
	if i == n-1 {
		return ""
	}
	return ","
}
