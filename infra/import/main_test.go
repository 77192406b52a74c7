package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/text/encoding/unicode"

	"gemba/shared/importer"
)

// service is an API that keeps what it was asked; answer may say otherwise.
type service struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []asked
	answer func(n int, a asked) (status int, body any)
}

type asked struct {
	world map[string]json.RawMessage
	key   string
	query string
	raw   string
}

// ids are those of a kind in the call.
func (a asked) ids(t *testing.T, kind importer.Kind) (ids []string) {
	t.Helper()
	var list []struct{ ID string }
	if part, ok := a.world[kind.Member()]; ok && kind != importer.Organization {
		if err := json.Unmarshal(part, &list); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range list {
		ids = append(ids, e.ID)
	}
	return ids
}

func serve(t *testing.T) *service {
	t.Helper()
	s := &service{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/me", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"subject": {"id": "root", "name": "Ruth Root"}, "organization": {"id": "riverside", "name": "Riverside"}}`)
	})
	mux.HandleFunc("POST /v1/import", func(w http.ResponseWriter, r *http.Request) {
		var raw bytes.Buffer
		_, _ = raw.ReadFrom(r.Body)
		a := asked{key: r.Header.Get("Idempotency-Key"), query: r.URL.RawQuery, raw: raw.String()}
		if err := json.Unmarshal(raw.Bytes(), &a.world); err != nil {
			t.Error(err)
		}
		s.mu.Lock()
		n := len(s.calls)
		s.calls = append(s.calls, a)
		s.mu.Unlock()
		status, body := http.StatusOK, any(all(a, created))
		if s.answer != nil {
			status, body = s.answer(n, a)
		}
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// all is an answer in which everything became the same.
func all(a asked, outcome string) map[string][]result {
	out := map[string][]result{"results": {}}
	for k := range importer.KindCount {
		var list []struct{ ID string }
		if k == importer.Organization && a.world[k.Member()] != nil {
			list = make([]struct{ ID string }, 1)
		}
		_ = json.Unmarshal(a.world[k.Member()], &list)
		for i, e := range list {
			out["results"] = append(out["results"], result{Pointer: importer.Place{Kind: k, Index: i}.Pointer(), ID: e.ID, Result: outcome})
		}
	}
	return out
}

// output is what a run of the command told.
type output struct {
	status         int
	stdout, stderr string
}

// command runs the command on a file of this content; its state is kept in
// the folder.
func (s *service) command(t *testing.T, folder, name string, content []byte, flags ...string) output {
	t.Helper()
	file := filepath.Join(folder, name)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	args := append([]string{"-url", s.URL, "-wait", "30ms", "-state", filepath.Join(folder, "state")}, flags...)
	env := func(name string) string { return map[string]string{"TOKEN": "secret"}[name] }
	status := run(t.Context(), append(args, file), env, &stdout, &stderr)
	return output{status, stdout.String(), stderr.String()}
}

func (o output) is(t *testing.T, status int, says ...string) {
	t.Helper()
	if o.status != status {
		t.Errorf("exit status %d instead of %d:\n%s%s", o.status, status, o.stdout, o.stderr)
	}
	for _, words := range says {
		if !strings.Contains(o.stdout+o.stderr, words) {
			t.Errorf("%q is not said:\n%s%s", words, o.stdout, o.stderr)
		}
	}
	if strings.Contains(o.stdout+o.stderr, "secret") {
		t.Errorf("T5 the token is told:\n%s%s", o.stdout, o.stderr)
	}
}

const people = "Name,Username,E-mail,Type,Locations,Persona,Roles\r\n" +
	"\"Müller, \"\"Änne\"\"\",anne,anne@x.example,General,icu|ward,CI Coach,\"staff;unit-lead\"\r\n" +
	"\"Bob Two\",bob,,general,icu,,\r\n"

// wanted is what people says, as the API is to be told it.
const wanted = `[{"id":"anne","name":"Müller, \"Änne\"","email":"anne@x.example","username":"anne","type":"general","locations":["icu","ward"],"persona":"ci_coach","roles":[{"role":"staff"},{"role":"unit-lead"}]},` +
	`{"id":"bob","name":"Bob Two","username":"bob","type":"general","locations":["icu"]}]`

func encoded(t *testing.T, e unicode.Endianness, text string) []byte {
	t.Helper()
	out, err := unicode.UTF16(e, unicode.UseBOM).NewEncoder().Bytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The same people, as spreadsheets export them.
func TestSpreadsheets(t *testing.T) {
	with := func(delimiter string) string {
		return "Name" + delimiter + "Username" + delimiter + "E-mail" + delimiter + "Type" + delimiter + "Locations" + delimiter + "Persona" + delimiter + "Roles\r\n" +
			`"Müller, ""Änne"""` + delimiter + "anne" + delimiter + "anne@x.example" + delimiter + "general" + delimiter + `"icu;ward"` + delimiter + "CI Expert" + delimiter + "staff unit-lead\r\n" +
			"Bob Two" + delimiter + "bob" + delimiter + delimiter + "general" + delimiter + "icu" + delimiter + delimiter + "\r\n"
	}
	windows := []byte(strings.NewReplacer("ü", "\xFC", "Ä", "\xC4").Replace(with(";")))
	for name, content := range map[string][]byte{
		"commas":                       []byte(people),
		"a byte order mark":            []byte("\uFEFF" + people),
		"semicolons":                   []byte(with(";")),
		"tabs":                         []byte(with("\t")),
		"Excel's own line":             []byte("sep=;\r\n" + with(";")),
		"UTF-16, little end first":     encoded(t, unicode.LittleEndian, with("\t")),
		"UTF-16, big end first":        encoded(t, unicode.BigEndian, people),
		"Windows-1252":                 windows,
		"line ends of Unix":            []byte(strings.ReplaceAll(people, "\r\n", "\n")),
		"no line end at the end":       []byte(strings.TrimSuffix(people, "\r\n")),
		"empty lines":                  []byte(strings.ReplaceAll(people, "\r\n", "\r\n,,,,,,\r\n\r\n")),
		"other columns and orders":     []byte("Persona,Dept,USER_NAME,full name,mail,user-type,location,system role\nCI Coach,Surgery,anne,\"Müller, \"\"Änne\"\"\",anne@x.example,general,icu ward,\"staff,unit-lead\"\n,,bob,Bob Two,,general,icu,\n"),
		"an id that is not the name's": []byte("id,name,username,email,type,locations,persona,roles\nanne,\"Müller, \"\"Änne\"\"\",anne,anne@x.example,general,icu ward,ci_coach,staff|unit-lead\nbob,Bob Two,bob,,general,icu\n"),
		"a name on two lines":          []byte("name,username,email,type,locations,persona,roles\n\"Müller, \"\"Änne\"\"\",anne,anne@x.example,general,\"icu\nward\",Ci coach,\"staff\n\nunit-lead\"\nBob Two,bob,,general,icu\n"),
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			s.command(t, t.TempDir(), "people.csv", content).is(t, 0, "users                  2         0         0         0")
			if len(s.calls) != 1 || string(s.calls[0].world["users"]) != wanted {
				t.Errorf("sent: %v", s.calls)
			}
		})
	}
}

// Nothing is sent of a file of which no line is sure.
func TestUnreadableFiles(t *testing.T) {
	for name, c := range map[string]struct{ content, says string }{
		"an open quote":         {"name,username,type,locations\nx,x,general,icu\n\"x,y,general,icu\n", "line 3, character"},
		"a quote inside":        {"sep=,\nname,username,type,locations\nx\"x,y,general,icu\n", "line 3, character"},
		"no columns":            {"one,two\n1,2\n", "names no columns of people"},
		"nothing":               {"", "names no columns of people"},
		"no column username":    {"name,type,locations\nx,general,icu\n", "no column username"},
		"no column type":        {"name,username,locations\nx,y,icu\n", "-type general"},
		"a column twice":        {"name,username,type,location,locations\nx,y,general,icu,icu\n", "column locations is there more than once"},
		"a world cut short":     {`{"users": [`, "this is not JSON"},
		"a world and more":      {`{"users": []} x`, "something follows its end"},
		"a member unknown":      {`{"people": []}`, "/people"},
		"a member twice":        {`{"users": [], "users": []}`, "/users: this member is there more than once"},
		"a list that is none":   {`{"users": {}}`, "/users: a list is expected"},
		"a list in place of it": {`[]`, "names no columns of people"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			s.command(t, t.TempDir(), "file", []byte(c.content)).is(t, 2, c.says)
			if len(s.calls) > 0 {
				t.Errorf("sent: %v", s.calls)
			}
		})
	}
}

// A line that is at fault stops no other, and is told by its place.
func TestLinesAtFault(t *testing.T) {
	content := "id,name,username,type,locations,email,persona\n" +
		"good,Good,good,general,icu,,\n" +
		",\"No\nid\",no id,general,icu,,\n" +
		"bad id,Bad,bad,general,icu,,\n" +
		"many,Many,many,clown,,nowhere,hero\n" +
		"good,Again,again,general,icu,,\n" +
		"wide,Wide,wide,general,icu,,,more\n" +
		"last,Last,last,general,icu,,\n"
	s := serve(t)
	out := s.command(t, t.TempDir(), "people.csv", []byte(content))
	out.is(t, 1, "users                  2         0         0         5",
		"line 3, id: user: Without an id the username is one", "line 5, id: user bad id: ", "line 6, type: user many: ", "line 6, locations: user many: ",
		"line 6, email: user many: ", "line 6, persona: user many: ", "line 7, id: user good: This user is there already, at line 2.", "line 8: user wide: ")
	if got := s.calls[0].ids(t, importer.User); !slices.Equal(got, []string{"good", "last"}) {
		t.Errorf("sent: %v", got)
	}
}

func TestWorldsAtFault(t *testing.T) {
	content := `{"locations": [{"id": "a", "name": ""}, {"id": "b", "name": "B"}, 7],
		"users": [{"id": "u", "name": "U", "username": "u", "type": "general", "locations": ["b"], "password": "Hunter2-Hunter2"}, {"name": "nobody"}]}`
	s := serve(t)
	out := s.command(t, t.TempDir(), "world.json", []byte(content))
	out.is(t, 1, "locations              1", "/locations/0/name: location a: ", "/locations/2: location: An object is expected.", "/users/1/id: user: ", "Passwords stay here")
	if strings.Contains(s.calls[0].raw, "Hunter2") {
		t.Error("T5 a password was sent")
	}
}

func TestUsage(t *testing.T) {
	s := serve(t)
	for name, args := range map[string][]string{
		"no file": {}, "two files": {"a", "b"}, "an unknown flag": {"-x", "a"}, "no such file": {"/nowhere/at/all"},
		"a limit over 500": {"-limit", "501", "a"}, "no such token file": {"-token-file", "/nowhere", "a"},
	} {
		var out, err bytes.Buffer
		if status := run(t.Context(), args, func(string) string { return "secret" }, &out, &err); status != 2 || err.Len() == 0 {
			t.Errorf("%s: exit status %d, %s", name, status, err.String())
		}
	}
	var out, err bytes.Buffer
	if status := run(t.Context(), []string{"a"}, func(string) string { return "" }, &out, &err); status != 2 || !strings.Contains(err.String(), "TOKEN") {
		t.Errorf("no token: exit status %d, %s", status, err.String())
	}
	folder := t.TempDir()
	file, token := filepath.Join(folder, "people.csv"), filepath.Join(folder, "token")
	for name, content := range map[string]string{file: people, token: "secret\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := func(name string) string { return map[string]string{"GEMBA_URL": s.URL}[name] }
	if status := run(t.Context(), []string{"-token-file", token, "-dry-run", file}, env, &out, &err); status != 0 {
		t.Errorf("a token file: exit status %d, %s", status, err.String())
	}
	if status := run(t.Context(), []string{"-url", s.URL, file}, func(string) string { return "another" }, &out, &err); status != 2 || !strings.Contains(err.String(), "the token is not valid") {
		t.Errorf("a bad token: exit status %d, %s", status, err.String())
	}
}

// crowd is a list of so many people.
func crowd(n int) []byte {
	var b bytes.Buffer
	b.WriteString("name,username,type,locations\n")
	for i := range n {
		fmt.Fprintf(&b, "Person %d,p%d,general,icu\n", i, i)
	}
	return b.Bytes()
}

func TestCallsAreBounded(t *testing.T) {
	s := serve(t)
	s.command(t, t.TempDir(), "people.csv", crowd(1201)).is(t, 0, "users               1201", "500 of 1201\n1000 of 1201\n1201 of 1201")
	keys := map[string]bool{}
	for _, c := range s.calls {
		keys[c.key] = true
	}
	if len(s.calls) != 3 || len(keys) != 3 || keys[""] {
		t.Errorf("%d calls, keys %v", len(s.calls), keys)
	}
	large := `{"roles": [`
	for i := range 30 {
		large += fmt.Sprintf(`{"id": "r%d", "name": "R%d", "description": "%s", "boardAccess": [%s]},`, i, i, strings.Repeat("x", 2000), manyIDs(900))
	}
	s = serve(t)
	s.command(t, t.TempDir(), "world.json", []byte(strings.TrimSuffix(large, ",")+"]}")).is(t, 0, "roles                 30")
	for _, c := range s.calls {
		if len(c.raw) > 1<<20 {
			t.Errorf("a call of %d bytes", len(c.raw))
		}
	}
	if len(s.calls) < 2 {
		t.Error("no second call")
	}
}

func manyIDs(n int) string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%q", fmt.Sprintf("board-%04d-%s", i, strings.Repeat("x", 50)))
	}
	return strings.Join(ids, ",")
}

