package endpoints_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"gemba/functions/role/endpoints"
	"gemba/shared/api"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/impersonation"
)

// metered is the function with what it logs, which tells the cost of each call.
func metered(b *testing.B) (*fixture.Place, *api.Function, *bytes.Buffer) {
	store, place := fixture.World(b)
	var log bytes.Buffer
	deps := place.Deps(b, impersonation.NewSessions(store, impersonation.DefaultIdle))
	deps.Log = slog.New(slog.NewJSONHandler(&log, nil))
	return place, endpoints.New(deps, store), &log
}

// cost makes a call and reports what the last one took of DynamoDB.
func cost(b *testing.B, place *fixture.Place, f *api.Function, log *bytes.Buffer, call fixture.Call) fixture.Answer {
	b.Helper()
	log.Reset()
	a := place.Do(b, f, call)
	if a.Status >= 300 {
		b.Fatalf("%d %s", a.Status, a.Body)
	}
	var line struct{ DynamodbRequests, DynamodbUnits float64 }
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		b.Fatalf("%v: %s", err, log)
	}
	b.ReportMetric(line.DynamodbRequests, "requests")
	b.ReportMetric(line.DynamodbUnits, "units")
	return a
}

// The units are DynamoDB Local's, which counts transactional writes double as
// the service does. Reads and writes are counted together.
func BenchmarkEditRole(b *testing.B) {
	place, f, log := metered(b)
	for i := 0; b.Loop(); i++ {
		cost(b, place, f, log, onOne(putRoute, "root", "coach", roleBody(map[string]any{"description": fmt.Sprint(i)}), "*"))
	}
}

func BenchmarkAssignAndRevoke(b *testing.B) {
	for _, c := range []struct{ name, route, back string }{{"assign", assignRoute, revokeRoute}, {"revoke", revokeRoute, assignRoute}} {
		b.Run(c.name, func(b *testing.B) {
			place, f, log := metered(b)
			if c.route == revokeRoute {
				place.Do(b, f, onRole(assignRoute, "root", "nurse", "coach", nil))
			}
			for b.Loop() {
				cost(b, place, f, log, onRole(c.route, "root", "nurse", "coach", nil))
				place.Do(b, f, onRole(c.back, "root", "nurse", "coach", nil))
			}
		})
	}
}

func BenchmarkDeleteRole(b *testing.B) {
	place, f, log := metered(b)
	for b.Loop() {
		place.Do(b, f, fixture.Call{Route: "POST /v1/roles", As: "root", Body: roleBody(map[string]any{"id": "brief"})})
		cost(b, place, f, log, onOne(deleteRoute, "root", "brief", nil, "*"))
	}
}

// BenchmarkChange500 gives 500 people a role, and takes it back.
func BenchmarkChange500(b *testing.B) {
	place, f, log := metered(b)
	var given, back []map[string]any
	for i := range 500 {
		id := fmt.Sprintf("temp-%03d", i)
		place.AddUser(b, directory.User{ID: id, Name: id, Username: id, Type: authz.General, Locations: []string{"icu"}})
		given, back = append(given, row(id, "unit-lead", nil)), append(back, row(id, "unit-lead", taken))
	}
	for i := 0; b.Loop(); i++ {
		call := changes("root", given...)
		call.Header = map[string]string{"idempotency-key": fmt.Sprint(i)}
		a := cost(b, place, f, log, call)
		b.StopTimer()
		if bytes.Count([]byte(a.Body), []byte(`"assigned"`)) != 500 {
			b.Fatal(a.Body)
		}
		place.Do(b, f, changes("root", back...))
		b.StartTimer()
	}
}
