package bench

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"

	"gemba/infra/worlds"
	"gemba/shared/authz"
)

//go:embed cedar.tmpl
var cedarTemplate string

// slots are the names of a person's slots; nobody in the worlds needs more.
var slots = []string{"s0", "s1", "s2", "s3", "s4"}

// cedarPolicies is the text of the policies.
func cedarPolicies() ([]byte, error) {
	functions := template.FuncMap{
		"slots":   func() []string { return slots },
		"plain":   func() []string { return []string{"request", "assign", "honor_roll"} },
		"editing": func() []string { return []string{"toggle_private", "delete", escalate} },
	}
	read, err := template.New("cedar").Funcs(functions).Parse(cedarTemplate)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	err = read.Execute(&text, nil)
	return []byte(text.String()), err
}

// cedarEngine is an organization in Cedar's terms.
type cedarEngine struct {
	policies  *cedar.PolicySet
	entities  types.EntityMap // locations and templates
	roles     map[string]authz.Role
	templates map[string]authz.Template
	settings  authz.Settings
}

// Cedar is the engine of cedar-go.
func Cedar(p authz.Policy) (Engine, error) {
	text, err := cedarPolicies()
	if err != nil {
		return nil, err
	}
	policies, err := cedar.NewPolicySetFromBytes("cedar.tmpl", text)
	if err != nil {
		return nil, err
	}
	e := &cedarEngine{
		policies: policies, entities: types.EntityMap{}, roles: rolesByID(p), templates: map[string]authz.Template{}, settings: p.Settings,
	}
	for _, l := range p.Locations {
		entity := types.Entity{UID: uid("Location", l.ID)}
		if l.Parent != "" {
			entity.Parents = types.NewEntityUIDSet(uid("Location", l.Parent))
		}
		e.entities[entity.UID] = entity
	}
	for _, t := range p.Templates {
		e.templates[t.ID] = t
		entity := types.Entity{UID: uid("Template", t.ID), Attributes: givers(p.Roles, t)}
		e.entities[entity.UID] = entity
	}
	return e, nil
}

func uid(kind types.EntityType, id string) types.EntityUID {
	return types.NewEntityUID(kind, types.String(id))
}

// uids is a set of entities of one kind.
func uids(kind types.EntityType, ids []string) types.Set {
	values := make([]types.Value, len(ids))
	for i, id := range ids {
		values[i] = uid(kind, id)
	}
	return types.NewSet(values...)
}

// givers are, for each permission and scope, the roles that give it on items of
// the template (R3, R7, R10).
func givers(roles []authz.Role, t authz.Template) types.Record {
	by := map[string][]string{}
	for p := authz.NoPermission + 1; p < authz.PermissionCount; p++ {
		for s := authz.NoScope + 1; s < authz.ScopeCount; s++ {
			by[p.String()+"_"+s.String()] = nil
		}
	}
	for s := authz.NoScope + 1; s < authz.ScopeCount; s++ {
		by[escalate+"_"+s.String()] = nil
	}
	for _, r := range roles {
		for _, g := range r.Grants {
			if !slices.Contains(g.Templates, t.ID) && !slices.Contains(g.Workflows, t.Workflow) {
				continue
			}
			for p, s := range g.Permissions {
				for _, given := range implied(p, t.TeamType == authz.Standard) {
					name := given.String() + "_" + s.String()
					by[name] = append(by[name], r.ID)
				}
			}
		}
		if s := r.Admin.Escalation; s != authz.NoScope {
			name := escalate + "_" + s.String()
			by[name] = append(by[name], r.ID)
		}
	}
	attributes := types.RecordMap{}
	for name, ids := range by {
		attributes[types.String(name)] = uids("Role", ids)
	}
	return types.NewRecord(attributes)
}

// user is a person as an entity.
func (e *cedarEngine) user(u authz.User) types.Entity {
	attributes := types.RecordMap{"type": types.String(u.Type.String())}
	var all []string
	var from [][]string
	var roles [][]string
	for _, h := range holdings(e.roles, u, worlds.Now) {
		all = append(all, h.role)
		n := slices.IndexFunc(from, func(other []string) bool { return slices.Equal(other, h.from) })
		if n < 0 {
			n, from, roles = len(from), append(from, h.from), append(roles, nil)
		}
		roles[n] = append(roles[n], h.role)
	}
	attributes["roles"] = uids("Role", all)
	for n := range from {
		attributes[types.String(slots[n])] = types.NewRecord(types.RecordMap{
			"roles": uids("Role", roles[n]), "from": uids("Location", from[n]),
		})
	}
	return types.Entity{UID: uid("User", u.ID), Attributes: types.NewRecord(attributes)}
}

// item is an item as an entity, a member of its locations.
func (e *cedarEngine) item(it authz.Item) types.Entity {
	t := e.templates[it.Template].TeamType
	parents := make([]types.EntityUID, len(it.Locations))
	for i, l := range it.Locations {
		parents[i] = uid("Location", l)
	}
	people := func(roles []authz.TeamRole) types.Set {
		var ids []string
		for _, r := range roles {
			ids = append(ids, it.Team[r]...)
		}
		return uids("User", ids)
	}
	return types.Entity{
		UID: uid("Item", it.ID), Parents: types.NewEntityUIDSet(parents...),
		Attributes: types.NewRecord(types.RecordMap{
			"template": uid("Template", it.Template), "locations": uids("Location", it.Locations),
			"status": types.String(it.Status.String()), "private": types.Boolean(it.Private),
			"members": people(members[t]), "editors": people(primaryEditors[t]), "named": people(named(e.settings, t)),
		}),
	}
}

// Prepare makes entities of the user and the item.
func (e *cedarEngine) Prepare(u authz.User, it authz.Item) Prepared {
	return &cedarPrepared{e, e.user(u), e.item(it)}
}

type cedarPrepared struct {
	*cedarEngine
	principal, resource types.Entity
}

// Get is the entity with that id: the question's own, or the organization's.
func (p *cedarPrepared) Get(id types.EntityUID) (types.Entity, bool) {
	switch id {
	case p.principal.UID:
		return p.principal, true
	case p.resource.UID:
		return p.resource, true
	}
	return p.entities.Get(id)
}

// Ask authorizes.
func (p *cedarPrepared) Ask(a authz.Action) (bool, error) {
	decision, diagnostic := cedar.Authorize(p.policies, p, cedar.Request{
		Principal: p.principal.UID, Action: uid("Action", a.String()), Resource: p.resource.UID,
	})
	if len(diagnostic.Errors) > 0 {
		return false, fmt.Errorf("cedar: %s", diagnostic.Errors[0].Message)
	}
	return decision == cedar.Allow, nil
}
