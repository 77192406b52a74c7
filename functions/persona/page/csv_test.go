package page_test

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"gemba/functions/persona/page"
	"gemba/shared/authz"
	"gemba/shared/persona"
)

// records are a table's rows by the names of its columns.
func records(t tb, raw []byte) []map[string]string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll() // as many cells in each row, or an error
	if err != nil {
		t.Fatal(err)
	}
	if names := slices.Clone(rows[0]); len(slices.Compact(slices.Sorted(slices.Values(names)))) != len(names) {
		t.Errorf("columns %q", names)
	}
	var out []map[string]string
	for _, row := range rows[1:] {
		cells := map[string]string{}
		for i, cell := range row {
			cells[rows[0][i]] = cell
		}
		out = append(out, cells)
	}
	return out
}

// TestTheTableSaysWhatTheReportsSay: each row is the report of its location.
func TestTheTableSaysWhatTheReportsSay(t *testing.T) {
	for _, location := range []string{"", "north"} {
		o := clinic().overview(t, location)
		rows := records(t, page.CSV(o))
		if len(rows) != len(o.Places)+1 || rows[0]["location"] != location || rows[0]["depth"] != "0" {
			t.Fatalf("%d rows, the first of %q", len(rows), rows[0]["location"])
		}
		for i, row := range rows {
			r := o.Report
			if i > 0 {
				p := o.Places[i-1]
				r = p.Report
				if row["location"] != p.ID || row["name"] != p.Name || row["parent"] != p.Parent || row["depth"] != strconv.Itoa(p.Depth) {
					t.Errorf("%v is not %s", row, p.ID)
				}
			}
			for _, l := range append(r.Lines(), r.Groups()...) {
				saysLine(t, row, l, r.Base)
			}
		}
	}
}

func saysLine(t *testing.T, row map[string]string, l persona.Line, base int) {
	t.Helper()
	want := map[string]string{"": strconv.Itoa(l.Count)}
	if base > 0 {
		want["_share"] = strconv.FormatFloat(float64(l.Count)/float64(base), 'f', 4, 64)
	}
	if l.Verdict != persona.NoVerdict {
		want["_min"], want["_max"], want["_verdict"], want["_change"] = strconv.Itoa(l.Range.Min), strconv.Itoa(l.Range.Max), l.Verdict.String(), strconv.Itoa(l.Change)
	}
	if l.Word != persona.Experts {
		want["_active7"], want["_active30"], want["_on_team"] = strconv.Itoa(l.Active7), strconv.Itoa(l.Active30), strconv.Itoa(l.OnTeam)
	}
	for _, column := range []string{"", "_share", "_min", "_max", "_verdict", "_change", "_active7", "_active30", "_on_team"} {
		if row[l.Word+column] != want[column] {
			t.Errorf("%s: %s%s is %q, want %q", row["location"], l.Word, column, row[l.Word+column], want[column])
		}
	}
}

// TestT5NoCellIsAFormula: whatever a location is called.
func TestT5NoCellIsAFormula(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		begin := rapid.SampledFrom([]string{"=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠", " =", "", "'", "\""}).Draw(r, "begin")
		name := begin + rapid.StringN(0, 20, -1).Draw(r, "rest")
		w := world{organization: name, locations: []authz.Location{place("a", name, "")}}
		for _, row := range records(r, page.CSV(w.overview(r, ""))) {
			for column, cell := range row {
				first, _ := utf8.DecodeRuneInString(strings.TrimLeft(cell, " "))
				if cell != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
					r.Errorf("%s is %q", column, cell)
				}
			}
			// A reader takes CR LF in a cell for LF (RFC 4180 knows one line's end).
			whole := strings.NewReplacer("\r\n", "\n", "\r", "").Replace(name)
			if got := strings.ReplaceAll(row["name"], "\r", ""); got != whole && got != "'"+whole {
				r.Errorf("%q is written as %q", name, row["name"])
			}
		}
	})
}
