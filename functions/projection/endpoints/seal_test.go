package endpoints_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/dynamotest/fixture"
	"gemba/shared/timeline"
)

// ofEntry is the record of an entry's change.
func (w *world) ofEntry(event string, e fixture.Entry) object {
	w.numbers++
	return e.Record(event, w.numbers, float64(w.Clock.Now().UnixMilli())/1000)
}

// ofEntries are the records of all entries there are.
func (w *world) ofEntries(t testing.TB) []object {
	t.Helper()
	var records []object
	for _, e := range w.Recorded(t) {
		records = append(records, w.ofEntry("INSERT", e))
	}
	return records
}

// verified is a walk over all of the timeline.
func (w *world) verified(t testing.TB) timeline.Walk {
	t.Helper()
	claim := timeline.NewClaim(fixture.Organization, w.Clock.Now().Add(-time.Hour), w.Clock.Now(), time.Time{}, time.Time{}, timeline.Kept{})
	walk, err := timeline.Verify(t.Context(), w.store, timeline.Walk{Claim: claim}, func() bool { return false })
	if err != nil {
		t.Fatal(err)
	}
	if walk.First != (timeline.Flaw{}) {
		t.Errorf("T2 %v", walk.First)
	}
	return walk
}

// lines are those of the log with this message.
func (w *world) lines(t testing.TB, message string) []object {
	t.Helper()
	var lines []object
	for line := range strings.Lines(w.log.String()) {
		var one object
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			t.Fatal(err)
		}
		if one["msg"] == message || one["action"] == message {
			lines = append(lines, one)
		}
	}
	return lines
}

// TestT2EntriesAreSealed, and the head after each block is in the log, so that it is
// kept elsewhere.
func TestT2EntriesAreSealed(t *testing.T) {
	w := open(t)
	records := w.ofEntries(t)
	w.deliver(t, records...)
	walk := w.verified(t)
	if walk.Verified != len(records) || walk.Unsealed != 0 {
		t.Errorf("%d of %d entries are sealed", walk.Verified, len(records))
	}
	told := w.lines(t, "seal")
	if len(told) != 1 {
		t.Fatalf("%v", told)
	}
	delete(told[0], "time")
	want := object{"level": "INFO", "msg": "record", "function": "projection", "action": "seal", "organization": fixture.Organization,
		"block": 1.0, "entries": float64(len(records)), "hash": walk.Head.Hash.String(), "at": "2026-03-02T09:00:00Z"}
	if fmt.Sprint(told[0]) != fmt.Sprint(want) {
		t.Errorf("told is %v, want %v", told[0], want)
	}
}

// TestT2WhateverBatchesTheStreamMakes seal each entry once: repeated, split, in
// another order, with others' records between.
func TestT2WhateverBatchesTheStreamMakes(t *testing.T) {
	w := noted(t)
	records := w.ofEntries(t)
	for range 2 {
		mixed := slices.Clone(records)
		rand.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		for batch := range slices.Chunk(append(mixed, mixed[:7]...), 9) {
			w.deliver(t, append([]object{w.ofMark("nurse", w.today()), w.ofItem("MODIFY", "icu-idea")}, batch...)...)
		}
	}
	if walk := w.verified(t); walk.Verified != len(records) || walk.Head.Entries != uint64(len(records)) {
		t.Errorf("%d of %d entries, the head tells %d", walk.Verified, len(records), walk.Head.Entries)
	}
	w.isExact(t)
}

// TestSealAndEngagementKeepNotEachOther from being done: of each, the records that
// failed alone come again.
func TestSealAndEngagementKeepNotEachOther(t *testing.T) {
	t.Run("the seal fails", func(t *testing.T) {
		w := noted(t)
		records := w.ofEntries(t)
		w.deliver(t, records[:3]...)
		calls := 0
		mark := w.ofMark("nurse", w.today())
		failed, err := invoke(t.Context(), w.over(w.Open(failing(1, false, &calls))), append([]object{mark}, records[3:5]...)...)
		if want := []string{numberOf(records[3]), numberOf(records[4])}; err != nil || !slices.Equal(failed, want) {
			t.Errorf("failed are %v, want %v (%v)", failed, want, err)
		}
		if w.engaged(t, "nurse").seen != w.today() {
			t.Error("the day is not noted")
		}
		if told := w.lines(t, "seal"); told[len(told)-1]["level"] != "ERROR" {
			t.Errorf("%v", told)
		}
	})
	t.Run("the engagement fails", func(t *testing.T) {
		w := noted(t)
		records := w.ofEntries(t)
		w.spoil(t, "U#riverside#lead", "USER", "type")
		mark := w.ofMark("lead", w.today())
		failed, err := invoke(t.Context(), w.function, append([]object{mark}, records...)...)
		if err != nil || !slices.Equal(failed, []string{numberOf(mark)}) {
			t.Errorf("failed are %v (%v)", failed, err)
		}
		if walk := w.verified(t); walk.Verified != len(records) {
			t.Errorf("%d of %d entries are sealed", walk.Verified, len(records))
		}
	})
}

