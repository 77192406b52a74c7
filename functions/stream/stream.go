// Package stream is the form in which the functions on the table's stream get
// records and answer for them.
//
// It decides which fields of a record are read. It refuses to know what a record
// means, and which are to be given again.
package stream

import (
	"encoding/json"

	"gemba/shared/fault"
)

// The events of records that functions tell apart.
const (
	Inserted = "INSERT"
	Removed  = "REMOVE"
)

// Record is what is read of a stream's record; Written is in seconds since 1970.
type Record struct {
	EventName string `json:"eventName"`
	Change    struct {
		SequenceNumber string  `json:"SequenceNumber"`
		Written        float64 `json:"ApproximateCreationDateTime"`
		Keys           struct {
			PK text `json:"pk"`
			SK text `json:"sk"`
		} `json:"Keys"`
		New json.RawMessage `json:"NewImage"`
		Old json.RawMessage `json:"OldImage"`
	} `json:"dynamodb"`
}

type text struct {
	S string `json:"S"`
}

// Key is the key of the record's item.
func (r Record) Key() (pk, sk string) { return r.Change.Keys.PK.S, r.Change.Keys.SK.S }

// Read is the records of a batch; Invalid when the payload is none, which makes it
// come again as a whole.
func Read(payload []byte) ([]Record, error) {
	var batch struct{ Records []Record }
	if err := json.Unmarshal(payload, &batch); err != nil {
		return nil, fault.Wrap(fault.Invalid, "event", err)
	}
	return batch.Records, nil
}

type failure struct {
	SequenceNumber string `json:"itemIdentifier"`
}

// Answer tells the stream which of the records failed and are to be given again.
func Answer(records []Record, failed func(Record) bool) ([]byte, error) {
	answer := struct {
		Failures []failure `json:"batchItemFailures"`
	}{[]failure{}}
	for _, r := range records {
		if failed(r) {
			answer.Failures = append(answer.Failures, failure{r.Change.SequenceNumber})
		}
	}
	return json.Marshal(answer)
}
