package dynamo

import (
	"cmp"
	"context"
	crand "crypto/rand"
	"slices"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/persona"
	"gemba/shared/role"
	"gemba/shared/timeline"
)

// This file is the operator's: it makes an organization and fills it. What is
// there already is left as it is, so a load that was cut goes on where it
// stopped and one that was done changes nothing.

// Policy is the policy entities of a new organization. Grantable roles need
// no birth here: it is resolved by id.
type Policy struct {
	Locations []directory.Location
	Workflows []directory.Workflow
	Templates []directory.Template
	Roles     []role.Role
}

// operator is who the timeline names for what the operator's command does: no
// user, so without an id.
var operator = timeline.Person{Name: "operator"}

func operatorEntry(kind timeline.Type, target timeline.Target, at time.Time, after timeline.Values) timeline.Entry {
	return timeline.Entry{At: at, Type: kind, Action: "create", Subject: operator, Target: target, After: after}
}

// created tells whether a creation happened: a taken place is no failure.
func created(err error) (bool, error) {
	if fault.Is(err, fault.Conflict) && fault.Of(err).Code == "id_taken" {
		return false, nil
	}
	return err == nil, err
}

// CreateOrganization makes an organization with policy version 1, R13's guard and
// a seal, if it has none; false when it is there already.
func (s *Store) CreateOrganization(ctx context.Context, o directory.Organization, at time.Time) (bool, error) {
	o.Created, o.Version = at, 1
	if o.Seal == nil {
		o.Seal = []byte(crand.Text() + crand.Text())
	}
	item := organizationForm(o)
	t := s.begin()
	t.put(orgKey(o.ID), item, absent, outdated(0))
	for k := range versionCopies {
		t.put(versionKey(o.ID, k), versionItem{stored{V: 1}}, absent, outdated(0))
	}
	t.put(changeKey(o.ID, 1), changeItem{stored: stored{V: 1}, Organization: &item}, absent, outdated(0))
	t.put(guardKey(o.ID), versionItem{stored{V: 1}}, absent, outdated(0))
	t.record(o.ID, operatorEntry(timeline.Settings, timeline.Target{Type: "organization", ID: o.ID}, at, timeline.Values{"name": o.Name}))
	return created(t.commit(ctx))
}

// unit is how many policy entities one version of a load takes: the role, the
// most expensive, is three actions of the hundred that a transaction has.
const unit = 25

// CreatePolicy makes the entities that are missing; it tells how many.
func (s *Store) CreatePolicy(ctx context.Context, organization string, p Policy, at time.Time) (int, error) {
	version, _, err := s.currentVersion(ctx, organization)
	if err != nil {
		return 0, err
	}
	entities, _, err := s.query(ctx, entitySpan(organization))
	if err != nil {
		return 0, err
	}
	there, births := map[string]bool{}, map[string]uint64{}
	for _, e := range entities {
		there[keyOf(e).sk] = true
		if keyOf(e).kind() == roleKind {
			r := roleItem{}
			if err := decode(e, &r); err != nil {
				return 0, err
			}
			births[r.ID] = r.Birth
		}
	}
	missing := missingEntities(organization, p, there, at)
	for i, e := range missing {
		if e.role != nil {
			births[e.role.ID] = version + 1 + uint64(i/unit)
		}
	}
	logged := 0
	for part := range slices.Chunk(missing, unit) {
		bytes, err := s.createUnit(ctx, organization, version, part, births)
		if err != nil {
			return 0, err
		}
		version++
		logged += bytes
	}
	if logged > 0 {
		s.keepUp(ctx, organization, version, logged)
	}
	return len(missing), nil
}

// entity is a policy entity to be created, with its place in the change log.
type entity struct {
	key   key
	item  any
	role  *role.Role
	log   func(*changeItem)
	entry timeline.Entry
}

// missingEntities are those of p whose key is not there.
func missingEntities(o string, p Policy, there map[string]bool, at time.Time) []entity {
	var list []entity
	add := func(k key, item any, kind timeline.Type, id, name string, log func(*changeItem)) {
		if !there[k.sk] {
			target := timeline.Target{Type: kind.String(), ID: id}
			list = append(list, entity{key: k, item: item, log: log, entry: operatorEntry(kind, target, at, timeline.Values{"name": name})})
		}
	}
	for _, l := range p.Locations {
		l.Version = 1
		item := locationForm(l)
		add(locationKey(o, l.ID), item, timeline.Location, l.ID, l.Name, func(c *changeItem) { c.Locations = append(c.Locations, item) })
	}
	for _, w := range p.Workflows {
		w.Version = 1
		item := workflowForm(w)
		add(workflowKey(o, w.ID), item, timeline.Workflow, w.ID, w.Name, func(c *changeItem) { c.Workflows = append(c.Workflows, item) })
	}
	for _, tpl := range p.Templates {
		tpl.Version = 1
		item := templateForm(tpl)
		add(templateKey(o, tpl.ID), item, timeline.Template, tpl.ID, tpl.Name, func(c *changeItem) { c.Templates = append(c.Templates, item) })
	}
	for _, r := range p.Roles {
		r.Version = 1
		add(roleKey(o, r.ID), nil, timeline.Role, r.ID, r.Name, nil)
		if n := len(list) - 1; n >= 0 && list[n].key == roleKey(o, r.ID) {
			list[n].role = &r
		}
	}
	return list
}

