package main

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"

	"gemba/shared/importer"
)

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
