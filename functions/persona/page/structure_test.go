package page_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"gemba/functions/persona/page"
	"gemba/shared/authz"
	"gemba/shared/persona"
)

// element is a start tag of a page, with what it is in.
type element struct {
	name  string
	attrs map[string]string
	in    []string
	text  string // its own
}

// elements are a page's, in order. Each has its end, in the right place.
func elements(t tb, raw []byte) []element {
	t.Helper()
	var all []element
	var open []int
	for z := html.NewTokenizer(bytes.NewReader(raw)); ; {
		switch kind := z.Next(); kind {
		case html.ErrorToken:
			if !errors.Is(z.Err(), io.EOF) || len(open) > 0 {
				t.Fatalf("%v, %d elements have no end", z.Err(), len(open))
			}
			return all
		case html.StartTagToken:
			token := z.Token()
			e := element{name: token.Data, attrs: map[string]string{}}
			for _, i := range open {
				e.in = append(e.in, all[i].name)
			}
			for _, a := range token.Attr {
				if _, twice := e.attrs[a.Key]; twice {
					t.Errorf("%s has %s twice", e.name, a.Key)
				}
				e.attrs[a.Key] = a.Val
			}
			if all = append(all, e); e.name != "meta" {
				open = append(open, len(all)-1)
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if len(open) == 0 || all[open[len(open)-1]].name != string(name) {
				t.Fatalf("</%s> ends nothing", name)
			}
			open = open[:len(open)-1]
		case html.TextToken:
			if len(open) > 0 {
				all[open[len(open)-1]].text += string(z.Text())
			}
		case html.DoctypeToken:
		default:
			t.Fatalf("%v is not written here", kind)
		}
	}
}

// all are the pages that every rule is held to.
func all(t *testing.T) map[string][]byte {
	pages := map[string][]byte{"of a location": page.HTML(clinic().overview(t, "north")), "many": page.HTML(many(600).overview(t, ""))}
	for name, w := range worlds() {
		pages[name] = page.HTML(w.overview(t, ""))
	}
	return pages
}

// TestT5ThePageIsAloneAndDoesNothing: no script, nothing from elsewhere,
// nowhere to go.
func TestT5ThePageIsAloneAndDoesNothing(t *testing.T) {
	known := strings.Fields("html head meta title style body header main footer section h1 h2 p ul li div span strong bdi time svg symbol use path rect line polyline circle text desc figure figcaption table caption thead tbody tr th td details summary")
	for name, raw := range all(t) {
		t.Run(name, func(t *testing.T) {
			for _, e := range elements(t, raw) {
				if !slices.Contains(known, e.name) {
					t.Errorf("<%s>", e.name)
				}
				for key, value := range e.attrs {
					switch {
					case strings.HasPrefix(key, "on"), key == "src", key == "srcset", key == "action", key == "xlink:href":
						t.Errorf("<%s %s>", e.name, key)
					case key == "href" && !(e.name == "use" && strings.HasPrefix(value, "#m-")):
						t.Errorf("<%s href=%q>", e.name, value)
					case key == "style" && strings.Trim(value, "-d:0123456789") != "":
						t.Errorf("<%s style=%q>", e.name, value)
					}
				}
				if e.name == "style" && (strings.Contains(e.text, "url(") || strings.Contains(e.text, "@import") || strings.Contains(e.text, "<")) {
					t.Error("the style reaches out")
				}
			}
		})
	}
}

// TestThePageIsReadOut: what a screen reader goes by is there.
func TestThePageIsReadOut(t *testing.T) {
	for name, raw := range all(t) {
		t.Run(name, func(t *testing.T) {
			ids, count, headings := map[string]string{}, map[string]int{}, ""
			found := elements(t, raw)
			for _, e := range found {
				count[e.name]++
				if id, given := e.attrs["id"]; given {
					if _, twice := ids[id]; twice {
						t.Errorf("two are #%s", id)
					}
					ids[id] = e.name
				}
				if e.name == "h1" || e.name == "h2" {
					headings += e.name[1:]
				}
			}
			if found[0].attrs["lang"] != "en" || count["main"] != 1 || count["header"] != 1 || count["footer"] != 1 || count["title"] < 1 || count["caption"] != count["table"] {
				t.Errorf("lang %q, %v", found[0].attrs["lang"], count)
			}
			if headings != "12222" {
				t.Errorf("headings of the levels %s", headings)
			}
			for i, e := range found {
				for _, attribute := range []string{"aria-labelledby", "aria-describedby"} {
					for _, id := range strings.Fields(e.attrs[attribute]) {
						if ids[id] == "" {
							t.Errorf("<%s> is labelled by #%s, which is not there", e.name, id)
						}
					}
				}
				switch e.name {
				case "svg":
					if told := e.attrs["role"] == "img" && found[i+1].name == "title" && found[i+1].text != ""; told == (e.attrs["aria-hidden"] == "true") {
						t.Errorf("an image is told, or it is hidden: %v", e.attrs)
					}
				case "th":
					if e.attrs["scope"] != "row" && e.attrs["scope"] != "col" {
						t.Errorf("a <th> of the scope %q", e.attrs["scope"])
					}
				case "table":
					if found[i+1].name != "caption" || found[i+1].text == "" {
						t.Error("a table does not begin with its caption")
					}
				}
			}
		})
	}
}

// named is a page of a chain of locations with these names, the organization's
// first; their order is that of the chain, whatever they are.
func named(t tb, names []string) []byte {
	w := world{organization: names[0]}
	for i, name := range names[1:] {
		parent := ""
		if i > 0 {
			parent = fmt.Sprint("l", i-1)
		}
		w.locations = append(w.locations, authz.Location{ID: fmt.Sprint("l", i), Name: name, Parent: parent})
		w.people = append(w.people, at(persona.Counts{0, i, 1}, fmt.Sprint("l", i)))
	}
	last := ""
	if len(names) > 2 {
		last = "l1"
	}
	return page.HTML(w.overview(t, last))
}

// skeleton is a page without what is written in it.
func skeleton(found []element) []string {
	var out []string
	for _, e := range found {
		out = append(out, fmt.Sprint(e.in, e.name, e.attrs))
	}
	return out
}

// held is T5: whatever the names are, the page is made of the same elements as
// with harmless ones, and shows the names.
func held(t tb, names []string) {
	t.Helper()
	plain := make([]string, len(names))
	for i := range names {
		plain[i] = "name"
	}
	found := elements(t, named(t, names))
	if want := skeleton(elements(t, named(t, plain))); !slices.Equal(want, skeleton(found)) {
		t.Errorf("T5 %q make another page", names)
	}
	shown := map[string]bool{}
	for _, e := range found {
		if e.name == "bdi" {
			shown[e.text] = true
		}
	}
	for _, name := range names {
		// What HTML itself cannot hold: a NUL, and a line's end as CR.
		name = strings.NewReplacer("\x00", "\ufffd", "\r\n", "\n", "\r", "\n").Replace(name)
		if !shown[name] {
			t.Errorf("%q is not shown", name)
		}
	}
}

func TestT5NamesAreText(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		pieces := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"<", ">", "\"", "'", "&", "</bdi>", "</style>", "<script>", "<!--", "]]>", "&lt;", "&#60;", " onload=x ", "\u202e", "\u2069"}))
		name := rapid.Map(rapid.SliceOfN(pieces, 1, 4), func(p []string) string { return strings.Join(p, "") })
		held(r, rapid.SliceOfN(name, 1, 5).Draw(r, "names"))
	})
}

func FuzzNames(f *testing.F) {
	f.Add("Riverbend", "<script>alert(1)</script>", "\"onload=\"x")
	f.Add("</title><!--", "&lt;&#x3c;", "\u202e\x00\r\n")
	f.Fuzz(func(t *testing.T, organization, one, other string) {
		held(t, []string{strings.ToValidUTF8(organization, "?"), strings.ToValidUTF8(one, "?"), strings.ToValidUTF8(other, "?")})
	})
}
