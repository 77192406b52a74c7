package body_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"gemba/shared/body"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

// pointers are where the faults of a body are.
func pointers(err error) []string {
	var out []string
	if err != nil {
		for _, p := range fault.Of(err).Problems {
			out = append(out, p.Pointer)
		}
	}
	return out
}

// as hides the type that a form reads.
func as[T any](form func(*body.Object) T) func([]byte) error {
	return func(data []byte) error { _, err := body.Read(data, form); return err }
}

func TestReadNamesEveryFault(t *testing.T) {
	long := strings.Repeat("x", 101)
	for name, c := range map[string]struct {
		read func([]byte) error
		body string
		want []string
	}{
		"empty":                   {as(body.ReadRole), ``, []string{""}},
		"cut off":                 {as(body.ReadRole), `{"name": "x"`, []string{""}},
		"two values":              {as(body.ReadRole), `{"name": "x"} {}`, []string{""}},
		"comma at the end":        {as(body.ReadRole), `{"name": "x",}`, []string{""}},
		"not UTF-8":               {as(body.ReadRole), "{\"name\": \"\xff\"}", []string{""}},
		"too deep":                {as(body.ReadRole), strings.Repeat(`[`, 40) + strings.Repeat(`]`, 40), []string{""}},
		"a list":                  {as(body.ReadRole), `[]`, []string{""}},
		"null":                    {as(body.ReadRole), `null`, []string{""}},
		"unknown member":          {as(body.ReadRole), `{"name": "x", "nmae": 1, "a/b~c": 2}`, []string{"/nmae", "/a~1b~0c"}},
		"member twice":            {as(body.ReadRole), `{"name": "x", "name": "y"}`, []string{"/name"}},
		"member name with line":   {as(body.ReadRole), `{"name": "x", "a\nb": 1}`, []string{""}},
		"member name too long":    {as(body.ReadRole), `{"name": "x", "` + long + `": 1}`, []string{""}},
		"name absent":             {as(body.ReadRole), `{}`, []string{"/name"}},
		"name null":               {as(body.ReadRole), `{"name": null}`, []string{"/name"}},
		"name blank":              {as(body.ReadRole), `{"name": "  "}`, []string{"/name"}},
		"name too long":           {as(body.ReadRole), `{"name": "` + long + `"}`, []string{"/name"}},
		"name with control":       {as(body.ReadRole), `{"name": "a\u0007b"}`, []string{"/name"}},
		"name with line":          {as(body.ReadRole), `{"name": "a\nb"}`, []string{"/name"}},
		"name reordering":         {as(body.ReadRole), `{"name": "a\u202eb"}`, []string{"/name"}},
		"name half a surrogate":   {as(body.ReadRole), `{"name": "a\ud800b"}`, []string{"/name"}},
		"description with lines":  {as(body.ReadRole), `{"name": "x", "description": "a\nb"}`, nil},
		"id outside its alphabet": {as(body.ReadRole), `{"name": "x", "id": "-a"}`, []string{"/id"}},
		"id too long":             {as(body.ReadRole), `{"name": "x", "id": "` + long + `"}`, []string{"/id"}},
		"id empty":                {as(body.ReadRole), `{"name": "x", "id": ""}`, []string{"/id"}},
		"id in a list twice":      {as(body.ReadRole), `{"name": "x", "specificLocations": ["a", "b", "a"]}`, []string{"/specificLocations/2"}},
		"list too long":           {as(body.ReadRole), `{"name": "x", "boardAccess": [` + strings.Repeat(`"a",`, 1000) + `"a"]}`, []string{"/boardAccess"}},
		"types":                   {as(body.ReadRole), `{"name": 1, "grants": {}, "advanced": [1, "fly"], "admin": [], "boardAccess": "a"}`, []string{"/name", "/advanced/0", "/advanced/1", "/admin", "/boardAccess", "/grants"}},
		"version":                 {as(body.ReadRole), `{"name": "x", "version": -1}`, []string{"/version"}},
		"persona":                 {as(body.ReadRole), `{"name": "x", "persona": "Frontliner"}`, []string{"/persona"}},
		"grant":                   {as(body.ReadRole), `{"name": "x", "grants": [1, {}, {"permissions": {"view": "here", "fly": "everywhere", "edit": 1}}]}`, []string{"/grants/0", "/grants/1/permissions", "/grants/2/permissions/view", "/grants/2/permissions/edit", "/grants/2/permissions/fly"}},
		"a scope R4 refuses later": {as(body.ReadRole), `{"name": "x", "grants": [{"permissions": {"view": true, "participate": "everywhere", "edit": false}}]}`,
			nil},
		"admin": {as(body.ReadRole), `{"name": "x", "admin": {"impersonateUser": 1, "boardAdministrator": true, "king": true,
			"globalUserAdministrator": {"scope": "everywhere", "grantableRoles": "some"}, "localUserAdministrator": {"grantableRoles": ["a", "*"]}}}`,
			[]string{"/admin/globalUserAdministrator/grantableRoles", "/admin/localUserAdministrator/grantableRoles/1",
				"/admin/localUserAdministrator/scope", "/admin/impersonateUser", "/admin/boardAdministrator", "/admin/king",
				"/admin/globalUserAdministrator/scope"}},
		"user": {as(body.ReadUser), `{"email": "a b@c", "username": "a b", "type": "boss", "locations": [], "internal": "no", "signIn": "maybe",
			"roles": [{"until": "tomorrow", "locations": ["x"]}]}`,
			[]string{"/name", "/email", "/username", "/type", "/internal", "/signIn", "/roles/0/role", "/roles/0/until", "/locations"}},
		"a user as wanted":      {as(body.ReadWanted), `{"name": "a", "username": "a", "type": "general", "locations": ["x"], "roles": [{}], "pass": 1}`, []string{"/roles/0/role", "/pass"}},
		"preferences":           {as(body.ReadPreferences), `{"notifications": {"a": 1, "b c": true, "d": "on"}}`, []string{"/notifications/a", "/notifications/b c", "/notifications/d"}},
		"no preferences":        {as(body.ReadPreferences), `{}`, []string{"/notifications"}},
		"preferences in a list": {as(body.ReadPreferences), `{"notifications": ["a"]}`, []string{"/notifications"}},
		"nothing":               {as(body.ReadNothing), `{"a": 1}`, []string{"/a"}},
		"U1 26 locations": {as(body.ReadUser), `{"name": "a", "username": "a", "type": "general", "locations": ["` + strings.Join(strings.Split("abcdefghijklmnopqrstuvwxyz", ""), `","`) + `"]}`,
			[]string{"/locations"}},

		"a year before those of RFC 3339":  {as(body.ReadAssignment), `{"until": "0000-01-01T00:00:00+00:01"}`, []string{"/until"}},
		"a year after those of RFC 3339":   {as(body.ReadAssignment), `{"until": "9999-12-31T23:59:59-00:01"}`, []string{"/until"}},
		"the last year, whatever the zone": {as(body.ReadAssignment), `{"until": "9999-12-31T23:59:59Z"}`, nil},

		"assignment": {as(body.ReadAssignment), `{"locations": "x", "until": 5, "role": "y"}`, []string{"/locations", "/until", "/role"}},
		"location":   {as(body.ReadLocation), `{"parent": "a b"}`, []string{"/name", "/parent"}},
		"workflow":   {as(body.ReadWorkflow), `{"name": []}`, []string{"/name"}},
		"template":   {as(body.ReadTemplate), `{"name": "x", "teamType": "big"}`, []string{"/workflow", "/teamType"}},
		"item":       {as(body.ReadItem), `{"status": "done", "private": 0, "team": {"author": ["a", 1], "boss": []}}`, []string{"/template", "/status", "/private", "/team/author/1", "/team/boss"}},
		"organization": {as(body.ReadOrganization), `{"name": "x", "settings": {"onlyUsersRule": "x", "localReach": "y", "productName": "", "decisionLogRate": 2,
			"personaTargets": {"frontline": {"min": 9000, "max": 100}, "leader": {"min": 0.5, "max": 10001}, "ciExperts": {}, "champion": {"minPeople": 1}},
			"impersonation": {"enabled": 1, "absoluteMinutes": 0, "observers": ["a", "a"]}}}`,
			[]string{"/settings/onlyUsersRule", "/settings/localReach", "/settings/productName", "/settings/personaTargets/frontline/min",
				"/settings/personaTargets/leader/min", "/settings/personaTargets/leader/max", "/settings/personaTargets/ciExperts/under",
				"/settings/personaTargets/champion/maxPeople", "/settings/impersonation/enabled", "/settings/impersonation/absoluteMinutes",
				"/settings/impersonation/observers/1", "/settings/decisionLogRate"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.read([]byte(c.body))
			if diff := cmp.Diff(c.want, pointers(err)); diff != "" {
				t.Errorf("faults (-want +got):\n%s%v", diff, err)
			}
			if err != nil && !fault.Is(err, fault.Invalid) {
				t.Errorf("kind %v, want invalid", fault.Of(err).Kind)
			}
		})
	}
}

