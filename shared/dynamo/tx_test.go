package dynamo

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/directory"
	"gemba/shared/dynamotest"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// codeOf is kind and code of a failure, "" of none.
func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return fault.Of(err).Kind.String() + " " + fault.Of(err).Code
}

func TestT3AFailedConditionChangesNothing(t *testing.T) {
	own := fault.New(fault.Conflict, "own", "")
	for name, c := range map[string]struct {
		build func(t *transaction)
		want  string
	}{
		"put absent where something is":    {func(t *transaction) { t.put(thingKey("there"), thing{}, absent, own) }, "conflict own"},
		"put over another version":         {func(t *transaction) { t.put(thingKey("there"), thing{}, versionIs(2), own) }, "conflict own"},
		"put version 0 where something is": {func(t *transaction) { t.put(thingKey("there"), thing{}, versionIs(0), own) }, "conflict own"},
		"put over a version of nothing":    {func(t *transaction) { t.put(thingKey("none"), thing{}, versionIs(3), own) }, "conflict own"},
		"update another version": {func(t *transaction) {
			t.update(thingKey("there"), expression.Set(expression.Name("says"), expression.Value("new")), versionIs(4), own)
		}, "conflict own"},
		"delete what is not there": {func(t *transaction) { t.delete(thingKey("none"), present, own) }, "conflict own"},
		"check another version":    {func(t *transaction) { t.check(thingKey("there"), versionIs(1), own) }, "conflict own"},
		"raced before others": {func(t *transaction) {
			t.check(thingKey("there"), versionIs(1), own)
			t.check(thingKey("none"), present, raced())
		}, "conflict raced"},
		"the first of several": {func(t *transaction) {
			t.check(thingKey("there"), absent, own)
			t.check(thingKey("none"), present, errors.New("second"))
		}, "conflict own"},
		"a user that changed":                      {func(t *transaction) { t.rest(basisOf("user", 2)) }, "conflict raced"},
		"a policy that changed":                    {func(t *transaction) { t.rest(basisOf("policy", 2)) }, "conflict raced"},
		"a session that ended":                     {func(t *transaction) { t.rest(basisOf("session", 0)) }, "conflict raced"},
		"a session that is not there":              {func(t *transaction) { t.rest(basisOf("no session", 0)) }, "conflict raced"},
		"a basis that holds":                       {func(t *transaction) { t.rest(basisOf("holds", 0)) }, ""},
		"a version written is not checked":         {func(t *transaction) { t.bump("o", 1, changeItem{}); t.rest(basisOf("holds", 0)) }, ""},
		"a change in a session that nothing holds": {func(t *transaction) { t.record("o", deedIn("lasts")) }, "internal session"},
		"a change in another session than is held": {func(t *transaction) { t.record("o", deedIn("other")); t.rest(basisOf("holds", 0)) }, "internal session"},
		"a change in a session that lasts":         {func(t *transaction) { t.record("o", deedIn("lasts")); t.rest(basisOf("holds", 0)) }, ""},
		"a change in a session that ended":         {func(t *transaction) { t.record("o", deedIn("ended")); t.rest(basisOf("session", 0)) }, "conflict raced"},
		"a lost bump of the policy version":        {func(t *transaction) { t.bump("o", 7, changeItem{}) }, "conflict raced"},
	} {
		t.Run(name, func(t *testing.T) {
			b := openBare(t)
			b.write("there", "old", 3)
			b.lay(t)
			tx := b.begin()
			tx.put(thingKey("beside"), thing{Says: "beside"}, absent, raced())
			c.build(tx)
			if got := codeOf(tx.commit(t.Context())); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if _, written := b.read("beside"); written != (c.want == "") {
				t.Errorf("what stands beside is written: %v", written)
			}
			if there, _ := b.read("there"); there.Says != "old" || there.V != 3 {
				t.Errorf("what was there is now %v", there)
			}
		})
	}
}

// deedIn is the entry of what was done in a session.
func deedIn(session string) timeline.Entry {
	e := entryAt(noon, "request")
	e.Session = session
	return e
}

