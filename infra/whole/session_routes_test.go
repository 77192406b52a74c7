package whole

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestEveryRouteInASession calls each route of the API in a session, well and
// badly: whatever the answer, it names the session and when it ends (I5), and
// no route serves a session that is none.
func TestEveryRouteInASession(t *testing.T) {
	t.Parallel()
	o := found(t, nil)
	acting, started := o.begin(t, "sam", "ada")
	calls := map[string]struct {
		path   string
		body   any
		status int
	}{
		"GET /v1/me":                         {"/v1/me", nil, 200},
		"GET /v1/organization":               {"/v1/organization", nil, 200},
		"PUT /v1/organization":               {"/v1/organization", object{"name": "x"}, 403},
		"POST /v1/import":                    {"/v1/import", object{}, 403},
		"GET /v1/locations":                  {"/v1/locations", nil, 200},
		"GET /v1/locations/{id}":             {"/v1/locations/nothing", nil, 404},
		"PUT /v1/locations/{id}":             {"/v1/locations/nothing", object{"name": "x"}, 403},
		"DELETE /v1/locations/{id}":          {"/v1/locations/nothing", nil, 403},
		"GET /v1/workflows":                  {"/v1/workflows", nil, 200},
		"GET /v1/workflows/{id}":             {"/v1/workflows/nothing", nil, 404},
		"PUT /v1/workflows/{id}":             {"/v1/workflows/nothing", object{"name": "x"}, 403},
		"DELETE /v1/workflows/{id}":          {"/v1/workflows/nothing", nil, 403},
		"GET /v1/templates":                  {"/v1/templates", nil, 200},
		"GET /v1/templates/{id}":             {"/v1/templates/nothing", nil, 404},
		"PUT /v1/templates/{id}":             {"/v1/templates/nothing", object{"name": "x", "workflow": "safety", "teamType": "simple"}, 403},
		"DELETE /v1/templates/{id}":          {"/v1/templates/nothing", nil, 403},
		"GET /v1/users/{id}":                 {"/v1/users/nobody", nil, 404},
		"PUT /v1/users/{id}":                 {"/v1/users/mia", object{}, 400},
		"GET /v1/users/{id}/preferences":     {"/v1/users/ada/preferences", nil, 200},
		"PUT /v1/users/{id}/preferences":     {"/v1/users/ada/preferences", object{"notifications": object{"item_assigned": false}}, 200},
		"PUT /v1/users/{id}/sign-in":         {"/v1/users/mia/sign-in", object{}, 403},
		"DELETE /v1/users/{id}/sign-in":      {"/v1/users/mia/sign-in", nil, 403},
		"GET /v1/users":                      {"/v1/users", nil, 200},
		"GET /v1/people":                     {"/v1/people", nil, 403},
		"GET /v1/items/{id}":                 {"/v1/items/nothing", nil, 403},
		"PUT /v1/items/{id}":                 {"/v1/items/nothing", object{"template": "idea", "status": "active"}, 403},
		"DELETE /v1/items/{id}":              {"/v1/items/nothing", nil, 403},
		"PUT /v1/users/{id}/persona":         {"/v1/users/mia/persona", object{"persona": "leader"}, 200},
		"DELETE /v1/users/{id}/persona":      {"/v1/users/mia/persona", nil, 200},
		"GET /v1/users/{id}/persona-history": {"/v1/users/mia/persona-history", nil, 200},
		"POST /v1/persona-reconciliations":   {"/v1/persona-reconciliations", object{"mend": false}, 403},
		"POST /v1/persona-changes":           {"/v1/persona-changes", object{"changes": list{}}, 200},
		"GET /v1/personas":                   {"/v1/personas", nil, 200},
		"GET /v1/persona-report":             {"/v1/persona-report", nil, 200},
		"GET /v1/persona-plan":               {"/v1/persona-plan", nil, 200},
		"GET /v1/persona-mismatches":         {"/v1/persona-mismatches", nil, 200},
		"GET /v1/persona-audits":             {"/v1/persona-audits", nil, 200},
		"GET /v1/persona-audits/{id}":        {"/v1/persona-audits/nothing", nil, 404},
		"POST /v1/persona-audits":            {"/v1/persona-audits", object{}, 403},
		"GET /v1/roles":                      {"/v1/roles", nil, 200},
		"POST /v1/roles":                     {"/v1/roles", "{", 400},
		"GET /v1/roles/{id}":                 {"/v1/roles/nothing", nil, 404},
		"PUT /v1/roles/{id}":                 {"/v1/roles/lead", object{"name": "x"}, 403},
		"POST /v1/roles/{id}/impact":         {"/v1/roles/lead/impact", nil, 403},
		"GET /v1/roles/{id}/diff/{other}":    {"/v1/roles/nothing/diff/lead", nil, 404},
		"GET /v1/users/{id}/access":          {"/v1/users/nobody/access", nil, 404},
		"DELETE /v1/roles/{id}":              {"/v1/roles/nothing", nil, 403},
		"POST /v1/roles/{id}/clone":          {"/v1/roles/lead/clone", object{"name": "x"}, 403},
		"GET /v1/roles/{id}/members":         {"/v1/roles/lead/members", nil, 200},
		"POST /v1/role-changes":              {"/v1/role-changes", object{"changes": list{}}, 200},
		"GET /v1/permissions":                {"/v1/permissions", nil, 200},
		"PUT /v1/users/{id}/roles/{role}":    {"/v1/users/mia/roles/lead", nil, 403},
		"DELETE /v1/users/{id}/roles/{role}": {"/v1/users/mia/roles/frontline", nil, 403},
		"POST /access/v1/evaluation":         {"/access/v1/evaluation", question("ada", "view", item("i1")), 200},
		"POST /access/v1/evaluations":        {"/access/v1/evaluations", question("ada", "view", item("i1")), 200},
		"POST /access/v1/search/subject":     {"/access/v1/search/subject", search("", "view", item("i1")), 200},
		"POST /access/v1/search/resource":    {"/access/v1/search/resource", search("ada", "view", object{"type": "item"}), 200},
		"POST /access/v1/search/action":      {"/access/v1/search/action", search("ada", "", item("i1")), 200},
		"POST /v1/impersonations":            {"/v1/impersonations", object{"subject": "mia"}, 403},
		"GET /v1/impersonations":             {"/v1/impersonations", nil, 200},
		"GET /v1/impersonations/{id}":        {"/v1/impersonations/nothing", nil, 404},
		"DELETE /v1/impersonations/{id}":     {"/v1/impersonations/nothing", nil, 404},
		"GET /v1/timeline":                   {"/v1/timeline", nil, 403},
		"GET /v1/timeline/verification":      {"/v1/timeline/verification", nil, 403},
	}
	routes := deployed(t)
	for _, route := range routes {
		if _, called := calls[route]; !called {
			t.Errorf("%s is deployed and not called here", route)
		}
	}
	for route, call := range calls {
		if !slices.Contains(routes, route) {
			t.Errorf("%s is called here and not deployed", route)
			continue
		}
		t.Run(route, func(t *testing.T) {
			method, _, _ := strings.Cut(route, " ")
			r := acting.send(t, method, call.path, call.body).is(t, call.status)
			if got := r.header.Get("Impersonation-Session"); got != acting.session {
				t.Errorf("I5 Impersonation-Session %q", got)
			}
			expires, err := time.Parse(time.RFC3339, r.header.Get("Impersonation-Expires"))
			if err != nil || expires.Before(time.Now()) || expires.After(instant(t, started.body["endsAt"])) {
				t.Errorf("I5 Impersonation-Expires %q: %v", r.header.Get("Impersonation-Expires"), err)
			}
			acting.in("01KB6V3M5Q7TZ2XW4Y6R8N0PDE5SGH7JK").send(t, method, call.path, call.body).problem(t, 403, "impersonation_invalid")
		})
	}
}

// deployed are the routes of the API that need a sign-in.
func deployed(t *testing.T) []string {
	t.Helper()
	var routes []string
	for _, operation := range contract.Operations() {
		if !operation.Public {
			routes = append(routes, operation.Route)
		}
	}
	if len(routes) == 0 {
		t.Fatal("OpenAPI has no routes")
	}
	return routes
}
