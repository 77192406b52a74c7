package metrics

import (
	"io"

	"gemba/shared/persona"
)

// driftLine is what a reconciliation found. Users and Sets are fields of the log.
type driftLine struct {
	AWS          directive `json:"_aws"`
	Organization string    `json:"Organization"`
	Drift        int       `json:"Drift"`
	Unsettled    int       `json:"Unsettled"`
	Users        int       `json:"Users"`
	Sets         int       `json:"Sets"`
}

// PublishDrift writes what a reconciliation found of an organization (P8), one line;
// none when the organization could not be read.
func PublishDrift(w io.Writer, of persona.Watching) error {
	found := of.Found
	if found.At.IsZero() {
		return nil
	}
	return write(w, driftLine{
		AWS:          filed(found.At, []string{"Organization"}, counts("Drift", "Unsettled")),
		Organization: of.Organization, Drift: found.Drift(), Unsettled: found.Unsettled, Users: found.Users, Sets: found.Sets,
	})
}
