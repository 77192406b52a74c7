package body_test

import (
	"testing"

	"gemba/shared/body"
)

// BenchmarkRead is a permission check's share of the reading (a warm check
// has 150 µs for all of its own work).
func BenchmarkRead(b *testing.B) {
	question := []byte(`{"id": "i1", "template": "idea", "locations": ["ward-1"], "status": "new", "private": true, "team": {"author": ["maria"], "follower": ["ann", "bob"]}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := body.Read(question, body.ReadItem); err != nil {
			b.Fatal(err)
		}
	}
}