// lay writes what a basis rests on: user "u" of version 1, policy version 1,
// session "lasts" and session "ended".
func (b *bare) lay(t *testing.T) {
	t.Helper()
	tx := b.begin()
	tx.put(userKey("o", "u"), thing{stored{V: 1}, ""}, absent, raced())
	for k := range versionCopies {
		tx.put(versionKey("o", k), versionItem{stored{V: 1}}, absent, raced())
	}
	tx.put(sessionKey("o", "lasts"), thing{}, absent, raced())
	tx.put(sessionKey("o", "ended"), sessionItem{Ended: 1}, absent, raced())
	if err := tx.commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// basisOf is a basis that holds but for one part, which is of this version.
func basisOf(part string, version uint64) directory.Basis {
	b := directory.Basis{Organization: "o", Policy: 1, Users: map[string]uint64{"u": 1}, Session: "lasts"}
	switch part {
	case "user":
		b.Users["u"] = version
	case "policy":
		b.Policy = version
	case "session":
		b.Session = "ended"
	case "no session":
		b.Session = "other"
	}
	return b
}

func TestABasisIsCheckedByWhicheverCopyOfThePolicyVersion(t *testing.T) {
	b := openBare(t)
	b.lay(t)
	for range 4 * versionCopies {
		tx := b.begin()
		tx.rest(basisOf("policy", 0))
		if !fault.IsRaced(tx.commit(t.Context())) {
			t.Fatal("a copy of the version was not checked")
		}
	}
	tx := b.begin()
	tx.bump("o", 1, changeItem{})
	if err := tx.commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	for k := range versionCopies {
		var v versionItem
		if _, err := b.get(t.Context(), versionKey("o", k), &v); err != nil || v.V != 2 {
			t.Errorf("copy %d is %d, %v", k, v.V, err)
		}
	}
}

func TestHinderedTransactionsAreTriedAgain(t *testing.T) {
	throttled := &types.ProvisionedThroughputExceededException{}
	for name, c := range map[string]struct {
		err      error
		times    int
		attempts int
		want     string
	}{
		"a conflict":                       {cancelledFor("None", "TransactionConflict"), 3, 4, ""},
		"throttling inside":                {cancelledFor("ThrottlingError", "None"), 2, 3, ""},
		"throughput inside":                {cancelledFor("ProvisionedThroughputExceeded"), 1, 2, ""},
		"all kinds that pass":              {cancelledFor("None", "", "TransactionConflict", "ThrottlingError"), 5, 6, ""},
		"a conflict with a single write":   {&types.TransactionConflictException{}, 2, 3, ""},
		"the same still under way":         {&types.TransactionInProgressException{}, 2, 3, ""},
		"conflicts up to the last attempt": {cancelledFor("TransactionConflict"), commitAttempts - 1, commitAttempts, ""},
		"conflicts without end":            {cancelledFor("TransactionConflict"), 1000, commitAttempts, "unavailable busy"},
		"a failed condition":               {cancelledFor("ConditionalCheckFailed"), 1000, 1, "conflict raced"},
		"a failed condition in a conflict": {cancelledFor("TransactionConflict", "ConditionalCheckFailed"), 1000, 1, "conflict own"},
		"an item too large":                {cancelledFor("ValidationError"), 1000, 1, "unavailable storage"},
		"throttling, told by the SDK":      {throttled, 1000, 1, "unavailable storage"},
		"anything else":                    {errors.New("access denied"), 1000, 1, "unavailable storage"},
	} {
		t.Run(name, func(t *testing.T) {
			b := openBare(t)
			var err error
			calls := b.counted(failing("TransactWriteItems", c.times, c.err), func() {
				tx := b.begin()
				tx.put(thingKey("a"), thing{}, absent, raced())
				tx.put(thingKey("b"), thing{}, absent, fault.New(fault.Conflict, "own", ""))
				err = tx.commit(t.Context())
			})
			if got := codeOf(err); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if calls["TransactWriteItems"] != c.attempts {
				t.Errorf("%d attempts, want %d", calls["TransactWriteItems"], c.attempts)
			}
			if _, written := b.read("a"); written != (c.want == "") {
				t.Errorf("written: %v", written)
			}
		})
	}
}

func TestT3ALostAnswerIsNoConflict(t *testing.T) {
	for name, lose := range map[string]func(seen int) error{
		"lost once, then told again": func(seen int) error { return map[int]error{1: dynamotest.Lost}[seen] },
		"lost twice":                 func(seen int) error { return map[int]error{1: dynamotest.Lost, 2: dynamotest.Lost}[seen] },
		"lost, still under way, then hindered, there": func(seen int) error {
			return map[int]error{1: dynamotest.Lost, 2: &types.TransactionInProgressException{}, 3: cancelledFor("TransactionConflict")}[seen]
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, seen := openBare(t), 0
			inner := b.client.Options()
			b.client = dynamodb.New(inner, func(o *dynamodb.Options) {
				o.APIOptions = append(o.APIOptions, dynamotest.InterceptAttempts(func(operation string, _ any, next func() (any, error)) (any, error) {
					out, err := next()
					if operation == "TransactWriteItems" {
						seen++
						if lost := lose(seen); lost != nil {
							return nil, lost
						}
					}
					return out, err
				}))
			})
			tx := b.begin()
			tx.put(thingKey("new"), thing{Says: "once"}, absent, raced())
			if err := tx.commit(t.Context()); err != nil {
				t.Errorf("%v", err)
			}
			if there, _ := b.read("new"); there.Says != "once" || seen < 2 {
				t.Errorf("%v after %d attempts", there, seen)
			}
		})
	}
}