// tree is a world in an order in which everything comes before what it names.
const tree = `{"users": [{"id": "u", "name": "U", "username": "u", "type": "general", "locations": ["leaf"], "roles": [{"role": "r1"}]}],
	"items": [{"id": "i", "template": "t", "status": "new", "locations": ["leaf"], "team": {"author": ["u"]}}],
	"roles": [{"id": "r1", "name": "R1", "admin": {"localUserAdministrator": {"scope": "only_location", "grantableRoles": ["r2"]}}},
		{"id": "r2", "name": "R2", "grants": [{"templates": ["t"], "permissions": {"participate": true}}], "admin": {"localUserAdministrator": {"scope": "only_location", "grantableRoles": ["r1"]}}}],
	"templates": [{"id": "t", "name": "T", "workflow": "w", "teamType": "simple"}],
	"workflows": [{"id": "w", "name": "W"}],
	"locations": [{"id": "leaf", "name": "Leaf", "parent": "twig"}, {"id": "twig", "name": "Twig", "parent": "root"}, {"id": "root", "name": "Root"}],
	"organization": {"id": "o", "name": "O", "settings": {"impersonation": {"observers": ["u"]}}}}`

// Each call names only what an earlier one or it itself makes.
func TestOrderOfCalls(t *testing.T) {
	s := serve(t)
	s.command(t, t.TempDir(), "world.json", []byte(tree), "-limit", "2").is(t, 0)
	there := map[string]int{}
	for n, c := range s.calls {
		for k := range importer.KindCount {
			for _, id := range c.ids(t, k) {
				there[id] = n + 1
			}
		}
		if c.world["organization"] != nil {
			there["o"] = n + 1
		}
	}
	for _, pair := range [][2]string{{"root", "twig"}, {"twig", "leaf"}, {"w", "t"}, {"t", "r2"}, {"r1", "u"}, {"leaf", "u"}, {"u", "i"}, {"t", "i"}, {"u", "o"}} {
		if there[pair[0]] == 0 || there[pair[0]] > there[pair[1]] {
			t.Errorf("%s is in call %d, %s that names it in call %d", pair[0], there[pair[0]], pair[1], there[pair[1]])
		}
	}
	if there["r1"] != there["r2"] {
		t.Error("roles that name each other are in two calls")
	}
}

