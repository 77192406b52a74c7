package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gemba/shared/body"
	"gemba/shared/fault"
	"gemba/shared/importer"
)

// source is what a file says: entries in the API's own form, which are read
// here by the API's own forms, so that a fault of form is told before anything
// is sent.
type source struct {
	world   importer.World
	entries map[importer.Place]entry
	refused []refusal
	notes   []string // what is told once, before anything is sent
}

// entry is a thing as it goes to the API.
type entry struct {
	id    string
	body  json.RawMessage
	where where
}

// where is a place in the file; member tells that of a part of the entry, by
// its pointer inside the entry.
type where interface {
	String() string
	member(pointer string) string
}

// refusal is one reason for which an entry changed nothing: of which entry,
// and at which place in or of it.
type refusal struct {
	Kind  string `json:"kind"`
	ID    string `json:"id"`
	Entry string `json:"entry"`
	Place string `json:"place"`
	Why   string `json:"why"`
}

// read is what the file says: a world if it begins like JSON, else people.
func read(data []byte, o options) (*source, error) {
	text, encoding, err := decoded(data)
	if err != nil {
		return nil, err
	}
	s := &source{entries: map[importer.Place]entry{}}
	if encoding != "UTF-8" {
		s.notes = append(s.notes, "It was read as "+encoding+".")
	}
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && trimmed[0] == '{' {
		err = s.readWorld(text)
	} else {
		err = s.readPeople(text, o.userType)
	}
	if err != nil {
		return nil, err
	}
	s.refuseTwice()
	return s, nil
}

// add reads an entry by its form and keeps it, or its refusal.
func (s *source) add(kind importer.Kind, raw json.RawMessage, at where) {
	before := s.world
	_, err := body.Read(raw, func(o *body.Object) struct{} {
		if o != nil {
			body.ReadEntry(o, kind, &s.world)
		}
		return struct{}{}
	})
	if err != nil {
		s.world = before
		s.refuse(kind, idOf(raw), at, fault.Of(err).Problems)
		return
	}
	place := importer.Place{Kind: kind, Index: s.world.Size(kind) - 1}
	s.entries[place] = entry{s.world.ID(place), raw, at}
}

// idOf is the id of an entry, as far as it has one.
func idOf(raw json.RawMessage) string {
	var named struct {
		ID any `json:"id"`
	}
	_ = json.Unmarshal(raw, &named) // what cannot be read is refused with its fault
	id, _ := named.ID.(string)
	return id
}

// refuse keeps why an entry is not sent.
func (s *source) refuse(kind importer.Kind, id string, at where, problems []fault.Problem) {
	for _, p := range problems {
		s.refused = append(s.refused, refusal{kind.String(), id, at.String(), at.member(p.Pointer), p.Detail})
	}
}

// refuseTwice takes out what is there a second time: the API sees parts of
// the file, and would make of the second what the first was to be.
func (s *source) refuseTwice() {
	type name struct {
		kind importer.Kind
		id   string
	}
	first := map[name]entry{}
	for _, p := range s.world.Places() {
		e, n := s.entries[p], name{p.Kind, s.world.ID(p)}
		if before, twice := first[n]; twice {
			delete(s.entries, p)
			s.refuse(p.Kind, e.id, e.where, []fault.Problem{{Pointer: "/id", Detail: "This " + p.Kind.String() + " is there already, at " + before.where.String() + "."}})
			continue
		}
		first[n] = e
	}
}

// pointer is a place in a JSON document.
type pointer string

func (p pointer) String() string              { return string(p) }
func (p pointer) member(inside string) string { return string(p) + inside }

// readWorld reads a world, entry by entry, so that one with a fault stops no
// other.
func (s *source) readWorld(text []byte) error {
	parts, err := membersOf(text)
	if err != nil {
		return err
	}
	if o, ok := parts[importer.Organization.Member()]; ok {
		s.add(importer.Organization, o, pointer("/"+importer.Organization.Member()))
	}
	for k := importer.Location; k < importer.KindCount; k++ {
		var list []json.RawMessage
		if part, ok := parts[k.Member()]; ok {
			if err := json.Unmarshal(part, &list); err != nil {
				return fmt.Errorf("/%s: a list is expected", k.Member())
			}
		}
		for i, raw := range list {
			if k == importer.User {
				raw = s.withoutPassword(raw)
			}
			s.add(k, raw, pointer(importer.Place{Kind: k, Index: i}.Pointer()))
		}
	}
	return nil
}

// membersOf are the members of a world's document, each at most once.
func membersOf(text []byte) (map[string]json.RawMessage, error) {
	known := make([]string, importer.KindCount)
	for k := range importer.KindCount {
		known[k] = k.Member()
	}
	d, parts := json.NewDecoder(bytes.NewReader(text)), map[string]json.RawMessage{}
	if _, err := d.Token(); err != nil {
		return nil, notJSON(d, err)
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, notJSON(d, err)
		}
		member, _ := token.(string)
		_, twice := parts[member]
		switch {
		case !slices.Contains(known, member):
			return nil, fmt.Errorf("/%s: a world has %s", member, strings.Join(known, ", "))
		case twice:
			return nil, fmt.Errorf("/%s: this member is there more than once", member)
		}
		var part json.RawMessage
		if err := d.Decode(&part); err != nil {
			return nil, notJSON(d, err)
		}
		parts[member] = part
	}
	if _, err := d.Token(); err != nil {
		return nil, notJSON(d, err)
	}
	if rest := bytes.TrimSpace(text[d.InputOffset():]); len(rest) > 0 {
		return nil, notJSON(d, errors.New("something follows its end"))
	}
	return parts, nil
}

func notJSON(d *json.Decoder, err error) error {
	return fmt.Errorf("this is not JSON, near byte %d: %w", d.InputOffset(), err)
}

// withoutPassword takes the password out of a user entry, which never leaves
// this machine, and notes it once.
func (s *source) withoutPassword(raw json.RawMessage) json.RawMessage {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || members["password"] == nil {
		return raw
	}
	delete(members, "password")
	note := "Passwords stay here: a sign-in is given by PUT /v1/users/{id}/sign-in."
	if !slices.Contains(s.notes, note) {
		s.notes = append(s.notes, note)
	}
	without, err := json.Marshal(members)
	if err != nil {
		return raw // then its form refuses it
	}
	return without
}
