package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/importer"
)

// columns are those of a list of people, by what their headers may be called;
// a header's case, spaces, dashes and underscores do not count.
var columns = map[string][]string{
	"id":        {"id", "userid"},
	"name":      {"name", "fullname", "displayname"},
	"email":     {"email", "mail", "emailaddress"},
	"username":  {"username", "login", "signinname"},
	"type":      {"type", "usertype"},
	"locations": {"locations", "location"},
	"persona":   {"persona"},
	"roles":     {"roles", "role", "systemroles", "systemrole"},
}

// plain is a header without what does not count in it.
func plain(text string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsSpace(c) || c == '-' || c == '_' || c == 0xFEFF {
			return -1
		}
		return unicode.ToLower(c)
	}, text)
}

// row is a line of a list of people.
type row struct{ line int }

func (r row) String() string { return fmt.Sprintf("line %d", r.line) }

// member names the column: a cell has no parts that a pointer could name.
func (r row) member(pointer string) string {
	column, _, _ := strings.Cut(strings.TrimPrefix(pointer, "/"), "/")
	if column == "" {
		return r.String()
	}
	return r.String() + ", " + column
}

// table is a list of people being read: which column is where.
type table struct {
	*csv.Reader
	at       map[string]int
	width    int
	skipped  int // lines before the header
	userType string
}

// readPeople reads a list of people as spreadsheets export it. A line that is
// at fault is refused and stops no other; quotes that do not match stop all,
// because no line after them is sure.
func (s *source) readPeople(text []byte, userType string) error {
	t, err := s.open(text, userType)
	if err != nil {
		return err
	}
	for {
		cells, err := t.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return t.noCSV(err)
		}
		if slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			s.addPerson(t, cells)
		}
	}
}

// noCSV tells where the file stops being CSV, by its own lines.
func (t *table) noCSV(err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return fmt.Errorf("line %d, character %d: this is no CSV: %w", parse.Line+t.skipped, parse.Column, parse.Err)
	}
	return err
}

// open finds the delimiter, which is the one by which the header has the most
// columns of people, and the columns.
func (s *source) open(text []byte, userType string) (*table, error) {
	skipped := 0
	if first, rest, _ := bytes.Cut(text, []byte("\n")); len(bytes.TrimRight(first, "\r")) == len("sep=;") && bytes.HasPrefix(first, []byte("sep=")) {
		text, skipped = rest, 1 // how Excel is told the delimiter
	}
	var best *table
	var header []string
	for _, delimiter := range ",;\t" {
		t := &table{Reader: csv.NewReader(bytes.NewReader(text)), at: map[string]int{}, skipped: skipped, userType: userType}
		t.Comma, t.FieldsPerRecord = delimiter, -1
		cells, err := t.Read()
		if err != nil {
			continue
		}
		t.width = len(cells)
		for i, cell := range cells {
			if column := columnOf(cell); column != "" {
				t.at[column] = i
			}
		}
		if best == nil || len(t.at) > len(best.at) {
			best, header = t, cells
		}
	}
	if best == nil || len(best.at) == 0 {
		return nil, errors.New("the first line names no columns of people: " + strings.Join(slices.Sorted(maps.Keys(columns)), ", "))
	}
	return best, s.heed(best, header)
}

// columnOf is the column that a header names, "" for none.
func columnOf(header string) string {
	for column, called := range columns {
		if slices.Contains(called, plain(header)) {
			return column
		}
	}
	return ""
}

// heed refuses a header by which no line could be read, and notes what of it
// is not.
func (s *source) heed(t *table, header []string) error {
	var unread []string
	for i, cell := range header {
		switch column := columnOf(cell); {
		case column == "" && strings.TrimSpace(cell) != "":
			unread = append(unread, cell)
		case column != "" && t.at[column] != i:
			return fmt.Errorf("column %s is there more than once", column)
		}
	}
	for _, column := range []string{"name", "username", "locations"} {
		if _, ok := t.at[column]; !ok {
			return fmt.Errorf("there is no column %s", column)
		}
	}
	if _, ok := t.at["type"]; !ok && t.userType == "" {
		return errors.New("there is no column type: add one, or say with -type general what everybody here is")
	}
	if len(unread) > 0 {
		s.notes = append(s.notes, "Not read: "+strings.Join(unread, ", ")+".")
	}
	return nil
}

// cell is what a line has in a column.
func (t *table) cell(cells []string, column string) string {
	i, ok := t.at[column]
	if !ok || i >= len(cells) {
		return ""
	}
	return strings.TrimSpace(cells[i])
}

// person is a user entry as the API takes it.
type person struct {
	ID        string   `json:"id,omitempty"`
	Name      string   `json:"name,omitempty"`
	Email     string   `json:"email,omitempty"`
	Username  string   `json:"username,omitempty"`
	Type      string   `json:"type,omitempty"`
	Locations []string `json:"locations"`
	Persona   string   `json:"persona,omitempty"`
	Roles     []held   `json:"roles,omitempty"`
}

type held struct {
	Role string `json:"role"`
}

// addPerson adds a line. Without an id the username is one, if it may be: it
// stays the person's in the next list, too.
func (s *source) addPerson(t *table, cells []string) {
	line, _ := t.FieldPos(0)
	at := row{line + t.skipped}
	p := person{
		ID: t.cell(cells, "id"), Name: t.cell(cells, "name"), Email: t.cell(cells, "email"), Username: t.cell(cells, "username"),
		Type: strings.ToLower(t.cell(cells, "type")), Locations: ids(t.cell(cells, "locations")), Persona: t.cell(cells, "persona"),
	}
	if p.ID == "" {
		p.ID = p.Username
	}
	if _, ok := t.at["type"]; !ok {
		p.Type = t.userType
	}
	if persona, ok := body.ParsePersona(p.Persona); ok {
		p.Persona = persona.String()
	}
	for _, id := range ids(t.cell(cells, "roles")) {
		p.Roles = append(p.Roles, held{id})
	}
	if t.cell(cells, "id") == "" && !directory.IsID(p.Username) {
		s.refuseLine(at, "", "/id", "Without an id the username is one, and this username cannot be: an id is up to 64 letters, digits, _, . and -.")
		return
	}
	if extra := slices.IndexFunc(cells[min(t.width, len(cells)):], func(c string) bool { return strings.TrimSpace(c) != "" }); extra >= 0 {
		s.refuseLine(at, p.ID, "", "This line has more cells than the header has columns.")
		return
	}
	raw, err := json.Marshal(p)
	if err != nil {
		s.refuseLine(at, p.ID, "", err.Error())
		return
	}
	s.add(importer.User, raw, at)
}

// refuseLine refuses a line for what no form of the API would see.
func (s *source) refuseLine(at row, id, pointer, why string) {
	s.refuse(importer.User, id, at, []fault.Problem{{Pointer: pointer, Detail: why}})
}

// ids are those in a cell: none of what divides them here may stand in one.
func ids(cell string) []string {
	return strings.FieldsFunc(cell, func(c rune) bool { return unicode.IsSpace(c) || strings.ContainsRune("|;,", c) })
}