// roundTrip reads a body, writes it, and wants the body it had.
func roundTrip[T any](read func(*body.Object) T, write func(T) any) func(t *testing.T, text string) {
	return func(t *testing.T, text string) {
		t.Helper()
		value, err := body.Read([]byte(text), read)
		if err != nil {
			t.Fatal(err, fault.Of(err).Problems)
		}
		written, err := json.Marshal(write(value))
		if err != nil {
			t.Fatal(err)
		}
		var want, got any
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(written, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("written differs from read (-want +got):\n%s", diff)
		}
	}
}

func TestBodiesAreWrittenAsRead(t *testing.T) {
	for name, c := range map[string]struct {
		trip func(*testing.T, string)
		text string
	}{
		"role": {roundTrip(body.ReadRole, body.Role), `{"id": "unit-lead", "name": "Unit lead", "description": "Leads\na unit", "persona": "leader",
			"specificLocations": ["ward-1"],
			"grants": [{"workflows": ["improvement"], "templates": [],
			            "permissions": {"participate": true, "view": "everywhere", "assign": "location_and_below", "delete": "only_users"}}],
			"advanced": ["create_boards"],
			"admin": {
			  "localUserAdministrator": {"scope": "location_and_below", "createUsers": true, "grantableRoles": ["staff"]},
			  "globalUserAdministrator": {"createUsers": true, "grantableRoles": "all"},
			  "impersonateUser": true, "roleAdministrator": true, "qualityAdministrator": true, "systemAdministrator": true, "accessReader": true, "itemWriter": true,
			  "boardAdministrator": "only_location", "cardAdministrator": "everywhere", "escalationAdministrator": "location_and_below"},
			"notifications": ["item_assigned"], "defaultBoard": "huddle", "boardAccess": ["huddle"], "boardSubscriptions": ["huddle"], "version": 7}`},
		"a role that holds nothing": {roundTrip(body.ReadRole, body.Role), `{"id": "none", "name": "Nobody", "description": "", "specificLocations": [], "grants": [],
			"advanced": [], "admin": {}, "notifications": [], "boardAccess": [], "boardSubscriptions": []}`},
		"user": {roundTrip(body.ReadUser, body.User), `{"id": "maria", "name": "María Álvarez", "email": "maria@example.org", "username": "maria.alvarez", "type": "general",
			"internal": true, "locations": ["ward-1"], "persona": "ci_coach", "signIn": "enabled", "version": 3,
			"roles": [{"role": "staff", "locations": ["ward-1"], "until": "2030-01-01T00:00:00Z", "since": "2026-01-01T00:00:00Z", "by": "root"}]}`},
		"a user with nothing": {roundTrip(body.ReadUser, body.User), `{"id": "k1", "name": "Kiosk", "username": "kiosk.1", "type": "kiosk", "internal": false,
			"locations": ["ward-1"], "persona": null, "roles": [], "signIn": "none", "version": 1}`},
		"root location": {roundTrip(body.ReadLocation, body.Location), `{"id": "group", "name": "Group", "parent": null, "version": 1}`},
		"location":      {roundTrip(body.ReadLocation, body.Location), `{"id": "north", "name": "North", "parent": "group"}`},
		"workflow":      {roundTrip(body.ReadWorkflow, body.Workflow), `{"id": "kaizen", "name": "Kaizen", "version": 2}`},
		"template":      {roundTrip(body.ReadTemplate, body.Template), `{"id": "idea", "name": "Idea", "workflow": "kaizen", "teamType": "author_only", "version": 2}`},
		"item": {roundTrip(body.ReadItem, body.Item), `{"id": "i1", "template": "idea", "locations": ["ward-1"], "status": "resolution_submitted", "private": true,
			"team": {"author": ["maria"], "follower": []}, "version": 4}`},
		"organization": {roundTrip(body.ReadOrganization, body.Organization), `{"id": "hospital", "name": "Hospital", "version": 9, "settings": {"onlyUsersRule": "team_member", "localReach": "any",
			"productName": "Improve", "decisionLogRate": 0.25,
			"personaTargets": {"frontline": {"min": 6000, "max": 9500}, "leader": {"min": 1, "max": 2}, "executive": {"min": 0, "max": 10000}, "ciExperts": {"under": 50}, "champion": {"minPeople": 1, "maxPeople": 4}},
			"impersonation": {"enabled": false, "reasonRequired": true, "absoluteMinutes": 30, "receipt": false, "observers": ["maria"]}}}`},
	} {
		t.Run(name, func(t *testing.T) { c.trip(t, c.text) })
	}
}

