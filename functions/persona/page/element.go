package page

import (
	"bytes"
	"fmt"
	"html"
	"strings"
)

// This file is how elements are written. The library that the field uses,
// gomponents, reaches html/template: 200 kB of bootstrap, and its expressions
// compiled at each cold start. None of these functions is inlined: a page is
// hundreds of calls of them, which would be 130 kB.

// node is an element, a text or an attribute. Nil is nothing.
type node func(w *bytes.Buffer, part part)

// part is what of itself a node is asked to write: attributes stand in an
// element's tag, all else in its content.
type part uint8

const (
	inTag part = iota
	inContent
)

// void are the elements that have no content and no end.
var void = map[string]bool{"meta": true}

// el is an element of its attributes and content, in any order. Its name is a
// word of this package, never of a client.
//
//go:noinline
func el(name string, children ...node) node {
	return func(w *bytes.Buffer, at part) {
		if at != inContent {
			return
		}
		w.WriteString("<" + name)
		group(children)(w, inTag)
		w.WriteString(">")
		if void[name] {
			return
		}
		group(children)(w, inContent)
		w.WriteString("</" + name + ">")
	}
}

// group is several nodes in the place of one.
//
//go:noinline
func group(nodes []node) node {
	return func(w *bytes.Buffer, at part) {
		for _, n := range nodes {
			if n != nil {
				n(w, at)
			}
		}
	}
}

// attr is an attribute of any value (T5). Its name is a word of this package.
//
//go:noinline
func attr(name, value string) node {
	return func(w *bytes.Buffer, at part) {
		if at == inTag {
			w.WriteString(" " + name + `="` + escape(value) + `"`)
		}
	}
}

// text is any text, as text (T5).
//
//go:noinline
func text(s string) node { return raw(escape(s)) }

// escape is text as HTML writes it, which has no NUL.
func escape(s string) string { return html.EscapeString(strings.ReplaceAll(s, "\x00", "\ufffd")) }

//go:noinline
func textf(format string, values ...any) node { return text(fmt.Sprintf(format, values...)) }

// raw is what this package wrote itself.
//
//go:noinline
func raw(s string) node {
	return func(w *bytes.Buffer, at part) {
		if at == inContent {
			w.WriteString(s)
		}
	}
}

// when is a node under a condition.
//
//go:noinline
func when(condition bool, n node) node {
	if condition {
		return n
	}
	return nil
}

//go:noinline
func class(names string) node { return attr("class", names) }
