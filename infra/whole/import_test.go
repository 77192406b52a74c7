package whole

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/unicode"
)

// annex is what an organization gets more of, in an order in which everything
// comes before what it names.
func annex(o *organization) object {
	return object{
		"items":     list{object{"id": "cafe-idea", "template": "kata-card", "locations": list{"cafe"}, "status": "new", "team": object{"author": list{"zoe"}}}},
		"users":     list{object{"id": "zoe", "name": "Zoe", "username": o.username("zoe"), "type": "general", "locations": list{"cafe"}, "persona": "leader", "roles": list{object{"role": "host"}, object{"role": "frontline", "locations": list{"cafe"}}}}},
		"roles":     list{object{"id": "host", "name": "Host", "grants": list{object{"templates": list{"kata-card"}, "permissions": object{"participate": true, "view_new": "only_location"}}}}},
		"templates": list{object{"id": "kata-card", "name": "Kata card", "workflow": "kata", "teamType": "standard"}},
		"workflows": list{object{"id": "kata", "name": "Kata"}},
		"locations": list{object{"id": "cafe", "name": "Café", "parent": "annex"}, object{"id": "annex", "name": "Annex", "parent": "clinic"}},
	}
}

// outcomes holds an import to what became of its entries, by their pointers; a
// problem by its code.
func (r reply) outcomes(t *testing.T, want map[string]string) reply {
	t.Helper()
	r.is(t, 200).members(t, "results", "summary")
	results, _ := r.body["results"].(list)
	if len(results) != len(want) {
		t.Errorf("%s: %d results instead of %d: %s", r.call, len(results), len(want), r.raw)
	}
	for i := range results {
		pointer, got := text(r.at("results", i, "pointer")), text(r.at("results", i, "result"))
		if got == "" {
			got = strings.TrimPrefix(text(r.at("results", i, "problem", "type")), "urn:problem:")
		}
		if want[pointer] != got {
			t.Errorf("%s: %s is %s instead of %s: %s", r.call, pointer, got, want[pointer], stringOf(results[i]))
		}
	}
	return r
}

func TestImportingAWorld(t *testing.T) {
	o := found(t, nil)
	ada, world := o.as(t, "ada"), annex(o)
	all := func(outcome string) map[string]string {
		want := map[string]string{}
		for _, pointer := range []string{"/locations/0", "/locations/1", "/workflows/0", "/templates/0", "/roles/0", "/users/0", "/items/0"} {
			want[pointer] = outcome
		}
		return want
	}
	ada.post(t, "/v1/import?dryRun=true", world).outcomes(t, all("created"))
	ada.get(t, "/v1/users/zoe").problem(t, 404, "not_found")
	first := ada.post(t, "/v1/import", world, "Idempotency-Key", "annex").outcomes(t, all("created"))
	ada.post(t, "/v1/import", world).outcomes(t, all("unchanged"))
	if again := ada.post(t, "/v1/import", world, "Idempotency-Key", "annex"); string(again.raw) != string(first.raw) {
		t.Errorf("T3 a repeated import is answered by %s", again.raw)
	}
	if n := len(o.entries(t, first)); n != 7+1+2 {
		t.Errorf("T1 the timeline has %d entries of the import: one of each, and of the persona and the roles", n)
	}
	decided := ada.post(t, "/access/v1/evaluation", object{"subject": object{"type": "user", "id": "zoe"}, "action": object{"name": "view"}, "resource": object{"type": "item", "id": "cafe-idea"}})
	decided.is(t, 200).has(t, object{"decision": true})

	world["locations"] = list{object{"id": "annex", "name": "Annex", "parent": "cafe"}, object{"id": "cafe", "name": "Café", "parent": "annex"}}
	world["users"].(list)[0].(object)["roles"] = list{object{"role": "nobody"}}
	want := all("unchanged")
	want["/locations/0"], want["/locations/1"], want["/users/0"] = "invalid_location", "invalid_location", "invalid_user"
	ada.post(t, "/v1/import", world).outcomes(t, want)
	o.as(t, "rita").post(t, "/v1/import", world).problem(t, 403, "denied")
	ada.post(t, "/v1/import", object{"users": list{object{"id": "x", "name": "X", "username": "x", "type": "general", "locations": list{"clinic"}, "password": password}}}).
		problem(t, 400, "malformed", "/users/0/password")
	// A body of megabytes is taken: what it is made of is what counts.
	large := stringOf(object{"workflows": list{object{"id": "kata", "name": "Kata"}}})
	ada.post(t, "/v1/import", large+strings.Repeat(" ", 5<<20-len(large))).outcomes(t, map[string]string{"/workflows/0": "unchanged"})
	ada.post(t, "/v1/import", strings.Repeat(" ", 5<<20)+large).problem(t, 400, "body_too_large")
}

