package metrics

import (
	"io"
	"time"

	"gemba/shared/impersonation"
)

// impersonations is where CloudWatch files what is watched of impersonations.
const impersonations = "Gemba/Impersonation"

// sweepLine is what a sweep found of an organization. The metrics are there when
// they are 0, too, so that their absence tells of a sweep that does not run.
// Sessions are a field of the log.
type sweepLine struct {
	AWS          directive `json:"_aws"`
	Organization string    `json:"Organization"`
	StuckMail    int       `json:"StuckMail"`
	FailedMail   int       `json:"FailedMail"`
	UnknownMail  int       `json:"UnknownMail"`
	SweptEnds    int       `json:"SweptEnds"`
	Sessions     int       `json:"Sessions"`
}

// PublishSweep writes what a sweep found of an organization (I4, I8), one line; none
// of one that failed before anything was found, whose zeros would say too much.
func PublishSweep(w io.Writer, at time.Time, of impersonation.Swept) error {
	if of.Err != nil && of.Stuck+of.Failed+of.Unknown == 0 {
		return nil
	}
	return write(w, sweepLine{
		AWS:          watched(at, "StuckMail", "FailedMail", "UnknownMail", "SweptEnds"),
		Organization: of.Organization, StuckMail: of.Stuck, FailedMail: of.Failed, UnknownMail: of.Unknown,
		SweptEnds: of.Ended, Sessions: of.Sessions,
	})
}

// unsweptLine is how many organizations a sweep had no time for.
type unsweptLine struct {
	AWS     directive `json:"_aws"`
	Unswept int       `json:"Unswept"`
}

// PublishUnswept writes for how many organizations a sweep had no time.
func PublishUnswept(w io.Writer, at time.Time, left int) error {
	return write(w, unsweptLine{
		AWS:     directive{at.UnixMilli(), []filing{{impersonations, [][]string{{}}, counts("Unswept")}}},
		Unswept: left,
	})
}

// alertLine counts an alert, under the metric of its kind.
type alertLine struct {
	AWS                       directive `json:"_aws"`
	Organization              string    `json:"Organization"`
	AdministratorImpersonated int       `json:"AdministratorImpersonated,omitempty"`
	RepeatedFailures          int       `json:"RepeatedFailures,omitempty"`
}

// PublishAlert counts an alert that an entry of the timeline asked for, one line
// each time that the stream tells of the entry. Stuck mail is counted by the sweep.
func PublishAlert(w io.Writer, a impersonation.Alert) error {
	line := alertLine{Organization: a.Organization}
	switch a.Kind {
	case impersonation.AdministratorStart:
		line.AdministratorImpersonated, line.AWS = 1, watched(a.At, "AdministratorImpersonated")
	case impersonation.RepeatedFailures:
		line.RepeatedFailures, line.AWS = 1, watched(a.At, "RepeatedFailures")
	default:
		return nil
	}
	return write(w, line)
}

// watched files counts of an organization's impersonations.
func watched(at time.Time, names ...string) directive {
	return directive{at.UnixMilli(), []filing{{impersonations, [][]string{{"Organization"}}, counts(names...)}}}
}
