package dynamo

import (
	"context"
	"errors"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
)

// signedIn is who a sub of the pool is.
type signedIn struct {
	stored
	Organization string `dynamodbav:"organization"`
	User         string `dynamodbav:"user"`
}

// SignIn is the organization and user of a sign-in. It never changes, so a
// warm instance keeps it. Unknown subs are Unauthenticated.
func (s *Store) SignIn(ctx context.Context, sub string) (organization, user string, err error) {
	if who, ok := s.signIns.Get(sub); ok {
		return who.Organization, who.User, nil
	}
	var who signedIn
	found, err := s.get(ctx, signInKey(sub), &who)
	if err != nil {
		return "", "", err
	}
	if !found {
		return "", "", fault.New(fault.Unauthenticated, "unknown_sign_in", "This sign-in belongs to nobody here.")
	}
	s.signIns.Add(sub, who)
	return who.Organization, who.User, nil
}

// Load reads users and items together with the policy that was in force with
// them (C11): warm, one BatchGetItem. What does not exist is left out.
func (s *Store) Load(ctx context.Context, organization string, keys directory.Keys) (directory.Facts, error) {
	wanted := wantedKeys(organization, keys)
	for attempt := range readAttempts {
		version := anyVersionKey(organization)
		found, err := s.together(ctx, append(wanted[:len(wanted):len(wanted)], version))
		if err != nil {
			return directory.Facts{}, err
		}
		var v versionItem
		if err := decode(found[version], &v); err != nil {
			return directory.Facts{}, err
		}
		policy, exact, err := s.policyAt(ctx, organization, v.V)
		if err != nil {
			return directory.Facts{}, err
		}
		if exact {
			return facts(policy, found)
		}
		if err := pause(ctx, attempt); err != nil {
			return directory.Facts{}, unavailable(err)
		}
	}
	return directory.Facts{}, fault.Wrap(fault.Unavailable, "busy", errors.New("the policy does not come to rest"))
}

// wantedKeys are the keys of users and items, each once.
func wantedKeys(o string, keys directory.Keys) []key {
	var wanted []key
	seen := map[key]bool{}
	add := func(k key) {
		if !seen[k] {
			seen[k] = true
			wanted = append(wanted, k)
		}
	}
	for _, id := range keys.Users {
		add(userKey(o, id))
	}
	for _, id := range keys.Items {
		add(itemKey(o, id))
	}
	return wanted
}

func facts(h held, found map[key]attributes) (directory.Facts, error) {
	f := directory.Facts{
		Organization: h.organization, Model: h.model, Policy: h.version,
		Users: map[string]directory.User{}, Items: map[string]directory.Item{},
	}
	for k, attributes := range found {
		switch k.sk {
		case userSK:
			var item userItem
			if err := decode(attributes, &item); err != nil {
				return directory.Facts{}, err
			}
			f.Users[item.ID] = item.user()
		case itemSK:
			var item itemItem
			if err := decode(attributes, &item); err != nil {
				return directory.Facts{}, err
			}
			f.Items[item.ID] = item.item()
		}
	}
	return f, nil
}

type itemItem struct {
	stored
	ID        string              `dynamodbav:"id"`
	Template  string              `dynamodbav:"template"`
	Locations []string            `dynamodbav:"locations,omitempty"`
	Status    string              `dynamodbav:"status"`
	Private   bool                `dynamodbav:"private,omitempty"`
	Team      map[string][]string `dynamodbav:"team,omitempty"`
	// Write names the write that made the item so: versions begin anew when an
	// item is deleted and made again, this never comes twice.
	Write string `dynamodbav:"write,omitempty"`
}

func itemForm(i directory.Item) itemItem {
	item := itemItem{
		stored: stored{V: i.Version}, ID: i.ID, Template: i.Template, Locations: i.Locations,
		Status: i.Status.String(), Private: i.Private, Team: map[string][]string{}, Write: i.Write,
	}
	for r, users := range i.Team {
		item.Team[r.String()] = users
	}
	return item
}

func (item itemItem) item() directory.Item {
	status, _ := authz.ParseStatus(item.Status)
	i := directory.Item{Version: item.V, Write: item.Write, Item: authz.Item{
		ID: item.ID, Template: item.Template, Locations: item.Locations, Status: status, Private: item.Private,
		Team: make(map[authz.TeamRole][]string, len(item.Team)),
	}}
	for word, users := range item.Team {
		r, _ := authz.ParseTeamRole(word)
		i.Team[r] = users
	}
	return i
}
