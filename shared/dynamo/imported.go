package dynamo

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/importer"
	"gemba/shared/role"
)

// PutImported writes what several entries of a world change, as one
// transaction and at most one policy version. Dry, it only builds it. Errors:
// Unprocessable too_large; Conflict username_taken, name_taken; raced.
func (s *Store) PutImported(ctx context.Context, basis directory.Basis, subject string, c importer.Change, dry bool) error {
	if one, alone := s.large(basis, c); alone {
		t := s.begin()
		if t.boundTo(itemForm(one.After), mostItemBytes); dry || t.err != nil {
			return t.err
		}
		err := s.WriteItem(ctx, basis, one)
		if err == nil {
			_ = s.Keep(ctx, basis.Organization, subject, c.Kept) // beside it, as its parts are
		}
		return err
	}
	t := s.begin()
	t.imported(basis, subject, c)
	if dry || t.err != nil {
		return t.err
	}
	if c.Policy() {
		return t.commitPolicy(ctx, basis)
	}
	t.rest(basis)
	return t.commit(ctx)
}

// large is an item with more places than a transaction takes; it is changed in
// parts, so always alone.
func (s *Store) large(basis directory.Basis, c importer.Change) (directory.ItemChange, bool) {
	if len(c.Items) != 1 {
		return directory.ItemChange{}, false
	}
	return c.Items[0], itemWrite{basis: basis, change: c.Items[0]}.prepared().moves() > s.places
}

// imported is all of a change but for what it rests on.
func (t *transaction) imported(basis directory.Basis, subject string, c importer.Change) {
	o := basis.Organization
	t.importPolicy(basis, c)
	for _, u := range c.Users {
		t.writeUser(o, u.Before, u.After)
		for _, e := range u.Entries {
			t.record(o, e)
		}
	}
	for _, i := range c.Items {
		t.boundTo(itemForm(i.After), mostItemBytes)
		t.writeWhole(itemWrite{basis: basis, change: i}.prepared())
	}
	t.guard(o, c.Guard)
	t.keepAnswer(o, subject, c.Kept)
}

// importPolicy is what of a change is of the policy.
func (t *transaction) importPolicy(basis directory.Basis, c importer.Change) {
	if !c.Policy() {
		return
	}
	o := basis.Organization
	var log changeItem
	if c.Organization != nil {
		item := organizationForm(c.Organization.After)
		t.put(orgKey(o), item, versionIs(c.Organization.Before.Version), raced())
		t.record(o, c.Organization.Entry)
		log.Organization = &item
	}
	for _, p := range c.Places {
		var version uint64
		if p.Before != nil {
			version, _ = p.Before.State()
		}
		t.importPlace(o, p.After, version, &log)
		t.record(o, p.Entry)
	}
	for _, p := range c.Reopened {
		version, _ := p.State()
		t.importPlace(o, p, version, &log)
	}
	for _, r := range c.Roles {
		r.After.Version = r.Before.Version + 1
		item := roleForm(r.After)
		t.bound(item)
		t.put(roleKey(o, r.After.ID), item, versionIs(r.Before.Version), raced())
		t.writeRoleName(o, r.Before, r.After)
		t.record(o, r.Entry)
		log.Roles = append(log.Roles, item)
	}
	t.bump(o, basis.Policy, log)
}

// importPlace writes a place over its version, and adds it to the change log.
func (t *transaction) importPlace(o string, p directory.Place, version uint64, log *changeItem) {
	item, change := putPlace(p)
	t.put(placeKey(o, p.Ref()), item, versionIs(version), raced())
	log.Locations = append(log.Locations, change.Locations...)
	log.Workflows = append(log.Workflows, change.Workflows...)
	log.Templates = append(log.Templates, change.Templates...)
}

const (
	// mostImported is the actions that the entries of one transaction may take: a
	// hundred, but for the eight version copies, the change log, the guard, what is
	// kept of them and what all rests on.
	mostImported = 84
	// mostLogged bounds an entry of the change log, and mostWritten a transaction,
	// in bytes: DynamoDB takes items of 400 KB and transactions of 4 MB.
	mostLogged, mostWritten = 280_000, 3_500_000
)

