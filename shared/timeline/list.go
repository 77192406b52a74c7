package timeline

import (
	"context"
	"time"
)

// Query says which entries are wanted; a zero member does not narrow it. From
// is included, To is not.
type Query struct {
	Type     Type
	From, To time.Time
	// Person is the id of who is subject, impersonator or target.
	Person string
	// Text is looked for in what an entry says, whatever its case.
	Text string
	// Target is what was changed.
	Target Target
	// Done leaves out what was only tried.
	Done bool
}

// Page asks for at most Limit entries that come after the place After, which
// the page before gave as its end; empty for the first.
type Page struct {
	Limit int
	After string
}

// Stretch is a part of the record: that of Person, or of everybody when it is
// empty, from From on and before To. Only a person's is read Forward.
type Stretch struct {
	Person   string
	From, To time.Time
	Forward  bool
	Page
}

// Store is what the use case needs of storage.
type Store interface {
	// Entries are a stretch's entries, newest first, of a forward one oldest first,
	// with the place to go on after, "" when nothing is left. There may be fewer
	// than the limit, even none, and still a place. Every entry that was
	// acknowledged before the call is in it. Invalid: a place that is none;
	// Unavailable.
	Entries(ctx context.Context, organization string, s Stretch) ([]Entry, string, error)
}

const (
	// budget is how many entries one page reads at most. It bounds what a
	// search that finds little costs; the rest is the next page's.
	budget = 1000
	// gulp is how many are read at once where most may be passed over.
	gulp = 250
	// skew is how far apart the clocks of two instances can be: an entry may be
	// written so much later than its own time, and wait so long for its seal.
	skew = time.Hour
)

// List is a page of the record (T2), newest first, with the place to go on
// after, "" when nothing is left. created is when the organization was, now
// the time of the request: the record lies between the two.
//
// Pages are complete: whatever was acknowledged before the first page was
// asked for is in exactly one of them. A type is therefore looked for among
// the entries of all types, which are read strongly, and not in an index,
// which is not; a page reads at most budget entries and may so be short.
func List(ctx context.Context, store Store, organization string, created, now time.Time, q Query, page Page) ([]Entry, string, error) {
	s := Stretch{Person: q.Person, From: later(q.From, created.Add(-skew)), To: now.Add(skew), Page: page}
	if !q.To.IsZero() && q.To.Before(s.To) {
		s.To = q.To
	}
	var found []Entry
	for left := budget; s.From.Before(s.To); {
		s.Limit = q.reads(page.Limit-len(found), left)
		part, end, err := store.Entries(ctx, organization, s)
		if err != nil {
			return nil, "", err
		}
		for i, e := range part {
			if !q.wants(e) {
				continue
			}
			found = append(found, e)
			if len(found) == page.Limit && (end != "" || i < len(part)-1) {
				return found, e.ID, nil
			}
		}
		left -= len(part)
		if end == "" || left <= 0 || len(part) < s.Limit {
			return found, end, nil
		}
		s.After = end
	}
	return found, "", nil
}

// reads is how many entries to read next, when missing are missing on the
// page and left may still be read.
func (q Query) reads(missing, left int) int {
	if q.Type == NoType && q.Text == "" && q.Target == (Target{}) && !q.Done {
		return missing
	}
	return min(gulp, left)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
