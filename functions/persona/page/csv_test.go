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
		if len(rows) != len(o.Below)+1 || rows[0]["location"] != location || rows[0]["depth"] != "0" {
			t.Fatalf("%d rows, the first of %q", len(rows), rows[0]["location"])
		}
		for i, row := range rows {
			r := o.Report
			if i > 0 {
				p := o.Below[i-1]
				r = p.Report
				if row["location"] != p.ID || row["name"] != p.Name || row["parent"] != p.Parent || row["depth"] != strconv.Itoa(p.Depth) {
					t.Errorf("%v is not %s", row, p.ID)
				}
			}
			for _, l := range r.AllLines() {
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

// TestT5NoCellIsAFormula: whatever a location is called, and wherever a spreadsheet
// parts the cells: at commas by RFC 4180, or at semicolons or tabs with no regard to
// quotes that do not begin a cell.
func TestT5NoCellIsAFormula(t *testing.T) {
	formula := func(cell string) bool {
		first, _ := utf8.DecodeRuneInString(strings.TrimLeft(cell, ` "`))
		return strings.ContainsRune("=+-@＝＋－＠", first)
	}
	rapid.Check(t, func(r *rapid.T) {
		part := rapid.SampledFrom([]string{"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", " ", "'", "\"", ";", ",", "a", "é"})
		name := strings.Join(rapid.SliceOfN(part, 0, 8).Draw(r, "name"), "") + rapid.StringN(0, 20, -1).Draw(r, "rest")
		w := world{organization: name, locations: []authz.Location{place("a", name, "")}}
		raw := page.CSV(w.overview(r, ""))
		for _, row := range records(r, raw) {
			for column, cell := range row {
				if first, _ := utf8.DecodeRuneInString(strings.TrimLeft(cell, " ")); formula(cell) || cell != "" && strings.ContainsRune("\t\r\n", first) {
					r.Errorf("%s is %q", column, cell)
				}
			}
			// A reader takes CR LF in a cell for LF (RFC 4180 knows one line's end).
			bare := strings.NewReplacer("\r", "", "'", "")
			if got, want := bare.Replace(row["name"]), bare.Replace(name); got != want {
				r.Errorf("%q is written as %q", name, row["name"])
			}
		}
		for _, cell := range strings.FieldsFunc(string(raw), func(c rune) bool { return strings.ContainsRune(";\t\r\n", c) }) {
			if formula(cell) {
				r.Errorf("parted at semicolons, a cell is %q", cell)
			}
		}
	})
}

// TestNamesStayAsTheyAre where no formula can begin.
func TestNamesStayAsTheyAre(t *testing.T) {
	for name, want := range map[string]string{
		"Ward 3-B": "Ward 3-B", "A + B; C": "A + B; C", "'A'": "'A'", "1;=2": "1;'=2", "x; -y": "x;' -y", "=": "'=", "a\t@b": "a\t'@b",
	} {
		w := world{organization: "o", locations: []authz.Location{place("a", name, "")}}
		if got := records(t, page.CSV(w.overview(t, "")))[1]["name"]; got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}
