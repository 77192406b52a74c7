package dynamo

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"gemba/shared/authz"
	"gemba/shared/role"
)

// drawn is one of them.
func drawn[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

// randomGrants are n grants on some of the templates.
func randomGrants(r *rand.Rand, n int, templates []authz.Template) []authz.Grant {
	var grants []authz.Grant
	for range n {
		g := authz.Grant{Workflows: []string{"improvement"}, Permissions: map[authz.Permission]authz.Scope{}}
		for range min(20, len(templates)) {
			g.Templates = append(g.Templates, drawn(r, templates...).ID)
		}
		for p := authz.Participate; p < authz.PermissionCount; p++ {
			if r.IntN(2) == 0 {
				g.Permissions[p] = authz.Yes + authz.Scope(r.IntN(int(authz.ScopeCount-authz.Yes)))
			}
		}
		grants = append(grants, g)
	}
	return grants
}

// randomAdmin holds admin permissions at random.
func randomAdmin(r *rand.Rand) authz.Admin {
	yes := func() bool { return r.IntN(2) == 0 }
	a := authz.Admin{
		Impersonate: yes(), Roles: yes(), Quality: yes(), System: yes(), AccessReader: yes(), ItemWriter: yes(),
		Board: drawn(r, authz.NoScope, authz.Everywhere), Card: drawn(r, authz.NoScope, authz.OnlyLocation), Escalation: drawn(r, authz.NoScope, authz.LocationAndBelow),
	}
	if yes() {
		a.Global = &authz.UserAdministration{CreateUsers: yes(), Grantable: authz.Grantable{All: true}}
	}
	if yes() {
		a.Local = &authz.UserAdministration{Scope: authz.OnlyLocation, Grantable: authz.Grantable{Roles: []authz.RoleRef{{ID: "role-1", Birth: r.Uint64()}}}}
	}
	return a
}

// randomPolicy is a policy of that many parts.
func randomPolicy(seed uint64, locations, templates, roles int) authz.Policy {
	r := rand.New(rand.NewPCG(seed, 1))
	p := authz.Policy{Workflows: []authz.Workflow{{ID: "improvement", Name: "Improvement"}}}
	for i := range locations {
		l := authz.Location{ID: fmt.Sprint("location-", i), Name: fmt.Sprintf("The %d th place, %x", i, r.Uint64())}
		if i > 0 {
			l.Parent = fmt.Sprint("location-", r.IntN(i))
		}
		p.Locations = append(p.Locations, l)
	}
	for i := range templates {
		p.Templates = append(p.Templates, authz.Template{
			ID: fmt.Sprint("template-", i), Name: fmt.Sprint("A thing of kind ", i), Workflow: "improvement", TeamType: authz.NoTeamType + 1 + authz.TeamType(r.IntN(int(authz.TeamTypeCount)-1)),
		})
	}
	for i := range roles {
		one := authz.Role{
			RoleRef: authz.RoleRef{ID: fmt.Sprint("role-", i), Birth: r.Uint64()}, Name: fmt.Sprint("Role number ", i),
			Grants: randomGrants(r, r.IntN(6), p.Templates), Admin: randomAdmin(r),
		}
		for a := range authz.AdvancedCount {
			if a.String() != "" && r.IntN(3) == 0 {
				one.Advanced = append(one.Advanced, a)
			}
		}
		if locations > 0 && r.IntN(4) == 0 {
			one.SpecificLocations = []string{drawn(r, p.Locations...).ID}
		}
		p.Roles = append(p.Roles, one)
	}
	return p
}

func TestWhatIsPackedIsUnpacked(t *testing.T) {
	for seed := range uint64(30) {
		p := randomPolicy(seed, int(seed), int(seed)/2, int(seed))
		got, err := unpack(pack(p))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(p, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}

// TestAMarkIsPacked: and where there is none the bytes are those from before
// there were marks, so snapshots of then are read.
func TestAMarkIsPacked(t *testing.T) {
	p := randomPolicy(3, 4, 3, 2)
	if bytes.Contains(writing(p), []byte("Closing")) {
		t.Error("a policy without marks is packed in another form than before")
	}
	p.Locations[1].Closing, p.Workflows[0].Closing, p.Templates[2].Closing = true, true, true
	got, err := unpack(pack(p))
	if diff := cmp.Diff(p, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Fatalf("U3 %v %s", err, diff)
	}
}

func TestWhatIsPackedTheSameIsTheSame(t *testing.T) {
	if p := randomPolicy(7, 20, 10, 20); !bytes.Equal(pack(p), pack(p)) {
		t.Error("a policy is packed in two ways")
	}
}

// TestNoPackedPolicy: what was cut or is of another form is refused, and never
// breaks the reader.
func TestNoPackedPolicy(t *testing.T) {
	p := randomPolicy(3, 5, 3, 4)
	written := writing(p)
	read := func(raw []byte) bool {
		_, err := reading(raw)
		return err == nil
	}
	if !read(written) {
		t.Fatal("what is whole is refused")
	}
	for n := range written {
		if read(written[:n]) {
			t.Errorf("%d of %d bytes are taken for a policy", n, len(written))
		}
		read(append(append([]byte{}, written[:n]...), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f))
	}
	if read(append(bytes.Clone(written), 0)) {
		t.Error("a policy with something after it is taken for one")
	}
	if read(bytes.Replace(written, []byte(packForm), []byte("policy 2"), 1)) {
		t.Error("another form is taken for this one")
	}
	if read(bytes.Replace(written, []byte("everywhere"), []byte("everywhen!"), 1)) {
		t.Error("an unknown word is taken for a known one")
	}
	if _, err := unpack([]byte("no deflated data")); err == nil {
		t.Error("anything is unpacked")
	}
}

// BenchmarkCold is our own work at a cold start of a large organization: from
// the answers of DynamoDB to a compiled policy.
func BenchmarkCold(b *testing.B) {
	p := randomPolicy(1, 2000, 200, 300)
	packed := pack(p)
	b.Run("snapshot", func(b *testing.B) {
		for b.Loop() {
			if hashOf(packed) == "" {
				b.Fatal("no hash")
			}
			policy, err := unpack(packed)
			if err != nil {
				b.Fatal(err)
			}
			authz.Compile(policy)
		}
		b.ReportMetric(float64(len(packed)), "packed-bytes")
	})
	entities := entitiesOf(b, p)
	b.Run("entities", func(b *testing.B) {
		for b.Loop() {
			policy, err := readPolicy(entities)
			if err != nil {
				b.Fatal(err)
			}
			authz.Compile(policy)
		}
	})
	b.Run("compile alone", func(b *testing.B) {
		for b.Loop() {
			authz.Compile(p)
		}
	})
	b.Run("to pack", func(b *testing.B) {
		for b.Loop() {
			pack(p)
		}
	})
}

// entitiesOf are the items that a policy is stored as.
func entitiesOf(t testing.TB, p authz.Policy) []attributes {
	t.Helper()
	var all []attributes
	add := func(k key, item any) {
		av, err := attributevalue.MarshalMap(item)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range k.attributes() {
			av[name] = v
		}
		all = append(all, av)
	}
	for _, l := range p.Locations {
		add(locationKey("o", l.ID), locationItem{ID: l.ID, Name: l.Name, Parent: l.Parent})
	}
	for _, w := range p.Workflows {
		add(workflowKey("o", w.ID), workflowItem{ID: w.ID, Name: w.Name})
	}
	for _, m := range p.Templates {
		add(templateKey("o", m.ID), templateItem{ID: m.ID, Name: m.Name, Workflow: m.Workflow, TeamType: m.TeamType.String()})
	}
	for _, r := range p.Roles {
		add(roleKey("o", r.ID), roleForm(role.Role{Role: r}))
	}
	return all
}