// createUnit makes some entities as the next policy version, and tells the
// bytes of the change.
func (s *Store) createUnit(ctx context.Context, o string, version uint64, part []entity, births map[string]uint64) (int, error) {
	t := s.begin()
	var change changeItem
	for _, e := range part {
		if e.role != nil {
			item := roleForm(born(*e.role, births))
			t.writeRoleName(o, role.Role{}, *e.role)
			change.Roles = append(change.Roles, item)
			e.item = item
		} else {
			e.log(&change)
		}
		t.put(e.key, e.item, absent, raced())
		t.record(o, e.entry)
	}
	t.bump(o, version, change)
	return t.logged, t.commit(ctx)
}

// born is a role with its birth and those of the roles it may grant.
func born(r role.Role, births map[string]uint64) role.Role {
	r.Birth = births[r.ID]
	for _, a := range []*(*authz.UserAdministration){&r.Admin.Global, &r.Admin.Local} {
		if *a == nil {
			continue
		}
		next := **a
		next.Grantable.Roles = slices.Clone(next.Grantable.Roles)
		for i, g := range next.Grantable.Roles {
			next.Grantable.Roles[i].Birth = births[g.ID]
		}
		*a = &next
	}
	return r
}

// Births is the birth of every role, by id.
func (s *Store) Births(ctx context.Context, organization string) (map[string]uint64, error) {
	items, _, err := s.query(ctx, roleSpan(organization))
	if err != nil {
		return nil, err
	}
	births := map[string]uint64{}
	for _, item := range items {
		var r roleItem
		if err := decode(item, &r); err != nil {
			return nil, err
		}
		births[r.ID] = r.Birth
	}
	return births, nil
}

// creating creates something by the policy in force, and anew when that changes
// meanwhile; false when it is there already.
func (s *Store) creating(ctx context.Context, o string, keys directory.Keys, create func(directory.Facts) error) (bool, error) {
	for attempt := 0; ; attempt++ {
		facts, err := s.Load(ctx, o, keys)
		if err != nil || len(facts.Users)+len(facts.Items) > 0 {
			return false, err
		}
		made, err := created(create(facts))
		if !fault.IsRaced(err) || attempt == readAttempts || pause(ctx, attempt) != nil {
			return made, err
		}
	}
}

// unnameable is what of the places named nothing may come to name, because it
// is not there or is being deleted (U3).
func unnameable(ids []string, nameable func(string, ...string) bool) error {
	for _, id := range ids {
		if !nameable(id) {
			return fault.New(fault.Unprocessable, "unknown_place", "There is no "+id+" to be named.")
		}
	}
	return nil
}

// CreateUser makes a user whose assignments name live roles; false when the
// id is there already. A taken username is Conflict, a location that may not
// be named Unprocessable.
func (s *Store) CreateUser(ctx context.Context, organization string, u directory.User, at time.Time) (bool, error) {
	u.Version = 0
	return s.creating(ctx, organization, directory.Keys{Users: []string{u.ID}}, func(f directory.Facts) error {
		if err := unnameable(u.Locations, f.Model.NameableLocation); err != nil {
			return err
		}
		t := s.begin()
		t.writeUser(organization, directory.User{}, u)
		t.fails[0], t.fails[1] = outdated(0), outdated(0)
		t.writeSignIn(organization, directory.User{}, u)
		target := timeline.Target{Type: "user", ID: u.ID}
		t.record(organization, operatorEntry(timeline.User, target, at, timeline.Values{"name": u.Name, "type": u.Type.String()}))
		if u.Persona != directory.NoPersona {
			e := operatorEntry(timeline.Persona, target, at, nil)
			e.Action, e.Before, e.After = persona.Told(directory.NoPersona, u.Persona)
			t.record(organization, e)
		}
		t.rest(directory.Basis{Organization: organization, Policy: f.Policy})
		return t.commit(ctx)
	})
}

// CreateItem makes an item and its places among those of its template,
// locations and team; false when the id is there already. A template or location
// that may not be named is Unprocessable.
func (s *Store) CreateItem(ctx context.Context, organization string, i directory.Item, at time.Time) (bool, error) {
	return s.creating(ctx, organization, directory.Keys{Items: []string{i.ID}}, func(f directory.Facts) error {
		if err := cmp.Or(unnameable(i.Locations, f.Model.NameableLocation), unnameable([]string{i.Template}, f.Model.NameableTemplate)); err != nil {
			return err
		}
		return s.writeItem(ctx, itemWrite{basis: directory.Basis{Organization: organization, Policy: f.Policy}, urgent: true, change: directory.ItemChange{
			After: i,
			Entry: operatorEntry(timeline.Item, timeline.Target{Type: "item", ID: i.ID}, at, timeline.Values{"template": i.Template, "status": i.Status.String()}),
		}})
	})
}
