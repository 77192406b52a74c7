package metrics

import (
	"io"
	"time"
)

// timelineSpace is where CloudWatch files what is told of timelines.
const timelineSpace = "Gemba/Timeline"

// tamperingLine is what was done to a timeline, past all functions.
type tamperingLine struct {
	AWS          directive `json:"_aws"`
	Organization string    `json:"Organization"`
	Tampered     int       `json:"TimelineTampered"`
}

// PublishTampering writes how many things of an organization's timeline were
// changed, removed or put where none is written (T2), one line.
func PublishTampering(w io.Writer, organization string, at time.Time, n int) error {
	return write(w, tamperingLine{
		AWS:          directive{at.UnixMilli(), []filing{{timelineSpace, [][]string{{"Organization"}}, counts("TimelineTampered")}}},
		Organization: organization, Tampered: n,
	})
}