// A dry run makes nothing, so each of its calls has all that it names.
func TestDryRun(t *testing.T) {
	s, folder := serve(t), t.TempDir()
	content := `{"locations": [{"id": "root", "name": "Root"}, {"id": "icu", "name": "ICU", "parent": "root"}], "users": [`
	for i := range 10 {
		content += fmt.Sprintf(`{"id": "u%d", "name": "U", "username": "u%d", "type": "general", "locations": ["icu"]},`, i, i)
	}
	content = strings.TrimSuffix(content, ",") + "]}"
	s.command(t, folder, "world.json", []byte(content), "-limit", "5", "-dry-run").is(t, 0, "Nothing was changed", "locations              2", "users                 10")
	for n, c := range s.calls {
		if c.query != "dryRun=true" || c.key != "" {
			t.Errorf("call %d: query %q, key %q", n, c.query, c.key)
		}
		if got := c.ids(t, importer.Location); len(c.ids(t, importer.User)) > 0 && !slices.Equal(got, []string{"root", "icu"}) {
			t.Errorf("call %d names locations that it has not: %v", n, got)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "state")); err == nil {
		t.Error("a dry run keeps a state")
	}
}

// Refusals of the API are told by the file's own places.
func TestRefusals(t *testing.T) {
	s := serve(t)
	s.answer = func(_ int, a asked) (int, any) {
		answer := all(a, unchanged)
		answer["results"][1] = result{Pointer: "/users/1", ID: "bob", Problem: &failure{Type: "urn:problem:invalid_user", Status: 422,
			Errors: []struct{ Pointer, Detail string }{{"/users/1/locations/0", "There is no location icu."}}}}
		answer["results"][0] = result{Pointer: "/users/0", ID: "anne", Problem: &failure{Type: "urn:problem:denied", Status: 403, Detail: "This needs a right."}}
		return 200, answer
	}
	out := s.command(t, t.TempDir(), "people.csv", []byte(people))
	out.is(t, 1, "users                  0         0         0         2", "line 3, locations: user bob: There is no location icu. (invalid_user)", "line 2: user anne: This needs a right. (denied)")
}

