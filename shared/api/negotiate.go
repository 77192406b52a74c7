package api

import (
	"mime"
	"strconv"
	"strings"
)

// Preferred is the offer that the request's Accept prefers: that of the highest
// weight, the first among equals. Without the header, or when it admits none,
// it is the first offer, as RFC 9110 (15.5.7) allows: the answer's type tells
// what it is, and no call of the API refuses for Accept alone. Names are
// compared without their parameters. What is malformed admits nothing.
func (r *Request) Preferred(offers ...string) string {
	ranges := mediaRanges(r.Header("accept"))
	best, most := offers[0], 0.0
	for _, offer := range offers {
		if weight := ranges.weight(offer); weight > most {
			best, most = offer, weight
		}
	}
	return best
}

// accepted are the weights of media ranges, by their lower-case names.
type accepted map[string]float64

func mediaRanges(header string) accepted {
	ranges := accepted{}
	for part := range strings.SplitSeq(header, ",") {
		name, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		weight := 1.0
		if q, given := parameters["q"]; given {
			weight, err = strconv.ParseFloat(q, 64)
		}
		if err == nil && weight >= 0 && weight <= 1 {
			ranges[name] = weight
		}
	}
	return ranges
}

// weight is that of the narrowest range which names the media type.
func (a accepted) weight(offer string) float64 {
	kind, _, _ := strings.Cut(offer, "/")
	for _, name := range []string{offer, kind + "/*", "*/*"} {
		if weight, named := a[name]; named {
			return weight
		}
	}
	return 0
}
