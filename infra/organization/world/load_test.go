package world_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"gemba/infra/organization/world"
	"gemba/shared/authz"
	"gemba/shared/cognito"
	"gemba/shared/directory"
	"gemba/shared/dynamo"
	"gemba/shared/dynamotest"
	"gemba/shared/role"
)

// memory is a table and a pool that keep what they are given, note the order
// of the kinds, and fail once at the call that is due.
type memory struct {
	mu      sync.Mutex
	calls   []string
	due     int
	now     int
	most    int
	things  map[string]any
	release chan struct{}
}

var errCut = errors.New("cut")

func (m *memory) enter(call string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, call)
	if m.due--; m.due == 0 {
		return errCut
	}
	m.now++
	m.most = max(m.most, m.now)
	return nil
}

func (m *memory) create(call, id string, thing any) (bool, error) {
	if err := m.enter(call); err != nil {
		return false, err
	}
	if m.release != nil {
		<-m.release
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now--
	if _, there := m.things[call+id]; there {
		return false, nil
	}
	m.things[call+id] = thing
	return true, nil
}

func (m *memory) CreateOrganization(_ context.Context, o directory.Organization, _ time.Time) (bool, error) {
	return m.create("organization ", o.ID, o)
}

func (m *memory) CreatePolicy(_ context.Context, _ string, p dynamo.Policy, _ time.Time) (int, error) {
	if err := m.enter("policy"); err != nil {
		return 0, err
	}
	m.now--
	made := 0
	for _, r := range p.Roles {
		if _, there := m.things["role "+r.ID]; !there {
			r.Birth = uint64(10 + len(m.things))
			m.things["role "+r.ID] = r
			made++
		}
	}
	return made, nil
}

func (m *memory) Births(context.Context, string) (map[string]uint64, error) {
	births := map[string]uint64{}
	for key, thing := range m.things {
		if r, ok := thing.(role.Role); ok {
			births[strings.TrimPrefix(key, "role ")] = r.Birth
		}
	}
	return births, nil
}

func (m *memory) CreateUser(_ context.Context, _ string, u directory.User, _ time.Time) (bool, error) {
	return m.create("user ", u.ID, u)
}

func (m *memory) CreateItem(_ context.Context, _ string, i directory.Item, _ time.Time) (bool, error) {
	return m.create("item ", i.ID, i)
}

func (m *memory) Create(_ context.Context, a cognito.Account) (string, bool, error) {
	created, err := m.create("sign-in ", a.Username, a)
	return "sub-" + a.Username, created, err
}

var loadedAt = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func target(m *memory) world.Target {
	return world.Target{Table: m, Pool: m, Now: func() time.Time { return loadedAt }}
}

func whole(t *testing.T, text string) world.World {
	t.Helper()
	w, problems := world.Read([]byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return w
}

func TestLoad(t *testing.T) {
	m := &memory{things: map[string]any{}}
	w := whole(t, small)
	report, err := world.Load(t.Context(), target(m), w)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("in order, people after what they name", func(t *testing.T) {
		want := []string{"organization ", "policy", "sign-in ", "user ", "user ", "item "}
		if diff := cmp.Diff(want, m.calls); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("tells what it created", func(t *testing.T) {
		one := world.Count{Created: 1}
		want := world.Report{Organization: one, Policy: world.Count{Created: 3, There: 4}, SignIns: one, Users: world.Count{Created: 2}, Items: one}
		if diff := cmp.Diff(want, report); diff != "" || !report.Changed() {
			t.Error(diff)
		}
	})
	t.Run("R14 assignments name the births of their roles", func(t *testing.T) {
		bob := m.things["user bob"].(directory.User)
		staff, guest := m.things["role staff"].(role.Role), m.things["role guest"].(role.Role)
		want := []directory.Assignment{
			{Assignment: authz.Assignment{Role: staff.RoleRef, Locations: []string{"north"}, Until: time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)}, Since: loadedAt, By: "operator"},
			{Assignment: authz.Assignment{Role: guest.RoleRef}, Since: time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC), By: "ann"},
		}
		if diff := cmp.Diff(want, bob.Assignments); diff != "" || staff.Birth == 0 {
			t.Error(diff)
		}
	})
	t.Run("sign-ins belong to their users", func(t *testing.T) {
		ann, bob := m.things["user ann"].(directory.User), m.things["user bob"].(directory.User)
		account := m.things["sign-in ann"].(cognito.Account)
		if ann.Sub != "sub-ann" || ann.SignIn != directory.Enabled || bob.Sub != "" || bob.SignIn != directory.NoSignIn ||
			account.Password != "Demo-pass-2026!" || account.Invite {
			t.Errorf("%+v, %+v, %+v", ann, bob, account)
		}
	})
	t.Run("the world given is not touched", func(t *testing.T) {
		if diff := cmp.Diff(whole(t, small), w); diff != "" {
			t.Error(diff)
		}
	})
}

func TestLoadInvites(t *testing.T) {
	m := &memory{things: map[string]any{}}
	w := whole(t, strings.Replace(small, `"password": "Demo-pass-2026!"`, `"email": "ann@example.org"`, 1))
	if _, err := world.Load(t.Context(), target(m), w); err != nil {
		t.Fatal(err)
	}
	if a := m.things["sign-in ann"].(cognito.Account); !a.Invite || a.Email != "ann@example.org" || a.Password != "" {
		t.Errorf("R13 account %+v", a)
	}
}

func TestLoadResumes(t *testing.T) {
	clean := &memory{things: map[string]any{}}
	if _, err := world.Load(t.Context(), target(clean), whole(t, small)); err != nil {
		t.Fatal(err)
	}
	for due := 1; due <= len(clean.calls); due++ {
		m := &memory{things: map[string]any{}, due: due}
		if _, err := world.Load(t.Context(), target(m), whole(t, small)); !errors.Is(err, errCut) {
			t.Fatalf("cut at call %d: %v", due, err)
		}
		if _, err := world.Load(t.Context(), target(m), whole(t, small)); err != nil {
			t.Fatalf("resumed after call %d: %v", due, err)
		}
		if diff := cmp.Diff(clean.things, m.things); diff != "" {
			t.Errorf("resumed after call %d differs from a clean load: %s", due, diff)
		}
		report, err := world.Load(t.Context(), target(m), whole(t, small))
		if err != nil || report.Changed() {
			t.Errorf("loaded again: %+v, %v", report, err)
		}
	}
}

func TestLoadIsSideBySideAndBounded(t *testing.T) {
	m := &memory{things: map[string]any{}, release: make(chan struct{})}
	var users strings.Builder
	for i := range 40 {
		fmt.Fprintf(&users, `{"id": "u%d", "name": "U", "username": "u%d", "type": "offline", "locations": ["north"]},`, i, i)
	}
	w := whole(t, strings.Replace(small, `"users": [`, `"users": [`+users.String(), 1))
	done := make(chan error)
	go func() { _, err := world.Load(t.Context(), target(m), w); done <- err }()
	for range 1 + 1 + 42 + 1 { // organization, sign-in, users, item
		m.release <- struct{}{}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if m.most < 2 || m.most > 8 {
		t.Errorf("at most %d at once, want several and not more than 8", m.most)
	}
}

// TestLoadIntoTheTable loads into the real store and again: the second load
// changes no byte, also where an administrator has been at work meanwhile.
func TestLoadIntoTheTable(t *testing.T) {
	client, table := dynamotest.Table(t)
	o := client.Options()
	store := dynamo.Open(aws.Config{Region: o.Region, Credentials: o.Credentials}, *o.BaseEndpoint, table, time.Now)
	to := world.Target{Table: store, Pool: &memory{things: map[string]any{}}, Now: time.Now}
	if _, err := world.Load(t.Context(), to, whole(t, small)); err != nil {
		t.Fatal(err)
	}
	facts, err := store.Load(t.Context(), "clinic", directory.Keys{Users: []string{"ann", "bob"}, Items: []string{"i1"}})
	if err != nil {
		t.Fatal(err)
	}
	if !facts.Model.FullAdministrator(facts.Users["ann"].Decisive()) {
		t.Error("R13 the loaded administrator is none")
	}
	bob := facts.Model.Subject(facts.Users["bob"].Decisive(), time.Now())
	item := facts.Items["i1"].Item
	if d := facts.Model.Decide(bob, authz.DoEdit, authz.Resource{Type: authz.ItemResource, ID: "i1", Item: &item}); !d.Allowed {
		t.Errorf("C2 the author may not edit: %v", d.Reason)
	}
	if organization, user, err := store.SignIn(t.Context(), "sub-ann"); err != nil || organization != "clinic" || user != "ann" {
		t.Errorf("the sign-in leads to %s %s, %v", organization, user, err)
	}
	before := dump(t, client, table)
	report, err := world.Load(t.Context(), to, whole(t, strings.Replace(small, `"name": "Bob"`, `"name": "Robert"`, 1)))
	if err != nil || report.Changed() {
		t.Errorf("loaded again: %+v, %v", report, err)
	}
	if diff := cmp.Diff(before, dump(t, client, table)); diff != "" {
		t.Errorf("the second load changed the table:\n%s", diff)
	}
}

// dump is every item of the table by its key.
func dump(t *testing.T, client *dynamodb.Client, table string) map[string]string {
	t.Helper()
	out := map[string]string{}
	pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: &table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			key := ""
			for _, name := range []string{"pk", "sk"} {
				if s, ok := item[name].(*types.AttributeValueMemberS); ok {
					key += s.Value + " "
				}
			}
			out[key] = fmt.Sprint(plain(&types.AttributeValueMemberM{Value: item}))
		}
	}
	return out
}

// plain is an attribute without pointers, so that equal ones print alike.
func plain(v types.AttributeValue) any {
	switch v := v.(type) {
	case *types.AttributeValueMemberM:
		m := map[string]any{}
		for name, member := range v.Value {
			m[name] = plain(member)
		}
		return m
	case *types.AttributeValueMemberL:
		var l []any
		for _, member := range v.Value {
			l = append(l, plain(member))
		}
		return l
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	case *types.AttributeValueMemberBOOL:
		return v.Value
	default:
		return fmt.Sprintf("%+v", v)
	}
}