// A request says something of the members that it names; null says something of
// the persona alone.
func TestWantedNames(t *testing.T) {
	const rest = `"name": "a", "username": "a", "type": "general", "locations": ["x"]`
	needed := []string{"name", "username", "type", "locations"}
	for text, want := range map[string][]string{
		`{` + rest + `}`: needed,
		`{` + rest + `, "id": "a", "email": "a@b.example"}`:                                                   append(needed, "id", "email"),
		`{` + rest + `, "persona": null, "roles": null, "signIn": null, "internal": null, "version": null}`:   append(needed, "persona"),
		`{"version": 0, "internal": false, "signIn": "none", "roles": [], "persona": "leader", ` + rest + `}`: append([]string{"version", "internal", "signIn", "roles", "persona"}, needed...),
	} {
		if w, err := body.Read([]byte(text), body.ReadWanted); err != nil || !slices.Equal(w.Names, want) {
			t.Errorf("%s names %v, %v; want %v", text, w.Names, err, want)
		}
	}
}

func TestPreferencesAreWrittenAsRead(t *testing.T) {
	for _, text := range []string{`{"notifications":{}}`, `{"notifications":{"a":true,"b.c":false}}`} {
		chosen, err := body.Read([]byte(text), body.ReadPreferences)
		if err != nil {
			t.Fatal(err)
		}
		if written, _ := json.Marshal(body.Preferences(directory.User{Notifications: chosen})); string(written) != text {
			t.Errorf("%s is written as %s", text, written)
		}
	}
}

