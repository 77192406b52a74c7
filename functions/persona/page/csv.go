package page

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"

	"gemba/shared/directory"
	"gemba/shared/persona"
)

// CSV is the table by location (RFC 4180, UTF-8): a row of names, a row of the
// whole, and one a location in the order of the tree. Those who have no target
// have no columns for one. Share is of the base; it and a range without a base
// say nothing and are empty.
func CSV(o persona.Overview) []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	_ = w.Write(columns()) // a buffer takes all
	whole := persona.Located{Report: o.Report}
	whole.Name = o.Organization.Name
	if n := len(o.Path); n > 0 {
		whole.Location = o.Path[n-1]
	}
	_ = w.Write(record(whole))
	for _, l := range o.Below {
		_ = w.Write(record(l))
	}
	w.Flush()
	return out.Bytes()
}

// aimed are the words that can have a target (P4).
func aimed(word string) bool { return word != persona.None && word != directory.CICoach.String() }

func columns() []string {
	names := []string{"location", "name", "parent", "depth", "base"}
	for _, l := range (persona.Report{}).AllLines() {
		names = append(names, l.Word, l.Word+"_share")
		if aimed(l.Word) {
			names = append(names, l.Word+"_min", l.Word+"_max", l.Word+"_verdict", l.Word+"_change")
		}
	}
	for _, l := range (persona.Report{}).Lines() {
		names = append(names, l.Word+"_active7", l.Word+"_active30", l.Word+"_on_team")
	}
	return names
}

func record(of persona.Located) []string {
	r := of.Report
	cells := []string{harmless(of.ID), harmless(of.Name), harmless(of.Parent), strconv.Itoa(of.Depth), strconv.Itoa(r.Base)}
	for _, l := range r.AllLines() {
		cells = append(cells, strconv.Itoa(l.Count), shareCell(l.Count, r.Base))
		if aimed(l.Word) {
			cells = append(cells, target(l.Row)...)
		}
	}
	for _, l := range r.Lines() {
		cells = append(cells, strconv.Itoa(l.Active7), strconv.Itoa(l.Active30), strconv.Itoa(l.OnTeam))
	}
	return cells
}

func target(r persona.Row) []string {
	if r.Verdict == persona.NoVerdict {
		return []string{"", "", "", ""}
	}
	return []string{strconv.Itoa(r.Range.Min), strconv.Itoa(r.Range.Max), r.Verdict.String(), strconv.Itoa(r.Change)}
}

func shareCell(count, base int) string {
	if base == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(count)/float64(base), 'f', 4, 64)
}

// harmless is a cell that no spreadsheet takes for a formula (T5): what begins as
// a formula does is text by an apostrophe before it. That holds inside of a cell,
// too: where a comma stands in decimals, spreadsheets part cells at semicolons, and
// to them these quotes are none.
func harmless(cell string) string {
	var out strings.Builder
	for rest := cell; rest != ""; {
		end := strings.IndexAny(rest, ";\t\r\n") + 1
		if end == 0 {
			end = len(rest)
		}
		begins := "=+-@＝＋－＠"
		if rest == cell {
			begins += "\t\r\n"
		}
		if begin := strings.TrimLeft(rest[:end], ` "`); begin != "" && strings.ContainsRune(begins, []rune(begin)[0]) {
			out.WriteString("'")
		}
		out.WriteString(rest[:end])
		rest = rest[end:]
	}
	return out.String()
}
