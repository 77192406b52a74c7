package endpoints_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gemba/functions/permission/endpoints"
	"gemba/shared/dynamotest/fixture"
)

var update = flag.Bool("update", false, "write the golden answers anew")

// TestGolden answers recorded events of API Gateway.
func TestGolden(t *testing.T) {
	_, place := fixture.World(t)
	function := endpoints.New(place.Deps(t, nil), place.Open())
	events, err := filepath.Glob("testdata/*.event.json")
	if err != nil || len(events) == 0 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	for _, name := range events {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".event.json"), func(t *testing.T) {
			got := readable(t, invoke(t, function, read(t, name)))
			golden := strings.Replace(name, ".event.json", ".answer.json", 1)
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(read(t, golden)), string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// readable is an answer with its body as a document, for people to judge.
func readable(t *testing.T, answer []byte) []byte {
	t.Helper()
	var a map[string]any
	if err := json.Unmarshal(answer, &a); err != nil {
		t.Fatal(err)
	}
	var document any
	if err := json.Unmarshal([]byte(a["body"].(string)), &document); err != nil {
		t.Fatal(err)
	}
	a["body"] = document
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(a); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func invoke(t testing.TB, h fixture.Handler, event []byte) []byte {
	t.Helper()
	answer, err := h.Invoke(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
