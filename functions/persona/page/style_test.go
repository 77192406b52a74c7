package page

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

// luminance is a colour's as WCAG 2.2 defines it.
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(colour[1:], 16, 32)
	if err != nil || len(colour) != 7 {
		t.Fatalf("the colour %q", colour)
	}
	channel := func(v uint64) float64 {
		c := float64(v&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(n>>16) + 0.7152*channel(n>>8) + 0.0722*channel(n)
}

func contrast(t *testing.T, one, other string) float64 {
	t.Helper()
	a, b := luminance(t, one), luminance(t, other)
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

func TestContrast(t *testing.T) {
	if got := contrast(t, "#767676", "#ffffff"); math.Abs(got-4.54) > 0.01 {
		t.Fatalf("this test computes %.3f for 4.54", got)
	}
	for scheme, p := range map[string]palette{"light": light, "dark": dark} {
		t.Run(scheme, func(t *testing.T) {
			if len(p) != len(names) {
				t.Errorf("%d colours, %d are defined", len(p), len(names))
			}
			for _, text := range []string{"ink", "soft", "within", "below", "above", "unreachable"} {
				for _, on := range []string{"paper", "wash"} {
					if got := contrast(t, p[text], p[on]); got < 4.5 {
						t.Errorf("%s on %s has %.2f", text, on, got)
					}
				}
			}
			for _, drawn := range [][2]string{{"share", "paper"}, {"share", "wash"}, {"share", "band"}, {"edge", "paper"}, {"edge", "wash"}, {"edge", "band"}} {
				if got := contrast(t, p[drawn[0]], p[drawn[1]]); got < 3 {
					t.Errorf("%s on %s has %.2f", drawn[0], drawn[1], got)
				}
			}
		})
	}
}

// TestColoursAreThePalettes: none is used that nobody compares.
func TestColoursAreThePalettes(t *testing.T) {
	if found := regexp.MustCompile(`#[0-9a-fA-F]{3,8}\b|rgb|hsl`).FindAllString(rules, -1); len(found) > 0 {
		t.Errorf("colours outside the palette: %q", found)
	}
	for _, used := range regexp.MustCompile(`var\(--([a-z]+)`).FindAllStringSubmatch(rules, -1) {
		if used[1] != "d" && !slices.Contains(names, used[1]) {
			t.Errorf("no palette has %s", used[1])
		}
	}
}
