package endpoints

import (
	"encoding/json"
	"io"

	"gemba/shared/persona"
)

// namespace is where CloudWatch files the metrics.
const namespace = "Gemba/Personas"

// line is one line of CloudWatch's embedded metric format: the metrics of one
// persona or group of one organization. Verdict and Slot are fields of the log
// and no dimensions, so that they cost no metric of their own.
type line struct {
	AWS          directive `json:"_aws"`
	Organization string    `json:"Organization"`
	Persona      string    `json:"Persona"`
	People       int       `json:"People"`
	Share        *float64  `json:"Share,omitempty"`
	Least        *int      `json:"Least,omitempty"`
	Most         *int      `json:"Most,omitempty"`
	ToChange     *int      `json:"ToChange,omitempty"`
	OffTarget    *int      `json:"OffTarget,omitempty"`
	Verdict      string    `json:"Verdict,omitempty"`
	Slot         string    `json:"Slot"`
}

type directive struct {
	Timestamp         int64    `json:"Timestamp"`
	CloudWatchMetrics []filing `json:"CloudWatchMetrics"`
}

type filing struct {
	Namespace  string     `json:"Namespace"`
	Dimensions [][]string `json:"Dimensions"`
	Metrics    []metric   `json:"Metrics"`
}

type metric struct {
	Name string `json:"Name"`
	Unit string `json:"Unit"`
}

// publish writes an audit's metrics (P6), a line a persona and group.
func publish(w io.Writer, organization string, a persona.Audit) error {
	for _, row := range append(a.Report.Lines(), a.Report.Groups()...) {
		text, err := json.Marshal(lineOf(organization, a, row))
		if err != nil {
			return err
		}
		if _, err := w.Write(append(text, '\n')); err != nil {
			return err
		}
	}
	return nil
}

func lineOf(organization string, a persona.Audit, row persona.Line) line {
	l := line{Organization: organization, Persona: row.Word, People: row.Count, Slot: a.Slot}
	metrics := []metric{{"People", "Count"}}
	if a.Report.Base > 0 {
		share := 100 * float64(row.Count) / float64(a.Report.Base)
		l.Share = &share
		metrics = append(metrics, metric{"Share", "Percent"})
	}
	if row.Verdict != persona.NoVerdict {
		off := 0
		if row.Verdict != persona.Within {
			off = 1
		}
		l.Least, l.Most, l.ToChange, l.OffTarget, l.Verdict = &row.Range.Min, &row.Range.Max, &row.Change, &off, row.Verdict.String()
		metrics = append(metrics, metric{"Least", "Count"}, metric{"Most", "Count"}, metric{"ToChange", "Count"}, metric{"OffTarget", "Count"})
	}
	l.AWS = directive{a.Report.At.UnixMilli(), []filing{{namespace, [][]string{{"Organization", "Persona"}}, metrics}}}
	return l
}
