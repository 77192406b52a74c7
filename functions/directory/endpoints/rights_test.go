package endpoints_test

import (
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"gemba/functions/directory/endpoints"
	"gemba/infra/iam"
	"gemba/infra/local/template"
	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/role"
)

// TestTheFunctionMayWhatItDoes makes the changes that touch most kinds of items
// with the rights alone that the template gives the function.
func TestTheFunctionMayWhatItDoes(t *testing.T) {
	root, err := template.Root()
	if err != nil {
		t.Fatal(err)
	}
	policies, err := iam.Read(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	w := openPeople(t)
	local, err := url.Parse(aws.ToString(w.Config.BaseEndpoint))
	if err != nil {
		t.Fatal(err)
	}
	guard := httptest.NewServer(policies.Guard("DirectoryFunction", httputil.NewSingleHostReverseProxy(local), func(err error) { t.Error(err) }))
	t.Cleanup(guard.Close)
	guarded := w.Open(func(cfg *aws.Config) { cfg.BaseEndpoint = &guard.URL })
	deps := w.Deps(t, nil)
	deps.Store = guarded
	w.f = endpoints.New(deps, guarded, w.pool)

	w.AddUser(t, directory.User{ID: "second", Name: "Sec Ond", Email: "second@riverside.example", Username: "second", Type: authz.General,
		Locations: []string{"hospital"}, SignIn: directory.Enabled, Sub: fixture.Sub("second")}, "administrator")
	w.pool.Set("second", fixture.Account{Standing: directory.Standing{Sub: fixture.Sub("second"), Email: "second@riverside.example", Confirmed: true, Enabled: true}})
	put := func(id string, change object, headers ...string) int {
		return w.ask(t, putRoute, "root", id, wanted(id, change), headers...).Status
	}
	limited := func() int {
		c := w.Caller(t, "root", directory.Keys{Users: []string{"new"}})
		if _, err := role.New(w.store).Assign(t.Context(), c, role.Given{User: "new", Role: "staff", Locations: []string{"icu"}}, directory.Precondition{}); err != nil {
			t.Fatal(err)
		}
		return 200
	}
	for _, step := range []struct {
		name   string
		status int
		do     func() int
	}{
		{"create", 201, func() int { return put("new", at("icu", "ward")) }},
		{"a limited role", 200, limited},
		{"another username, and a location left with its role", 200, func() int {
			return put("new", object{"username": "newer", "locations": []string{"ward", "clinic"}}, "if-match", "*")
		}},
		{"preferences", 200, func() int {
			return w.ask(t, putPreferences, "root", "new", object{"notifications": object{"a": true}}).Status
		}},
		{"an administrator's type, under the guard of R13", 200, func() int {
			return put("second", object{"type": "capture", "locations": []string{"hospital"}}, "if-match", "*")
		}},
		{"invite", 200, func() int { return w.ask(t, enableRoute, "root", "new", object{}).Status }},
		{"disable", 200, func() int { return w.ask(t, disableRoute, "root", "new", nil).Status }},
		{"enable", 200, func() int { return w.ask(t, enableRoute, "root", "new", object{}).Status }},
		{"another address", 200, func() int {
			return put("new", object{"username": "newer", "email": "newest@riverside.example", "locations": []string{"ward", "clinic"}}, "if-match", "*")
		}},
		{"a denied attempt", 404, func() int { return w.ask(t, putRoute, "nurse", "doctor", wanted("doctor", nil)).Status }},
	} {
		if got := step.do(); got != step.status {
			t.Errorf("%s: %d", step.name, got)
		}
	}
	if roles := w.User(t, "new").Assignments; len(roles) != 0 {
		t.Errorf("the role did not end: %v", roles)
	}
}
