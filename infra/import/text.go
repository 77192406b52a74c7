package main

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// decoded is a file's text as UTF-8 without a byte order mark, with the name
// of the encoding that was taken for it. A mark decides; without one it is
// UTF-8 if it can be, else what spreadsheets write on Windows.
func decoded(data []byte) (text []byte, name string, err error) {
	name = "UTF-8"
	fallback := encoding.Nop.NewDecoder()
	switch {
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}), bytes.HasPrefix(data, []byte{0xFE, 0xFF}):
		name = "UTF-16"
	case !utf8.Valid(data):
		name, fallback = "Windows-1252", charmap.Windows1252.NewDecoder()
	}
	text, _, err = transform.Bytes(unicode.BOMOverride(fallback), data)
	return text, name, err
}
