package dynamo

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/timeline"
)

// placeKinds are the kinds of the sort keys of locations, workflows and
// templates.
var placeKinds = map[timeline.Type]string{
	timeline.Location: locationKind, timeline.Workflow: workflowKind, timeline.Template: templateKind,
}

func placeKey(o string, ref directory.PlaceRef) key {
	return key{policyPK(o), join(placeKinds[ref.Kind], ref.ID)}
}

// place is an entity of the policy that is one.
func place(item attributes) (directory.Place, error) {
	switch keyOf(item).kind() {
	case locationKind:
		var l locationItem
		err := decode(item, &l)
		return directory.Location{Location: l.location(), Version: l.V}, err
	case workflowKind:
		var w workflowItem
		err := decode(item, &w)
		return directory.Workflow{Workflow: w.workflow(), Version: w.V}, err
	default:
		var t templateItem
		err := decode(item, &t)
		return directory.Template{Template: t.template(), Version: t.V}, err
	}
}

// putPlace is a place as it is stored, and as the change that puts it.
func putPlace(p directory.Place) (any, changeItem) {
	switch p := p.(type) {
	case directory.Location:
		item := locationForm(p)
		return item, changeItem{Locations: []locationItem{item}}
	case directory.Workflow:
		item := workflowForm(p)
		return item, changeItem{Workflows: []workflowItem{item}}
	case directory.Template:
		item := templateForm(p)
		return item, changeItem{Templates: []templateItem{item}}
	}
	return nil, changeItem{}
}

// gone is the change that deletes a place.
func gone(ref directory.PlaceRef) changeItem {
	ids := []string{ref.ID}
	switch ref.Kind {
	case timeline.Location:
		return changeItem{Gone: goneItem{Locations: ids}}
	case timeline.Workflow:
		return changeItem{Gone: goneItem{Workflows: ids}}
	default:
		return changeItem{Gone: goneItem{Templates: ids}}
	}
}

// Place is a location, workflow or template; NotFound when there is none.
func (s *Store) Place(ctx context.Context, organization string, ref directory.PlaceRef) (directory.Place, error) {
	found, err := s.batchGet(ctx, []key{placeKey(organization, ref)})
	if err != nil {
		return nil, err
	}
	item, ok := found[placeKey(organization, ref)]
	if !ok {
		return nil, fault.New(fault.NotFound, "not_found", "There is no such "+ref.Kind.String()+".")
	}
	return place(item)
}

// Places is a page of the places of a kind by id, with the id to go on after.
func (s *Store) Places(ctx context.Context, organization string, kind timeline.Type, page directory.Page) ([]directory.Place, string, error) {
	q := ofKind(policyPK(organization), placeKinds[kind]).past(page.After)
	q.limit = page.Limit
	items, end, err := s.query(ctx, q)
	if err != nil {
		return nil, "", err
	}
	places := make([]directory.Place, len(items))
	for i, item := range items {
		if places[i], err = place(item); err != nil {
			return nil, "", err
		}
	}
	if end != "" {
		end = places[len(places)-1].Ref().ID
	}
	return places, end, nil
}

// PutPlace writes a place's next state as the policy's next version. Errors:
// Conflict id_taken, Stale, raced.
func (s *Store) PutPlace(ctx context.Context, basis directory.Basis, c directory.PlaceChange) error {
	var version uint64
	if c.Before != nil {
		version, _ = c.Before.State()
	}
	item, change := putPlace(c.After)
	t := s.begin()
	t.put(placeKey(basis.Organization, c.After.Ref()), item, versionIs(version), outdated(version))
	t.bump(basis.Organization, basis.Policy, change)
	t.record(basis.Organization, c.Entry)
	return t.commitPolicy(ctx, basis)
}

// MarkPlace writes whether a place is being deleted. It keeps its version, but
// not the policy: who decided before the mark decides again. It is a part of the
// deletion, whose entry tells of it (T1).
func (s *Store) MarkPlace(ctx context.Context, basis directory.Basis, p directory.Place) error {
	version, _ := p.State()
	item, change := putPlace(p)
	t := s.begin()
	t.put(placeKey(basis.Organization, p.Ref()), item, versionIs(version), outdated(version))
	t.bump(basis.Organization, basis.Policy, change)
	return t.commitPolicy(ctx, basis)
}