// A call that is hindered is made again with its key, as it is told.
func TestHindrances(t *testing.T) {
	s := serve(t)
	s.answer = func(n int, a asked) (int, any) {
		if n < 3 {
			return []int{503, 429, 502}[n], failure{Type: "urn:problem:unavailable"}
		}
		return 200, all(a, created)
	}
	s.command(t, t.TempDir(), "people.csv", []byte(people)).is(t, 0)
	for _, c := range s.calls {
		if c.key != s.calls[0].key || c.raw != s.calls[0].raw {
			t.Error("a repeated call is another call")
		}
	}
	if len(s.calls) != 4 {
		t.Errorf("%d calls", len(s.calls))
	}
}

// What a call did not get to is sent again, alone.
func TestUnreachedEntries(t *testing.T) {
	s := serve(t)
	s.answer = func(n int, a asked) (int, any) {
		answer := all(a, created)
		for i := range answer["results"] {
			if i >= 4 {
				answer["results"][i] = result{Pointer: answer["results"][i].Pointer, Problem: &failure{Type: "urn:problem:unavailable", Status: 503}}
			}
		}
		return 200, answer
	}
	s.command(t, t.TempDir(), "people.csv", crowd(10)).is(t, 0, "users                 10         0         0         0")
	var sizes []int
	for _, c := range s.calls {
		sizes = append(sizes, len(c.ids(t, importer.User)))
	}
	if !slices.Equal(sizes, []int{10, 6, 2}) {
		t.Errorf("sent: %v", sizes)
	}
	s = serve(t)
	s.answer = func(_ int, a asked) (int, any) {
		answer := all(a, created)
		answer["results"][0] = result{Pointer: "/users/0", Problem: &failure{Type: "urn:problem:unavailable", Status: 503}}
		return 200, answer
	}
	s.command(t, t.TempDir(), "people.csv", []byte(people)).is(t, 1, "users                  1         0         0         0", "Stopped after 1 of 2 entries: 1 of the entries are not reached")
}

