// Package metrics writes audits, and the drift of counts, as CloudWatch's embedded
// metric format.
//
// It decides which numbers are metrics and by what they are told apart. It refuses
// to know where the lines go: standard output, in a deployed function. An audit of
// one location has a dimension more, so that its people are never added to the
// organization's.
package metrics

import (
	"encoding/json"
	"io"
	"time"

	"gemba/shared/persona"
)

// namespace is where CloudWatch files the metrics.
const namespace = "Gemba/Personas"

// line is one line of the format: the metrics of one persona or group of one
// organization or location. Verdict, Audit and Slot are fields of the log and no
// dimensions, so that they cost no metric of their own.
type line struct {
	AWS          directive `json:"_aws"`
	Organization string    `json:"Organization"`
	Persona      string    `json:"Persona"`
	Location     string    `json:"Location,omitempty"`
	People       int       `json:"People"`
	Active7      int       `json:"Active7"`
	Active30     int       `json:"Active30"`
	OnTeam       int       `json:"OnTeam"`
	Share        *float64  `json:"Share,omitempty"`
	Least        *int      `json:"Least,omitempty"`
	Most         *int      `json:"Most,omitempty"`
	ToChange     *int      `json:"ToChange,omitempty"`
	OffTarget    *int      `json:"OffTarget,omitempty"`
	Verdict      string    `json:"Verdict,omitempty"`
	Audit        string    `json:"Audit"`
	Slot         string    `json:"Slot,omitempty"`
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

// Publish writes an audit's metrics (P6), a line a persona and group.
func Publish(w io.Writer, organization string, a persona.Audit) error {
	for _, row := range a.Report.AllLines() {
		if err := write(w, lineOf(organization, a, row)); err != nil {
			return err
		}
	}
	return nil
}

// write writes one line of the format.
func write(w io.Writer, line any) error {
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

func lineOf(organization string, a persona.Audit, row persona.Line) line {
	l := line{
		Organization: organization, Persona: row.Word, Location: a.Report.Location, Audit: a.ID, Slot: a.Slot,
		People: row.Count, Active7: row.Active7, Active30: row.Active30, OnTeam: row.OnTeam,
	}
	metrics := counts("People", "Active7", "Active30", "OnTeam")
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
		metrics = append(metrics, counts("Least", "Most", "ToChange", "OffTarget")...)
	}
	dimensions := []string{"Organization", "Persona"}
	if l.Location != "" {
		dimensions = append(dimensions, "Location")
	}
	l.AWS = filed(a.Report.At, dimensions, metrics)
	return l
}

// filed says what of a line are metrics, and by what they are told apart.
func filed(at time.Time, dimensions []string, metrics []metric) directive {
	return directive{at.UnixMilli(), []filing{{namespace, [][]string{dimensions}, metrics}}}
}

// counts are metrics that count something.
func counts(names ...string) []metric {
	var all []metric
	for _, name := range names {
		all = append(all, metric{name, "Count"})
	}
	return all
}
