package dynamo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

// held is an organization's policy as it was at a version.
type held struct {
	version      uint64
	organization directory.Organization
	model        *authz.Model
}

// changeItem is one entry of the policy's change log: the new state of what a
// version changed, so that whoever holds the version before can follow.
type changeItem struct {
	stored
	Organization *organizationItem `dynamodbav:"organization,omitempty"`
	Locations    []locationItem    `dynamodbav:"locations,omitempty"`
	Workflows    []workflowItem    `dynamodbav:"workflows,omitempty"`
	Templates    []templateItem    `dynamodbav:"templates,omitempty"`
	Roles        []roleItem        `dynamodbav:"roles,omitempty"`
	Gone         goneItem          `dynamodbav:"gone"`
}

// goneItem names what a version deleted.
type goneItem struct {
	Locations []string `dynamodbav:"locations,omitempty"`
	Workflows []string `dynamodbav:"workflows,omitempty"`
	Templates []string `dynamodbav:"templates,omitempty"`
	Roles     []string `dynamodbav:"roles,omitempty"`
}

// change is the entry as the model takes it.
func (c changeItem) change() authz.Change {
	change := authz.Change{Delete: authz.Names{
		Locations: c.Gone.Locations, Workflows: c.Gone.Workflows, Templates: c.Gone.Templates, Roles: c.Gone.Roles,
	}}
	if c.Organization != nil {
		settings := c.Organization.organization().Settings.Authz
		change.Settings = &settings
	}
	for _, l := range c.Locations {
		change.Put.Locations = append(change.Put.Locations, l.location())
	}
	for _, w := range c.Workflows {
		change.Put.Workflows = append(change.Put.Workflows, w.workflow())
	}
	for _, t := range c.Templates {
		change.Put.Templates = append(change.Put.Templates, t.template())
	}
	for _, r := range c.Roles {
		change.Put.Roles = append(change.Put.Roles, r.role().Role)
	}
	return change
}

// bump makes the next policy version: all copies of it, held to the version
// that was decided from, and the entry of the change log.
func (t *transaction) bump(o string, from uint64, c changeItem) {
	for k := range versionCopies {
		u := expression.Set(expression.Name("v"), expression.Value(from+1))
		t.update(versionKey(o, k), u, versionIs(from), raced())
	}
	c.V = from + 1
	t.put(changeKey(o, from+1), c, absent, raced())
	if t.err == nil {
		t.logged = size(&types.AttributeValueMemberM{Value: t.items[len(t.items)-1].Put.Item})
	}
}

// policyAt is the policy at exactly this version; false when the instance already
// holds a newer one, so that what was read with the version is read again.
func (s *Store) policyAt(ctx context.Context, o string, version uint64) (held, bool, error) {
	if h, ok := s.held.Get(o); ok && h.version >= version {
		return h, h.version == version, nil
	}
	s.refresh.Lock()
	defer s.refresh.Unlock()
	h, ok := s.held.Get(o)
	var err error
	switch {
	case !ok:
		h, err = s.coldPolicy(ctx, o, version)
	case h.version < version:
		h, err = s.follow(ctx, h, o, version)
	}
	if err != nil {
		return held{}, false, err
	}
	s.held.Add(o, h)
	return h, h.version == version, nil
}

// follow brings a policy from the version held to exactly the one read: every
// change in between, none left out.
func (s *Store) follow(ctx context.Context, h held, o string, version uint64) (held, error) {
	for attempt := range readAttempts {
		items, _, err := s.query(ctx, changeSpanBetween(o, h.version+1, version))
		if err != nil {
			return held{}, err
		}
		if uint64(len(items)) == version-h.version {
			return replay(h, items)
		}
		if err := pause(ctx, attempt); err != nil {
			return held{}, unavailable(err)
		}
	}
	return held{}, fault.Wrap(fault.Unavailable, "policy", fmt.Errorf("%s: changes between %d and %d are missing", o, h.version, version))
}

// replay applies entries of the change log in their order.
func replay(h held, items []attributes) (held, error) {
	for _, item := range items {
		var c changeItem
		if err := decode(item, &c); err != nil {
			return held{}, err
		}
		if c.Organization != nil {
			h.organization = c.Organization.organization()
		}
		h.model = h.model.With(c.change())
		h.version = c.V
	}
	return h, nil
}