// An import that was cut goes on where it stopped, and says the whole.
func TestGoesOnAfterACut(t *testing.T) {
	s, folder := serve(t), t.TempDir()
	broken := true
	s.answer = func(n int, a asked) (int, any) {
		if n >= 2 && broken {
			return 401, failure{Type: "urn:problem:sign_in_disabled"}
		}
		return 200, all(a, created)
	}
	s.command(t, folder, "people.csv", crowd(25), "-limit", "10").is(t, 1, "users                 20", "Stopped after 20 of 25", "run this again with a new one")
	broken = false
	// A line that was cut while it was written counts for nothing.
	state := filepath.Join(folder, "state")
	kept, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(state, append(kept, `{"call": "x`...), 0o600); err != nil {
		t.Fatal(err)
	}
	s.command(t, folder, "people.csv", crowd(25), "-limit", "10").is(t, 0, "users                 25")
	if len(s.calls) != 4 || s.calls[2].raw != s.calls[3].raw || s.calls[2].key != s.calls[3].key {
		t.Errorf("%d calls; the one that was cut is not the one that was made again", len(s.calls))
	}
	if _, err := os.Stat(state); err == nil {
		t.Error("a finished import leaves its state")
	}
	// Finished, it is an import like any: made again, with keys of its own.
	s.command(t, folder, "people.csv", crowd(25), "-limit", "10").is(t, 0, "users                 25")
	if len(s.calls) != 7 || s.calls[6].key == s.calls[3].key {
		t.Errorf("%d calls; a new import takes the keys of an old one", len(s.calls))
	}
	if err := os.WriteFile(state, kept, 0o600); err != nil {
		t.Fatal(err)
	}
	s.command(t, folder, "people.csv", crowd(26), "-limit", "10").is(t, 2, "is of another import")
	s.command(t, folder, "people.csv", crowd(26), "-limit", "10", "-restart").is(t, 0, "users                 26")
}

