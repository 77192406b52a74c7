package page_test

import (
	"bytes"
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gemba/functions/persona/page"
	"gemba/shared/api"
)

var update = flag.Bool("update", false, "write the golden pages and tables anew")

// golden holds text to a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-update writes it anew): %s", name, diff)
	}
}

var styles = regexp.MustCompile("(?s)<style>.*</style>")

// read is a page as somebody reads it in testdata: a line an element, and without
// the style, which is the same in all of them.
func read(html []byte) []byte {
	return bytes.ReplaceAll(styles.ReplaceAll(html, []byte("<style></style>")), []byte("><"), []byte(">\n<"))
}

func TestGolden(t *testing.T) {
	for name, w := range worlds() {
		t.Run(name, func(t *testing.T) {
			o := w.overview(t, "")
			golden(t, name+".html", read(page.HTML(o)))
			golden(t, name+".csv", page.CSV(o))
		})
	}
	t.Run("of a location", func(t *testing.T) {
		o := clinic().overview(t, "north")
		golden(t, "location.html", read(page.HTML(o)))
		golden(t, "location.csv", page.CSV(o))
	})
}

// The most locations that are reckoned with.
const mostLocations = 20_000

// TestAllLocationsFitIntoAnAnswer: with names of a usual length, and with room
// for what an answer adds.
func TestAllLocationsFitIntoAnAnswer(t *testing.T) {
	o := many(mostLocations).overview(t, "")
	for form, raw := range map[string][]byte{"page": page.HTML(o), "table": page.CSV(o)} {
		if _, err := api.WholeText(http.StatusOK, api.Text{Bytes: raw}); err != nil {
			t.Errorf("a %s of %d bytes: %v", form, len(raw), err)
		}
	}
}

func BenchmarkOf20000Locations(b *testing.B) {
	o := many(mostLocations).overview(b, "")
	b.Run("page", func(b *testing.B) {
		for b.Loop() {
			page.HTML(o)
		}
	})
	b.Run("table", func(b *testing.B) {
		for b.Loop() {
			page.CSV(o)
		}
	})
	b.Run("overview", func(b *testing.B) {
		w := many(mostLocations)
		for b.Loop() {
			w.overview(b, "")
		}
	})
}
