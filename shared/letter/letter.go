// Package letter sets what a mail says as text and as a page, the same in both.
//
// It decides that every part is one line, and that whatever a name holds is text
// in it and nothing else (T5). It refuses to know what letters say, to whom they
// go, and how.
package letter

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Part is what is said, and the list below it. One that says nothing is left out.
type Part struct {
	Says  string
	Items []string
}

// Set is a letter's parts under their header, as text and as HTML.
func Set(header string, parts []Part) (text, page string) {
	header = Line(header)
	title := html.EscapeString(header)
	var plain, marked strings.Builder
	plain.WriteString(header + "\n")
	marked.WriteString("<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>" + title + "</title></head>\n<body>\n<h1>" + title + "</h1>\n")
	for _, p := range parts {
		if p.Says == "" {
			continue
		}
		said := Line(p.Says)
		plain.WriteString("\n" + said + "\n")
		marked.WriteString("<p>" + html.EscapeString(said) + "</p>\n")
		list(&plain, &marked, p.Items)
	}
	marked.WriteString("</body>\n</html>\n")
	return plain.String(), marked.String()
}

func list(plain, marked *strings.Builder, items []string) {
	if len(items) == 0 {
		return
	}
	plain.WriteString("\n")
	marked.WriteString("<ul>\n")
	for _, item := range items {
		item = Line(item)
		plain.WriteString("- " + item + "\n")
		marked.WriteString("<li>" + html.EscapeString(item) + "</li>\n")
	}
	marked.WriteString("</ul>\n")
}

// Line is text in which no name can begin a line of its own, nor turn around how
// the rest of the line reads (T5).
func Line(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, text)
}

// Short is the text, or its beginning with a sign that it goes on, in at most so
// many characters.
func Short(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}