func TestInterrupted(t *testing.T) {
	s, folder := serve(t), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	s.answer = func(n int, a asked) (int, any) {
		if n == 1 {
			cancel()
		}
		return 200, all(a, created)
	}
	file := filepath.Join(folder, "people.csv")
	if err := os.WriteFile(file, crowd(30), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	env := func(name string) string { return map[string]string{"TOKEN": "secret"}[name] }
	status := run(ctx, []string{"-url", s.URL, "-limit", "10", "-state", filepath.Join(folder, "state"), file}, env, &stdout, &stderr)
	output{status, stdout.String(), stderr.String()}.is(t, 1, "interrupted")
}

// An answer that is not about what was sent is taken for none.
func TestAnswersThatAreNone(t *testing.T) {
	for name, answer := range map[string]any{
		"too few":       map[string][]result{"results": {{Pointer: "/users/0", Result: created}}},
		"others":        map[string][]result{"results": {{Pointer: "/users/0", Result: created}, {Pointer: "/users/7", Result: created}}},
		"something":     "something",
		"nothing of it": map[string]any{},
	} {
		s := serve(t)
		s.answer = func(int, asked) (int, any) { return 200, answer }
		out := s.command(t, t.TempDir(), "people.csv", []byte(people))
		if out.status != 1 || !strings.Contains(out.stderr, "Stopped after") {
			t.Errorf("%s: exit status %d, %s", name, out.status, out.stderr)
		}
	}
}
