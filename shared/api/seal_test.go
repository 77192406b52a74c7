package api_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"gemba/shared/api"
	"gemba/shared/directory"
)

// TestT4ATokenIsReadByTheServiceAlone: it tells its holder nothing, and is none
// to anybody else, for another query, in another organization, or changed.
func TestT4ATokenIsReadByTheServiceAlone(t *testing.T) {
	o := directory.Organization{ID: "riverside", Seal: []byte("seal")}
	nurse, doctor := &api.Request{Claims: map[string]string{"sub": "nurse"}}, &api.Request{Claims: map[string]string{"sub": "doctor"}}
	place := directory.Page{Limit: 7, After: "an-item-that-is-hidden"}
	token := nurse.Token(o, place, "query")
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || bytes.Contains(raw, []byte("hidden")) || bytes.Contains(raw, []byte("item")) {
		t.Errorf("it can be read: %q, %v", raw, err)
	}
	if got, ok := nurse.Opened(o, token, "query"); !ok || got != place {
		t.Errorf("it leads to %+v, %v", got, ok)
	}
	if again := nurse.Token(o, place, "query"); again != token {
		t.Errorf("the same place has two tokens: %s and %s", token, again)
	}
	for name, open := range map[string]func() bool{
		"somebody else": func() bool { _, ok := doctor.Opened(o, token, "query"); return ok },
		"another query": func() bool { _, ok := nurse.Opened(o, token, "other"); return ok },
		"another organization": func() bool {
			_, ok := nurse.Opened(directory.Organization{ID: "other", Seal: o.Seal}, token, "query")
			return ok
		},
		"another seal":            func() bool { _, ok := nurse.Opened(directory.Organization{ID: o.ID}, token, "query"); return ok },
		"something else":          func() bool { _, ok := nurse.Opened(o, "c2hvcnQ", "query"); return ok },
		"what is not in its form": func() bool { _, ok := nurse.Opened(o, "~", "query"); return ok },
	} {
		if open() {
			t.Errorf("it opens for %s", name)
		}
	}
	for i := range raw {
		changed := bytes.Clone(raw)
		changed[i] ^= 1
		if _, ok := nurse.Opened(o, base64.RawURLEncoding.EncodeToString(changed), "query"); ok {
			t.Errorf("it opens with byte %d changed", i)
		}
	}
}
