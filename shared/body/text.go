package body

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"gemba/shared/directory"
)

// Rule is what a text has to be: its length in characters, whether it may
// have several lines, and a form of its own. Control characters and those
// that reorder or break lines are never allowed, so that no text can forge a
// line of a log or another name on a screen (T5).
type Rule struct {
	Least, Most int
	Lines       bool
	Form        func(string) bool
	Says        string
}

// The texts of the contract.
var (
	// Name is the name of anything (R1: 1–100 characters).
	Name = Rule{Least: 1, Most: 100, Form: hasInk}
	// Description may have several lines.
	Description = Rule{Most: 2000, Lines: true}
	// Reason is why an impersonation is started (I3).
	Reason = Rule{Most: 500}
	// Username is a sign-in name, in the alphabet of the user pool.
	Username = Rule{Least: 1, Most: 128, Form: isUsername, Says: "Letters, digits, punctuation and symbols without spaces, 1 to 128 characters, are expected."}
	// Password is checked by the pool; here only its size.
	Password = Rule{Least: 1, Most: 256}
	// Email is one address without a display name.
	Email = Rule{Least: 3, Most: 254, Form: isEmail, Says: "An e-mail address is expected."}
	// Opaque is a word that this service gave out or looks up, like a cursor.
	Opaque = Rule{Most: 4096}

	id = Rule{Least: 1, Most: 64, Form: directory.IsID, Says: "An id is expected: up to 64 letters, digits, _, . and -, beginning with a letter or digit."}
)

// fault is why the text does not obey the rule, empty when it does.
func (r Rule) fault(text string) string {
	switch n := utf8.RuneCountInString(text); {
	case n <= r.Most && n >= r.Least && clean(text, r.Lines) && (r.Form == nil || r.Form(text)):
		return ""
	case r.Says != "":
		return r.Says
	case n > r.Most:
		return fmt.Sprintf("Text of at most %d characters is expected.", r.Most)
	case !clean(text, r.Lines):
		return "Control characters are not allowed."
	default:
		return "Text that is not blank is expected."
	}
}

// clean tells that a text has no characters that could pass for others or
// break out of a line. U+FFFD stands for what could not be decoded.
func clean(text string, lines bool) bool {
	return !strings.ContainsFunc(text, func(c rune) bool {
		switch {
		case lines && c == '\n':
			return false
		case c == '\u2028', c == '\u2029', c == utf8.RuneError:
			return true
		default:
			return unicode.Is(unicode.Bidi_Control, c) || unicode.IsControl(c)
		}
	})
}

// hasInk tells that a text is not only space.
func hasInk(text string) bool { return strings.TrimSpace(text) != "" }

// isUsername tells whether the user pool takes the text: letters, marks,
// symbols, numbers and punctuation.
func isUsername(text string) bool {
	return !strings.ContainsFunc(text, func(c rune) bool {
		return !unicode.In(c, unicode.L, unicode.M, unicode.S, unicode.N, unicode.P)
	})
}

// isEmail tells whether the text is one plain address. It is stricter than
// RFC 5322: no comments, quotes or lists, which could smuggle a second
// recipient into a header (T5).
func isEmail(text string) bool {
	local, domain, _ := strings.Cut(text, "@")
	if local == "" || len(local) > 64 || strings.ContainsAny(text, " ,;:<>()[]\\\"") {
		return false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || strings.Contains(label, "@") || strings.Trim(label, "-") != label {
			return false
		}
	}
	return true
}