func TestDefaults(t *testing.T) {
	t.Run("R10 a global administrator grants all roles, a local one none", func(t *testing.T) {
		r, err := body.Read([]byte(`{"name": "x", "admin": {"globalUserAdministrator": {}, "localUserAdministrator": {"scope": "only_location"}}}`), body.ReadRole)
		if err != nil || !r.Admin.Global.Grantable.All || r.Admin.Local.Grantable.All || len(r.Admin.Local.Grantable.Roles) != 0 {
			t.Errorf("%+v, %v", r.Admin, err)
		}
	})
	t.Run("settings left out are the defaults", func(t *testing.T) {
		some, err := body.Read([]byte(`{"id": "h", "name": "x", "settings": {"impersonation": {}, "personaTargets": {}}}`), body.ReadOrganization)
		none, err2 := body.Read([]byte(`{"id": "h", "name": "x"}`), body.ReadOrganization)
		if err != nil || err2 != nil || !reflect.DeepEqual(some, none) || none.Settings.Impersonation.AbsoluteMinutes != 60 {
			t.Errorf("%+v, %+v, %v, %v", some, none, err, err2)
		}
	})
	t.Run("R5 no limit and an empty one differ", func(t *testing.T) {
		none, _ := body.Read([]byte(`{}`), body.ReadAssignment)
		empty, _ := body.Read([]byte(`{"locations": []}`), body.ReadAssignment)
		if none.Locations != nil || empty.Locations == nil {
			t.Errorf("%#v, %#v", none.Locations, empty.Locations)
		}
	})
	t.Run("an open object lets unknown members be", func(t *testing.T) {
		if _, err := body.Read([]byte(`{"x": {}}`), func(o *body.Object) bool { o.Open(); return true }); err != nil {
			t.Error(err)
		}
	})
}

func TestFaultsAreBounded(t *testing.T) {
	_, err := body.Read([]byte(`{"name": "x", "grants": [`+strings.Repeat(`{"a":1,"b":2},`, 999)+`{}]}`), body.ReadRole)
	problems := fault.Of(err).Problems
	if len(problems) != 1001 || problems[1000].Detail != "There are 1998 more faults." {
		t.Errorf("%d faults, last %+v", len(problems), problems[len(problems)-1])
	}
}

func TestEmail(t *testing.T) {
	for text, want := range map[string]bool{
		"a@b.c": true, "first.last+tag@sub.example.org": true, "é@example.org": true,
		"a": false, "@b.c": false, "a@": false, "a@b@c": false, "a@b..c": false, "a@-b.c": false, "a@.b": false,
		"A <a@b.c>": false, "a@b.c,d@e.f": false, "a@b.c\nBcc: x@y.z": false, "\"a\"@b.c": false,
	} {
		data, _ := json.Marshal(map[string]any{"e": text})
		_, err := body.Read(data, func(o *body.Object) string { return o.Text("e", body.Email) })
		if (err == nil) != want {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestR5TheFirstInstantIsAnEnd: what Go has for no time at all is a time of
// the contract, and an assignment that ended then is none without an end.
func TestR5TheFirstInstantIsAnEnd(t *testing.T) {
	for text, endless := range map[string]bool{
		`{"until": "0001-01-01T00:00:00Z"}`: false, `{"until": "0001-01-01T01:00:00+01:00"}`: false,
		`{"until": null}`: true, `{}`: true,
	} {
		a, err := body.Read([]byte(text), body.ReadAssignment)
		if err != nil || a.Until.IsZero() != endless {
			t.Errorf("R5 %s: until %v, %v", text, a.Until, err)
		}
	}
}
