package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"gemba/shared/importer"
)

// mostBytes is what one call carries. The contract allows 5 MB, but a Lambda
// event has a body as escaped text and is at most 6 MB in all.
const mostBytes = 900_000

// call is one request: a part of the world whose names lead to earlier calls,
// to itself, or to what is there.
type call struct {
	body    []byte
	entries map[string]sent // by their pointers in the body
}

// sent is an entry on its way.
type sent struct {
	place importer.Place
	entry
}

// name is what the call is known by: the same part of the same file.
func (c call) name() string {
	sum := sha256.Sum256(c.body)
	return hex.EncodeToString(sum[:])
}

// plan cuts the file into calls of at most so many entries, in the order in
// which each comes after all that it names. What names each other in a circle
// goes together. A dry run makes nothing that a later call could name, so there
// each call takes along all that its entries name.
func (s *source) plan(limit int, dry bool) []call {
	var calls []call
	var places []importer.Place
	needs := s.world.Needs()
	for _, unit := range s.world.Units() {
		part := s.sendable(unit.Places)
		if dry {
			part = s.sendable(closure(needs, part))
		}
		next := joined(places, part)
		if len(places) > 0 && (len(next) > limit || s.size(next) > mostBytes) {
			calls = append(calls, s.call(places))
			next = part
		}
		places = next
	}
	if len(places) > 0 {
		calls = append(calls, s.call(places))
	}
	return calls
}

// closure is entries with all that they name, what is named first.
func closure(needs map[importer.Place][]importer.Place, places []importer.Place) []importer.Place {
	var all []importer.Place
	seen := map[importer.Place]bool{}
	var take func(importer.Place)
	take = func(p importer.Place) {
		if seen[p] {
			return
		}
		seen[p] = true
		for _, named := range needs[p] {
			take(named)
		}
		all = append(all, p)
	}
	for _, p := range places {
		take(p)
	}
	return all
}

// joined is a list with those of another that it has not.
func joined(places, more []importer.Place) []importer.Place {
	there := map[importer.Place]bool{}
	for _, p := range places {
		there[p] = true
	}
	all := slices.Clone(places)
	for _, p := range more {
		if !there[p] {
			all = append(all, p)
		}
	}
	return all
}

// sendable are those of the places whose entries are to be sent.
func (s *source) sendable(places []importer.Place) (out []importer.Place) {
	for _, p := range places {
		if _, ok := s.entries[p]; ok {
			out = append(out, p)
		}
	}
	return out
}

// size is the bytes that entries take in a call.
func (s *source) size(places []importer.Place) (bytes int) {
	for _, p := range places {
		bytes += len(s.entries[p].body) + 1
	}
	return bytes
}

// call is the request with the entries at these places.
func (s *source) call(places []importer.Place) call {
	c := call{entries: map[string]sent{}}
	document := map[string]any{}
	counts := map[importer.Kind]int{}
	for _, p := range places {
		e := s.entries[p]
		there := importer.Place{Kind: p.Kind, Index: counts[p.Kind]}
		counts[p.Kind]++
		c.entries[there.Pointer()] = sent{p, e}
		if p.Kind == importer.Organization {
			document[p.Kind.Member()] = e.body
			continue
		}
		list, _ := document[p.Kind.Member()].([]json.RawMessage)
		document[p.Kind.Member()] = append(list, e.body)
	}
	c.body, _ = json.Marshal(document) // it was read as JSON
	return c
}