// Share is how much of one transaction a change takes, 1 being all of it; a
// change that can only be alone takes it whole.
func (s *Store) Share(basis directory.Basis, subject string, c importer.Change) (float64, error) {
	if _, alone := s.large(basis, c); alone {
		return 1, nil
	}
	t := s.begin()
	t.imported(basis, subject, c)
	t.writeTallies()
	if t.err != nil {
		return 0, t.err
	}
	actions, written := len(t.items), 0
	if c.Policy() {
		actions -= versionCopies + 1
	}
	if c.Guard != nil {
		actions--
	}
	for _, item := range t.items {
		if item.Put != nil {
			written += size(&types.AttributeValueMemberM{Value: item.Put.Item})
		}
	}
	return max(float64(actions)/mostImported, float64(t.logged)/mostLogged, float64(written)/mostWritten), nil
}

// About is what there is of places, roles, items and names.
func (s *Store) About(ctx context.Context, organization string, asked importer.Asked) (importer.Found, error) {
	found := importer.Found{
		Places: map[directory.PlaceRef]directory.Place{}, Roles: map[string]role.Role{}, Items: map[string]directory.Item{},
		RoleNames: map[string]string{}, Usernames: map[string]importer.Owner{},
	}
	takers := map[key]func(attributes) error{}
	for _, ref := range asked.Places {
		takers[placeKey(organization, ref)] = func(item attributes) (err error) {
			found.Places[ref], err = place(item)
			return err
		}
	}
	for _, id := range asked.Roles {
		takers[roleKey(organization, id)] = take(id, found.Roles, roleItem.role)
	}
	for _, id := range asked.Items {
		takers[itemKey(organization, id)] = take(id, found.Items, itemItem.item)
	}
	for _, text := range asked.RoleNames {
		takers[roleNameKey(organization, text)] = take(text, found.RoleNames, func(item nameItem) string { return item.ID })
	}
	for _, text := range asked.Usernames {
		takers[usernameKey(text)] = take(text, found.Usernames, func(item nameItem) importer.Owner {
			return importer.Owner{Organization: item.Organization, User: item.ID}
		})
	}
	items, err := s.batchGet(ctx, slices.Collect(maps.Keys(takers)))
	for k, item := range items {
		err = errors.Join(err, takers[k](item))
	}
	return found, err
}

// take decodes an item and keeps what it stands for.
func take[Item, Thing any](name string, into map[string]Thing, thing func(Item) Thing) func(attributes) error {
	return func(av attributes) error {
		var item Item
		err := decode(av, &item)
		into[name] = thing(item)
		return err
	}
}

// AnsweredAll is Answered of several keys; those without an answer are not
// among them.
func (s *Store) AnsweredAll(ctx context.Context, organization, user string, hashes []string, now time.Time) (map[string]directory.Kept, error) {
	keys := make([]key, len(hashes))
	for i, hash := range hashes {
		keys[i] = onceKey(organization, user, hash)
	}
	found, err := s.batchGet(ctx, keys)
	if err != nil {
		return nil, err
	}
	answers := map[string]directory.Kept{}
	for i, k := range keys {
		av, there := found[k]
		if !there {
			continue
		}
		var item onceItem
		if err := decode(av, &item); err != nil {
			return nil, err
		}
		if item.Expires > now.Unix() {
			answers[hashes[i]] = directory.Kept{Key: hashes[i], Request: item.Request, Answer: item.Answer}
		}
	}
	return answers, nil
}

// mostKept bounds an answer that is kept: DynamoDB takes items of 400 KB.
const mostKept = 380_000

// Keep keeps an answer that stands alone: the last of a request whose changes
// were many. Unprocessable too_large.
func (s *Store) Keep(ctx context.Context, organization, user string, kept directory.Kept) error {
	if len(kept.Answer) > mostKept {
		return fault.New(fault.Unprocessable, "too_large", "")
	}
	t := s.begin()
	t.keepAnswer(organization, user, kept)
	return t.commit(ctx)
}
