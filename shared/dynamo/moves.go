package dynamo

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/fault"
)

// Somebody who goes from one set of locations to another changes two counters
// in one transaction. A query is no snapshot: it may show one of them before
// and the other after, and while a transaction's writes are under way it may go
// on to do so. TransactGetItems alone waits for them, and to read every counter
// so would cost four times the query. So a move leaves its name in the MOVES
// item, and under its name which counters it changed; a reader waits for the
// counters of those moves alone that may be under way, or that came while it
// read. What a move writes for that is of one size however many sets there are.

// movesItem is how often somebody went from one set of locations to another.
// Beside v it has the names of the last moves, m0 the latest's.
type movesItem struct{ stored }

// moveItem is the sort keys of the counters that a move changed.
type moveItem struct {
	stored
	Counters []string `dynamodbav:"counters,omitempty"`
	Expires  int64    `dynamodbav:"expires"`
}

const (
	// namedMoves is how many of the last moves MOVES names: as many as leave it
	// under a kilobyte, where a write costs no more.
	namedMoves = 64
	// keptMove is for how long what a move changed is kept. Readers look for it
	// within youngAge and the length of a request.
	keptMove = time.Hour
)

func recentName(n int) string { return "m" + strconv.Itoa(n) }

// moveName is the name of a move: its time in milliseconds, and chance.
type moveName [10]byte

func newMoveName(at time.Time) (m moveName) {
	var time [8]byte
	binary.BigEndian.PutUint64(time[:], uint64(at.UnixMilli()))
	copy(m[:6], time[2:])
	_, _ = crand.Read(m[6:]) // never fails
	return m
}

// at is the time that the move's writes carry.
func (m moveName) at() time.Time {
	var ms [8]byte
	copy(ms[2:], m[:6])
	return time.UnixMilli(int64(binary.BigEndian.Uint64(ms[:])))
}

func (m moveName) key(o string) key { return moveKey(o, hex.EncodeToString(m[:])) }

// move notes that a user leaves one counter for another, and one location for
// another: the changes of counts and of lists that a reading may see half of.
// It is written when all that the transaction counts is known.
func (t *transaction) move(o string) { t.moving = o }

// writeMove writes down the transaction's move, if it is one. The names before
// it move on by one place each: an update reads all values before it sets any.
func (t *transaction) writeMove() {
	if t.moving == "" {
		return
	}
	name := newMoveName(t.at)
	u := expression.Add(expression.Name("v"), expression.Value(1)).Set(expression.Name(recentName(0)), expression.Value(name[:]))
	for n := range namedMoves - 1 {
		place := expression.Name(recentName(n))
		u = u.Set(expression.Name(recentName(n+1)), place.IfNotExists(expression.Value([]byte{})))
	}
	t.update(movesKey(t.moving), u, absent.Or(present), raced())
	var counters []string
	for _, k := range slices.SortedFunc(maps.Keys(t.tallies), key.compare) {
		counters = append(counters, k.sk)
	}
	item := expression.Set(expression.Name("counters"), expression.Value(counters)).
		Set(expression.Name("expires"), expression.Value(t.at.Add(keptMove).Unix()))
	t.update(name.key(t.moving), item, absent, raced())
	t.moving = ""
}

// rest is what must not change while counts are read, or has to be caught up
// with: the policy, and with it the location tree, and which set everybody is
// in. Recent are the last moves, the latest first.
type rest struct {
	policy, moves uint64
	last          time.Time // that the last move's writes carry
	recent        []moveName
}

// atRest reads policy version and moves.
func (s *Store) atRest(ctx context.Context, o string) (rest, error) {
	version, moves := anyVersionKey(o), movesKey(o)
	found, err := s.transactGet(ctx, []key{version, moves})
	if err != nil {
		return rest{}, err
	}
	var v versionItem
	var m movesItem
	if err := errors.Join(decode(found[version], &v), decode(found[moves], &m)); err != nil {
		return rest{}, err
	}
	return rest{v.V, m.V, time.UnixMilli(m.At), recentMoves(found[moves])}, nil
}

func recentMoves(item attributes) []moveName {
	var recent []moveName
	for n := range namedMoves {
		b, _ := item[recentName(n)].(*types.AttributeValueMemberB)
		if b == nil || len(b.Value) != len(moveName{}) {
			break
		}
		recent = append(recent, moveName(b.Value))
	}
	return recent
}

// young are the moves whose writes may be under way: those since a time. False
// when there may be others. A move that is named no more was whole before the
// oldest named one was begun, or at most commitWindow later: that one is old
// enough for both when it is not young itself.
func (r rest) young(since time.Time) (moves []moveName, all bool) {
	for _, m := range r.recent {
		if m.at().After(since) {
			moves = append(moves, m)
		}
	}
	if uint64(len(r.recent)) >= r.moves {
		return moves, true
	}
	oldest := r.last
	if n := len(r.recent); n > 0 {
		oldest = r.recent[n-1].at()
	}
	return moves, !oldest.After(since)
}

// since are the moves that came after an earlier reading; false when not all of
// them are named.
func (r rest) since(earlier rest) (moves []moveName, all bool) {
	n := r.moves - earlier.moves
	if n > uint64(len(r.recent)) {
		return nil, false
	}
	return r.recent[:n], true
}

// changedBy are the counters that moves changed, found once their writes are
// there.
func (s *Store) changedBy(ctx context.Context, o string, moves []moveName) ([]key, error) {
	if len(moves) == 0 {
		return nil, nil
	}
	keys := make([]key, len(moves))
	for i, m := range moves {
		keys[i] = m.key(o)
	}
	found, err := s.transactGet(ctx, keys)
	if err != nil {
		return nil, err
	}
	changed := map[key]bool{}
	for _, k := range keys {
		var item moveItem
		if err := decode(found[k], &item); err != nil {
			return nil, err
		}
		if len(found[k]) == 0 {
			return nil, fault.Wrap(fault.Unavailable, "storage", errors.New("a move that left no trace"))
		}
		for _, sk := range item.Counters {
			changed[key{k.pk, sk}] = true
		}
	}
	return slices.SortedFunc(maps.Keys(changed), key.compare), nil
}
