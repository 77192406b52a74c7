package authz

import (
	"maps"
	"slices"
)

// Model is one organization's compiled policy: settings, location forest,
// workflows, templates and roles. It never changes, so all requests share it.
type Model struct {
	settings  Settings
	locations map[string]Location
	workflows map[string]Workflow
	templates catalogue
	roles     map[string]*role
	forest    forest
}

// Change is what becomes of a policy: what is there afterwards, new or
// replaced, and what is gone. What is in both is there.
type Change struct {
	Settings *Settings // nil: as before
	Put      Policy    // but for its Settings
	Delete   Names
}

// Names are ids of a policy's parts.
type Names struct{ Roles, Locations, Workflows, Templates []string }

// Compile makes a policy ready to decide. Every policy compiles: names that
// lead nowhere match nothing, and of two parts with one id the later counts.
// The policy belongs to the model from then on and must not be changed.
func Compile(p Policy) *Model {
	return new(Model).With(Change{Settings: &p.Settings, Put: p})
}

// With is the model after a change; m stays as it is. It decides as Compile of
// the changed policy would and shares with m what did not change. The change
// belongs to the model from then on.
func (m *Model) With(c Change) *Model {
	next := *m
	if c.Settings != nil {
		next.settings = *c.Settings
	}
	next.locations = changed(m.locations, c.Delete.Locations, c.Put.Locations, func(l Location) string { return l.ID })
	next.workflows = changed(m.workflows, c.Delete.Workflows, c.Put.Workflows, func(w Workflow) string { return w.ID })
	if m.forest.places == nil || len(c.Put.Locations)+len(c.Delete.Locations) > 0 {
		next.forest = plant(next.locations)
	}
	if m.templates.byID == nil || len(c.Put.Templates)+len(c.Delete.Templates) > 0 {
		next.templates = number(changed(m.templates.all(), c.Delete.Templates, c.Put.Templates, func(t Template) string { return t.ID }))
		next.roles = recompiled(m.roles, next.templates)
	}
	put := make([]*role, len(c.Put.Roles))
	for i, r := range c.Put.Roles {
		put[i] = compileRole(r, next.templates)
	}
	next.roles = changed(next.roles, c.Delete.Roles, put, func(r *role) string { return r.ID })
	return &next
}

// changed is the parts after a change: old itself when nothing changed.
func changed[T any](old map[string]T, gone []string, put []T, id func(T) string) map[string]T {
	if old != nil && len(gone)+len(put) == 0 {
		return old
	}
	next := make(map[string]T, len(old)+len(put))
	maps.Copy(next, old)
	for _, name := range gone {
		delete(next, name)
	}
	for _, part := range put {
		next[id(part)] = part
	}
	return next
}

// recompiled is the same roles, compiled against other templates.
func recompiled(roles map[string]*role, templates catalogue) map[string]*role {
	next := make(map[string]*role, len(roles))
	for id, r := range roles {
		next[id] = compileRole(r.Role, templates)
	}
	return next
}

// Policy is what the model was compiled from, each part in the order of ids.
// It shares its lists with the model: read it, never write to it.
func (m *Model) Policy() Policy {
	p := Policy{
		Settings:  m.settings,
		Locations: sorted(m.locations),
		Workflows: sorted(m.workflows),
		Templates: sorted(m.templates.all()),
	}
	for _, r := range sorted(m.roles) {
		p.Roles = append(p.Roles, r.Role)
	}
	return p
}

// sorted is the parts in the order of their ids.
func sorted[T any](parts map[string]T) []T {
	var all []T
	for _, id := range slices.Sorted(maps.Keys(parts)) {
		all = append(all, parts[id])
	}
	return all
}

// Role is the role with this id; false when there is none.
func (m *Model) Role(id string) (Role, bool) {
	r, ok := m.roles[id]
	if !ok {
		return Role{}, false
	}
	return r.Role, true
}

// Location is the location with this id; false when there is none.
func (m *Model) Location(id string) (Location, bool) { l, ok := m.locations[id]; return l, ok }

// Workflow is the workflow with this id; false when there is none.
func (m *Model) Workflow(id string) (Workflow, bool) { w, ok := m.workflows[id]; return w, ok }

// Template is the template with this id; false when there is none.
func (m *Model) Template(id string) (Template, bool) {
	t, ok := m.templates.byID[id]
	if !ok {
		return Template{}, false
	}
	return t.Template, true
}

// NameableLocation is whether something may name the location: it exists and,
// unless that named it before, is not being deleted (U3). Who asks writes what
// names it held to the policy version of this model.
func (m *Model) NameableLocation(id string, before ...string) bool {
	l, ok := m.Location(id)
	return ok && (!l.Closing || slices.Contains(before, id))
}

// NameableWorkflow is NameableLocation of workflows.
func (m *Model) NameableWorkflow(id string, before ...string) bool {
	w, ok := m.Workflow(id)
	return ok && (!w.Closing || slices.Contains(before, id))
}

// NameableTemplate is NameableLocation of templates.
func (m *Model) NameableTemplate(id string, before ...string) bool {
	t, ok := m.Template(id)
	return ok && (!t.Closing || slices.Contains(before, id))
}

// Settings are the organization's choices that decide.
func (m *Model) Settings() Settings { return m.settings }

// live is the role that a reference means; nil when it was deleted since, also
// when another took its id (R14).
func (m *Model) live(ref RoleRef) *role {
	if r, ok := m.roles[ref.ID]; ok && r.RoleRef == ref {
		return r
	}
	return nil
}
