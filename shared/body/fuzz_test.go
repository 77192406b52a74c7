package body_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/body"
	"gemba/shared/fault"
)

// FuzzRead: no input makes a reader panic; what is accepted is JSON; what is
// refused says why; and an accepted role is written as a body that reads as
// the same role.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"name":"x","grants":[{"workflows":["a"],"permissions":{"view":"everywhere","participate":true}}]}`,
		`{"name":"x","admin":{"globalUserAdministrator":{"grantableRoles":["a"]}}}`,
		`{"name":"x","version":18446744073709551615}`, `{"name":"\ud800"}`, `{"a":{"a":1,"a":2}}`, `[`, `{"":1}`, "\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := body.Read(data, body.ReadRole)
		if err != nil {
			for _, p := range fault.Of(err).Problems {
				if p.Detail == "" || !utf8.ValidString(p.Pointer) || strings.ContainsAny(p.Pointer, "\n\r") {
					t.Errorf("problem %q", p)
				}
			}
			return
		}
		if !json.Valid(data) {
			t.Fatalf("accepted %q", data)
		}
		written, err := json.Marshal(body.Role(r))
		if err != nil {
			t.Fatal(err)
		}
		if r.ID == "" { // a new role has no id yet; what is written always has one
			r.ID = "new"
			written, _ = json.Marshal(body.Role(r))
		}
		again, err := body.Read(written, body.ReadRole)
		if err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		first, _ := json.Marshal(body.Role(r))
		second, _ := json.Marshal(body.Role(again))
		if diff := cmp.Diff(string(first), string(second)); diff != "" {
			t.Errorf("read again differs: %s", diff)
		}
	})
}