// DeletePlace deletes a place that is marked. Errors: Stale, raced.
func (s *Store) DeletePlace(ctx context.Context, basis directory.Basis, c directory.PlaceChange) error {
	ref := c.Before.Ref()
	version, _ := c.Before.State()
	marked := expression.Name("closing").Equal(expression.Value(true))
	t := s.begin()
	t.delete(placeKey(basis.Organization, ref), versionIs(version).And(marked), outdated(version))
	t.bump(basis.Organization, basis.Policy, gone(ref))
	t.record(basis.Organization, c.Entry)
	return t.commitPolicy(ctx, basis)
}

// commitPolicy is commit of the next policy version, with the snapshot that may
// be due after it.
func (t *transaction) commitPolicy(ctx context.Context, basis directory.Basis) error {
	t.rest(basis)
	if err := t.commit(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, snapshotWindow)
	defer cancel()
	t.store.keepUp(ctx, basis.Organization, basis.Policy+1, t.logged)
	return nil
}

// mostCounted bounds how many uses of one kind are counted: a location's users
// and items may be everybody's and everything's.
const mostCounted = 1000

// PlaceUses are the users and items that name a place, each kind counted up to
// mostCounted (U3).
func (s *Store) PlaceUses(ctx context.Context, organization string, ref directory.PlaceRef) ([]fault.Use, error) {
	var users, items []fault.Use
	var err error
	switch ref.Kind {
	case timeline.Location:
		if users, err = s.usersAt(ctx, organization, ref.ID); err != nil {
			return nil, err
		}
		items, err = s.itemsThatName(ctx, organization, ofKind(locationPK(organization, ref.ID), placedKind), func(i authz.Item) bool {
			return slices.Contains(i.Locations, ref.ID)
		})
	case timeline.Template:
		items, err = s.itemsThatName(ctx, organization, ofKind(templateItemsPK(organization, ref.ID), placedKind), func(i authz.Item) bool {
			return i.Template == ref.ID
		})
	}
	return append(users, items...), err
}

// usersAt is the users who have a location.
func (s *Store) usersAt(ctx context.Context, o, location string) ([]fault.Use, error) {
	q := ofKind(locationPK(o, location), memberKind)
	q.limit = mostCounted + 1
	items, _, err := s.query(ctx, q)
	return counted("user", namedIDs(items)), err
}

// counted is uses of a kind, of which one more than mostCounted were looked for.
func counted(kind string, ids []string) []fault.Use {
	return directory.UsedBy(kind, ids[:min(len(ids), mostCounted)], len(ids) > mostCounted)
}

// itemsThatName is the items of a list that do name its place: a list of items
// may say too much.
func (s *Store) itemsThatName(ctx context.Context, o string, q span, names func(authz.Item) bool) ([]fault.Use, error) {
	q.limit = batchSize
	var found []string
	for {
		listed, end, err := s.query(ctx, q)
		if err != nil {
			return nil, err
		}
		naming, err := s.naming(ctx, o, namedIDs(listed), names)
		if err != nil {
			return nil, err
		}
		found = append(found, naming...)
		if end == "" || len(found) > mostCounted {
			return counted("item", found), nil
		}
		q.after = end
	}
}

// naming is those of the items whose facts are so.
func (s *Store) naming(ctx context.Context, o string, ids []string, names func(authz.Item) bool) ([]string, error) {
	keys := make([]key, len(ids))
	for i, id := range ids {
		keys[i] = itemKey(o, id)
	}
	found, err := s.batchGet(ctx, keys)
	if err != nil {
		return nil, err
	}
	var naming []string
	for i, id := range ids {
		var item itemItem
		if err := decode(found[keys[i]], &item); err != nil {
			return nil, err
		}
		if names(item.item().Item) {
			naming = append(naming, id)
		}
	}
	return naming, nil
}

// namedIDs are the ids that items' sort keys name.
func namedIDs(items []attributes) []string {
	ids := make([]string, len(items))
	for i, item := range items {
		ids[i] = keyOf(item).named()
	}
	return ids
}