// versionItem is one copy of the policy version.
type versionItem struct{ stored }

// coldPolicy is the policy by its snapshot, at this version or what newer one
// the snapshot is of; without a snapshot, by its entities.
func (s *Store) coldPolicy(ctx context.Context, o string, version uint64) (held, error) {
	h, err := s.snapshot(ctx, o)
	switch {
	case err != nil:
		return held{}, err
	case h.model == nil:
		return s.wholePolicy(ctx, o)
	case h.version < version:
		return s.follow(ctx, h, o, version)
	}
	return h, nil
}

// wholePolicy reads the policy's entities. They are read while others may change
// them, so the changes that may have been under way are replayed over them, up to
// the version that a transactional read then finds: it waits for every change of
// which the entities could show a part.
func (s *Store) wholePolicy(ctx context.Context, o string) (held, error) {
	whole, err := s.wholeVersion(ctx, o)
	if err != nil {
		return held{}, err
	}
	entities, _, err := s.query(ctx, entitySpan(o))
	if err != nil {
		return held{}, err
	}
	policy, err := readPolicy(entities)
	if err != nil {
		return held{}, err
	}
	version, organization, err := s.currentVersion(ctx, o)
	if err != nil {
		return held{}, err
	}
	if len(policy.Roles) == 0 && version > 1 {
		// R13: one role at least makes full administrators.
		return held{}, fault.Wrap(fault.Unavailable, "policy", errors.New(o+": the entities are missing"))
	}
	policy.Settings = organization.Settings.Authz
	h := held{version: whole, organization: organization, model: authz.Compile(policy)}
	if whole < version {
		h, err = s.follow(ctx, h, o, version)
	}
	return h, err
}

// currentVersion is the policy version and the organization at one moment.
func (s *Store) currentVersion(ctx context.Context, o string) (uint64, directory.Organization, error) {
	vk, ok := anyVersionKey(o), orgKey(o)
	found, err := s.transactGet(ctx, []key{vk, ok})
	if err != nil {
		return 0, directory.Organization{}, err
	}
	var v versionItem
	var item organizationItem
	if len(found) < 2 {
		return 0, directory.Organization{}, fault.Wrap(fault.Unavailable, "policy", errors.New("no such organization: "+o))
	}
	err = errors.Join(decode(found[vk], &v), decode(found[ok], &item))
	return v.V, item.organization(), err
}

// wholeVersion is the newest policy version whose every write is done: the
// current one, unless it is so young that its writes may still be under way.
func (s *Store) wholeVersion(ctx context.Context, o string) (uint64, error) {
	since := s.now().Add(-youngAge)
	q := changeSpan(o)
	q.backward, q.limit = true, 16
	for {
		items, end, err := s.query(ctx, q)
		if err != nil {
			return 0, err
		}
		for _, item := range items {
			var c versionItem
			if err := decode(item, &c); err != nil {
				return 0, err
			}
			if time.UnixMilli(c.At).Before(since) {
				return c.V, nil
			}
		}
		if end == "" {
			return 0, nil
		}
		q.after = end
	}
}

// readPolicy sorts the entities of a policy by their kind.
func readPolicy(entities []attributes) (authz.Policy, error) {
	var p authz.Policy
	for _, e := range entities {
		var err error
		switch keyOf(e).kind() {
		case roleKind:
			err = collect(e, &p.Roles, func(i roleItem) authz.Role { return i.role().Role })
		case locationKind:
			err = collect(e, &p.Locations, locationItem.location)
		case workflowKind:
			err = collect(e, &p.Workflows, workflowItem.workflow)
		case templateKind:
			err = collect(e, &p.Templates, templateItem.template)
		}
		if err != nil {
			return authz.Policy{}, err
		}
	}
	return p, nil
}

// collect decodes an item and appends what it stands for.
func collect[Item, Thing any](e attributes, list *[]Thing, thing func(Item) Thing) error {
	var item Item
	if err := decode(e, &item); err != nil {
		return err
	}
	*list = append(*list, thing(item))
	return nil
}