// importCommand is the command, built once.
func importCommand(t *testing.T) string {
	t.Helper()
	built := filepath.Join(t.TempDir(), "import")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", built, "./infra/import")
	build.Dir = repository
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return built
}

// spreadsheet is so many people as Excel saves them for other programs.
func spreadsheet(t *testing.T, o *organization, n int) []byte {
	t.Helper()
	var b strings.Builder
	b.WriteString("Name\tUser name\tID\tType\tLocations\tPersona\tRoles\tRoom\r\n")
	for i := range n {
		fmt.Fprintf(&b, "\"Worker, \"\"No. %d\"\"\"\t%s\tworker-%d\tGeneral\t%s\tFrontline\tfrontline\t7\r\n", i, o.username(fmt.Sprint("worker-", i)), i, []string{"east-1", "east-2", "west-1"}[i%3])
	}
	encoded, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(b.String())
	if err != nil {
		t.Fatal(err)
	}
	return []byte(encoded)
}

// A spreadsheet of people through the command, cut by Ctrl-C and gone on with.
func TestImportingASpreadsheet(t *testing.T) {
	o := found(t, nil)
	ada, built, folder := o.as(t, "ada"), importCommand(t), t.TempDir()
	people := filepath.Join(folder, "people.txt")
	if err := os.WriteFile(people, append(spreadsheet(t, o, 120), []byte("")...), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(cut bool, flags ...string) (*exec.Cmd, *lines, *lines) {
		t.Helper()
		var stdout, stderr lines
		c := exec.CommandContext(t.Context(), built, append(flags, "-url", ada.url, "-state", filepath.Join(folder, "state"), people)...)
		c.Env = append(os.Environ(), "TOKEN="+ada.token)
		c.Stdout, c.Stderr = &stdout, &stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if cut {
			eventually(t, "the first call's end", func() bool { return strings.Contains(stderr.String(), "10 of 120") })
			_ = c.Process.Signal(os.Interrupt)
		}
		_ = c.Wait() // the exit status tells
		return c, &stdout, &stderr
	}
	c, stdout, stderr := run(false, "-dry-run")
	if c.ProcessState.ExitCode() != 0 || !strings.Contains(stdout.String(), "users                120         0         0         0") {
		t.Errorf("dry: %v\n%s%s", c.ProcessState, stdout, stderr)
	}
	ada.get(t, "/v1/users/worker-0").problem(t, 404, "not_found")
	c, stdout, stderr = run(true, "-limit", "10")
	if c.ProcessState.ExitCode() != 1 || !strings.Contains(stderr.String(), "interrupted: run this again, it goes on where it stopped") {
		t.Errorf("cut: %v\n%s%s", c.ProcessState, stdout, stderr)
	}
	start := time.Now()
	c, stdout, stderr = run(false, "-limit", "10")
	if c.ProcessState.ExitCode() != 0 || !strings.Contains(stdout.String(), "users                120         0         0         0") || !strings.Contains(stderr.String(), "Not read: Room.") {
		t.Errorf("gone on with: %v\n%s%s", c.ProcessState, stdout, stderr)
	}
	t.Logf("the rest of 120 people took %v", time.Since(start))
	ada.get(t, "/v1/users/worker-119").is(t, 200).has(t, object{"name": `Worker, "No. 119"`, "persona": "frontline", "locations": list{"west-1"}, "version": 1, "signIn": "none"})
	if c, stdout, stderr = run(false); c.ProcessState.ExitCode() != 0 || !strings.Contains(stdout.String(), "users                  0         0       120         0") {
		t.Errorf("again: %v\n%s%s", c.ProcessState, stdout, stderr)
	}
}
