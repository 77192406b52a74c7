package letter_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"gemba/shared/letter"
)

func TestT5ALetterSaysTheSameTwice(t *testing.T) {
	text, page := letter.Set("Head & <er>", []letter.Part{{Says: "One\r\nBcc: x"}, {}, {Says: "Some:", Items: []string{"<b>", "a\u2028b"}}})
	if diff := cmp.Diff("Head & <er>\n\nOne  Bcc: x\n\nSome:\n\n- <b>\n- a b\n", text); diff != "" {
		t.Error(diff)
	}
	want := "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Head &amp; &lt;er&gt;</title></head>\n<body>\n<h1>Head &amp; &lt;er&gt;</h1>\n" +
		"<p>One  Bcc: x</p>\n<p>Some:</p>\n<ul>\n<li>&lt;b&gt;</li>\n<li>a b</li>\n</ul>\n</body>\n</html>\n"
	if diff := cmp.Diff(want, page); diff != "" {
		t.Error(diff)
	}
}

func TestT5ALineIsOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"a\r\nb": "a  b", "a\x00b": "a b", "a\u0085b": "a b", "a\u2028\u2029b": "a  b", "Grüße, 日本": "Grüße, 日本",
		"x\u202egnp.exe": "x gnp.exe", "\u2066x\u2069": " x ", "a\xffb": "a\ufffdb",
	} {
		if got := letter.Line(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestShort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, most := rapid.String().Draw(t, "text"), rapid.IntRange(1, 50).Draw(t, "most")
		short := letter.Short(text, most)
		if utf8.RuneCountInString(short) > most || short != text && !strings.HasPrefix(text, strings.TrimSuffix(short, "…")) || utf8.RuneCountInString(text) <= most && short != text {
			t.Fatalf("%q in %d is %q", text, most, short)
		}
	})
}