func TestAWriteGivesUpBeforeReadersTrustItsTime(t *testing.T) {
	if commitWindow >= youngAge {
		t.Errorf("writes may happen for %v, readers trust after %v", commitWindow, youngAge)
	}
	b := openBare(t)
	tx := b.begin()
	tx.put(thingKey("late"), thing{}, absent, raced())
	b.advance(commitWindow)
	calls := b.counted(func(_ string, _ any, next func() (any, error)) (any, error) { return next() }, func() {
		if err := tx.commit(t.Context()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%v", err)
		}
	})
	if _, written := b.read("late"); written {
		t.Errorf("written %v after the time it carries, by %v", commitWindow, calls)
	}
}

func TestACommitEndsWithItsRequest(t *testing.T) {
	b := openBare(t)
	ctx, cancel := context.WithCancel(t.Context())
	hook := func(_ string, _ any, _ func() (any, error)) (any, error) {
		cancel()
		return nil, cancelledFor("TransactionConflict")
	}
	calls := b.counted(hook, func() {
		tx := b.begin()
		tx.put(thingKey("a"), thing{}, absent, raced())
		if err := tx.commit(ctx); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%v", err)
		}
	})
	if calls["TransactWriteItems"] != 1 {
		t.Errorf("%d attempts", calls["TransactWriteItems"])
	}
}

func TestWhatIsWrittenCarriesKeyAndTime(t *testing.T) {
	b := openBare(t)
	b.write("x", "put", 1)
	b.advance(time.Minute)
	tx := b.begin()
	tx.update(thingKey("x"), expression.Set(expression.Name("says"), expression.Value("updated")), versionIs(1), raced())
	if err := tx.commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, _ := b.read("x")
	if got.Says != "updated" || time.UnixMilli(got.At).UTC() != noon.Add(time.Minute) || got.PK != "THING#x" || got.SK != "THING" {
		t.Errorf("%+v", got)
	}
}

func TestAFormThatCannotBeWrittenIsInternal(t *testing.T) {
	b := openBare(t)
	calls := b.counted(nil, func() {
		tx := b.begin()
		tx.put(thingKey("x"), map[string]any{"f": func() {}}, absent, raced())
		tx.update(thingKey("y"), expression.UpdateBuilder{}, expression.ConditionBuilder{}, raced())
		if err := tx.commit(t.Context()); !fault.Is(err, fault.Internal) {
			t.Errorf("%v", err)
		}
	})
	if len(calls) != 0 {
		t.Errorf("%v", calls)
	}
}

func TestWritersOfOneItemNeverOverwriteEachOther(t *testing.T) {
	b := openBare(t)
	b.write("shared", "0", 1)
	const writers, rounds = 4, 10
	done := make(chan error, writers)
	for w := range writers {
		go func() {
			for range rounds {
				for {
					var now thing
					if _, err := b.get(t.Context(), thingKey("shared"), &now); err != nil {
						done <- err
						return
					}
					tx := b.begin()
					tx.put(thingKey("shared"), thing{stored{V: now.V + 1}, fmt.Sprint(w)}, versionIs(now.V), raced())
					tx.put(thingKey(fmt.Sprintf("trace-%d", now.V+1)), thing{}, absent, errors.New("a version was made twice"))
					err := tx.commit(t.Context())
					if err == nil {
						break
					}
					if !fault.IsRaced(err) {
						done <- err
						return
					}
				}
			}
			done <- nil
		}()
	}
	for range writers {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := b.read("shared"); got.V != 1+writers*rounds {
		t.Errorf("T3 version %d after %d changes", got.V, writers*rounds)
	}
}

func TestMeterTellsRequestsAndUnits(t *testing.T) {
	b := openBare(t)
	ctx, told := b.Meter(t.Context())
	tx := b.begin()
	tx.put(thingKey("x"), thing{}, absent, raced())
	if err := tx.commit(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := b.batchGet(ctx, []key{thingKey("x")}); err != nil {
		t.Fatal(err)
	}
	attrs := told()
	if attrs[0].Key != "dynamodbRequests" || attrs[0].Value.Int64() != 2 || attrs[1].Key != "dynamodbUnits" || attrs[1].Value.Float64() <= 1 {
		t.Errorf("%v", attrs)
	}
}