// TestT2WhatNoFunctionDoesIsTold: an error and a metric, ids alone, and nothing is
// sealed; the record is done.
func TestT2WhatNoFunctionDoesIsTold(t *testing.T) {
	w := open(t)
	entries := w.Recorded(t)
	entry := entries[5]
	name := entry.Text("sk")
	misplaced := fixture.Entry{}
	for n, v := range entry {
		misplaced[n] = v
	}
	misplaced["time"] = entries[0]["pk"]
	w.log.Reset()
	records := []object{
		w.ofEntry("MODIFY", entry), w.ofEntry("REMOVE", entry), w.ofEntry("INSERT", misplaced),
		w.record("MODIFY", "TP#riverside#nurse", name), w.record("REMOVE", "TP#riverside#nurse", name),
		w.record("MODIFY", "SEAL#riverside", "BLOCK#00000000000000000007"), w.record("REMOVE", "SEALED#riverside#2026-03", name),
		w.record("REMOVE", "T#riverside#2026-03", "text\nfrom outside"),
	}
	w.deliver(t, records...)
	var told []string
	for _, line := range w.lines(t, "tampered") {
		if line["level"] != "ERROR" || line["organization"] != fixture.Organization || line["function"] != "projection" {
			t.Errorf("%v", line)
		}
		told = append(told, fmt.Sprint(line["event"], " ", line["entry"]))
	}
	want := []string{"MODIFY " + name, "REMOVE " + name, "INSERT " + name, "MODIFY " + name, "REMOVE " + name, "MODIFY 00000000000000000007", "REMOVE " + name}
	if len(told) != 8 || !slices.Equal(told[:7], want) || !strings.HasPrefix(told[7], "REMOVE ~") {
		t.Errorf("told are %q", told)
	}
	if strings.Contains(w.log.String(), "from outside") || strings.Contains(w.log.String(), "operator") {
		t.Errorf("T5 the log says %s", w.log)
	}
	var metric object
	for line := range strings.Lines(w.log.String()) {
		if strings.Contains(line, "_aws") {
			if err := json.Unmarshal([]byte(line), &metric); err != nil {
				t.Fatal(err)
			}
		}
	}
	directive := metric["_aws"].(object)["CloudWatchMetrics"].([]any)[0].(object)
	if metric["TimelineTampered"] != 8.0 || metric["Organization"] != fixture.Organization || directive["Namespace"] != "Gemba/Timeline" {
		t.Errorf("%v", metric)
	}
	if walk := w.verified(t); walk.Head.Block != 0 {
		t.Errorf("something was sealed: %v", walk.Head)
	}
}

// TestT2AChainThatWasTakenBackIsTold: nothing follows it, the metric counts it, and
// nothing else waits for it.
func TestT2AChainThatWasTakenBackIsTold(t *testing.T) {
	t.Run("its head is none", func(t *testing.T) {
		w := open(t)
		records := w.ofEntries(t)
		w.deliver(t, records[:3]...)
		w.spoil(t, "SEAL#"+fixture.Organization, "HEAD", "n")
		w.deliver(t, records[3:6]...)
		if !strings.Contains(w.log.String(), `"TimelineTampered":1`) {
			t.Errorf("%s", w.log)
		}
	})
	w := open(t)
	records := w.ofEntries(t)
	w.deliver(t, records[:3]...)
	if _, err := w.Client().DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &w.Table, Key: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "SEAL#riverside"}, "sk": &types.AttributeValueMemberS{Value: "HEAD"},
	}}); err != nil {
		t.Fatal(err)
	}
	failed, err := invoke(t.Context(), w.function, records[3:6]...)
	if err != nil || len(failed) != 0 {
		t.Errorf("failed are %v, %v", failed, err)
	}
	if !strings.Contains(w.log.String(), `"code":"chain"`) || !strings.Contains(w.log.String(), `"TimelineTampered":1`) {
		t.Errorf("%s", w.log)
	}
}

// TestWhatIsWrittenAsUsualIsNoTampering: copies, marks and blocks that come, and the
// head that each block moves.
func TestWhatIsWrittenAsUsualIsNoTampering(t *testing.T) {
	w := open(t)
	w.log.Reset()
	w.deliver(t, w.record("INSERT", "TP#riverside#nurse", "01K"), w.record("INSERT", "SEALED#riverside#2026-03", "01K"),
		w.record("INSERT", "SEAL#riverside", "BLOCK#1"), w.record("MODIFY", "SEAL#riverside", "HEAD"), w.record("REMOVE", "TI#riverside#t", "x"))
	if w.log.Len() > 0 {
		t.Errorf("%s", w.log)
	}
}
