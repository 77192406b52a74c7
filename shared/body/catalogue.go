package body

import (
	"gemba/shared/authz"
	"gemba/shared/role"
)

type catalogueBody struct {
	Scopes   []scopeBody      `json:"scopes"`
	Grants   []permissionBody `json:"grants"`
	Advanced []permissionBody `json:"advanced"`
	Admin    []adminEntryBody `json:"admin"`
}

type wordsBody struct {
	Label       string `json:"label"`
	Description string `json:"description"`
}

type scopeBody struct {
	Scope string `json:"scope"`
	wordsBody
	Wider             []string `json:"wider"`
	SpecificLocations bool     `json:"withSpecificLocations"`
}

type permissionBody struct {
	Permission string `json:"permission"`
	wordsBody
	Scopes            []string      `json:"scopes"`
	Implies           []impliedBody `json:"implies"`
	Needs             []needBody    `json:"needs"`
	SpecificLocations bool          `json:"withSpecificLocations"`
}

type adminEntryBody struct {
	permissionBody
	Member  string       `json:"member"`
	Options []optionBody `json:"options"`
}

type impliedBody struct {
	Permission string `json:"permission"`
	TeamType   string `json:"teamType,omitempty"`
}

type needBody struct {
	AnyOf []string `json:"anyOf"`
	Where string   `json:"where"`
}

type optionBody struct {
	Option string `json:"option"`
	wordsBody
	Default any `json:"default"`
}

// Catalogue is what a role can give, for a client that draws an editor.
func Catalogue(c role.Catalogue) any {
	out := catalogueBody{}
	for _, s := range c.Scopes {
		out.Scopes = append(out.Scopes, scopeBody{s.Scope.String(), wordsBody(s.Words), scopeList(s.Wider), s.SpecificLocations})
	}
	for _, g := range c.Grants {
		entry := entryOf(g.Permission.String(), g.Words, g.Scopes, g.Needs, true)
		for _, i := range g.Implies {
			implied := impliedBody{Permission: i.Permission.String()}
			if i.StandardOnly {
				implied.TeamType = authz.Standard.String()
			}
			entry.Implies = append(entry.Implies, implied)
		}
		out.Grants = append(out.Grants, entry)
	}
	for _, a := range c.Advanced {
		out.Advanced = append(out.Advanced, entryOf(a.Permission.String(), a.Words, nil, a.Needs, false))
	}
	for _, a := range c.Admin {
		entry := adminEntryBody{entryOf(a.Permission, a.Words, a.Scopes, a.Needs, a.SpecificLocations), a.Member, []optionBody{}}
		for _, o := range a.Options {
			entry.Options = append(entry.Options, optionBody{o.Member, wordsBody(o.Words), o.Default})
		}
		out.Admin = append(out.Admin, entry)
	}
	return out
}

func entryOf(word string, words role.Words, scopes []authz.Scope, needs []role.Need, specific bool) permissionBody {
	out := permissionBody{
		Permission: word, wordsBody: wordsBody(words), Scopes: scopeList(scopes),
		Implies: []impliedBody{}, Needs: []needBody{}, SpecificLocations: specific,
	}
	for _, n := range needs {
		out.Needs = append(out.Needs, needBody{n.AnyOf, needPlaces[n.Where]})
	}
	return out
}

var needPlaces = [role.PlaceCount]string{role.OnItem: "on_item", role.SameRole: "same_role", role.AnyRole: "any_role"}
