package dynamotest

import (
	"flag"
	"testing"

	"pgregory.net/rapid"
)

// Check holds a property over tables in so many random cases at most, because each
// takes a while; in all that -rapid.checks says, if a run asks for other than rapid
// does. A case that fails is made small in as many more as that takes.
func Check(t *testing.T, most int, property func(*rapid.T)) {
	t.Helper()
	if asked() {
		most = 0
	}
	tried, broken := 0, false
	rapid.Check(t, func(r *rapid.T) {
		if tried++; most > 0 && tried > most && !broken {
			return
		}
		held := false
		defer func() { broken = broken || !held }()
		property(r)
		held = !r.Failed()
	})
}

// asked is whether the run asks for another number of cases than rapid does.
func asked() bool {
	checks := flag.Lookup("rapid.checks")
	return checks.Value.String() != checks.DefValue
}
