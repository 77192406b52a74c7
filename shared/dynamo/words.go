package dynamo

import (
	"fmt"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/impersonation"
)

// A word that this program does not know was written by a newer one, or is
// broken. To leave it out would decide something else: an item of an unknown
// status would not be a draft, and a session of an unknown mode might write. So
// an item with such a word is as unreadable as one of another form.

// worded is an item with words of closed sets.
type worded interface{ check() error }

// unknownWords collects what is not known.
type unknownWords []string

// need notes a word that is there and not known.
func need[E any](u *unknownWords, word string, parse func(string) (E, bool)) {
	if _, known := parse(word); word != "" && !known {
		*u = append(*u, word)
	}
}

func (u unknownWords) err() error {
	if len(u) == 0 {
		return nil
	}
	return fault.Wrap(fault.Internal, "item", fmt.Errorf("unknown words: %q", []string(u)))
}

func (item *userItem) check() error {
	var u unknownWords
	need(&u, item.Type, authz.ParseUserType)
	need(&u, item.SignIn, directory.ParseSignIn)
	need(&u, item.Persona, directory.ParsePersona)
	return u.err()
}

func (item *itemItem) check() error {
	var u unknownWords
	need(&u, item.Status, authz.ParseStatus)
	for word := range item.Team {
		need(&u, word, authz.ParseTeamRole)
	}
	return u.err()
}

func (item *sessionItem) check() error {
	var u unknownWords
	need(&u, item.Mode, impersonation.ParseMode)
	need(&u, item.Cause, impersonation.ParseCause)
	return u.err()
}

func (item *templateItem) check() error {
	var u unknownWords
	need(&u, item.TeamType, authz.ParseTeamType)
	return u.err()
}

func (item *roleItem) check() error {
	var u unknownWords
	need(&u, item.Persona, directory.ParsePersona)
	for _, word := range item.Advanced {
		need(&u, word, authz.ParseAdvanced)
	}
	for _, g := range item.Grants {
		for permission, scope := range g.Permissions {
			need(&u, permission, authz.ParsePermission)
			need(&u, scope, parseGrantedScope)
		}
	}
	a := item.Admin
	for _, scope := range []string{a.Board, a.Card, a.Escalation} {
		need(&u, scope, parseGrantedScope)
	}
	for _, held := range []*userAdministrationItem{a.Global, a.Local} {
		if held != nil {
			need(&u, held.Scope, parseGrantedScope)
		}
	}
	return u.err()
}

func (c *changeItem) check() error {
	for i := range c.Templates {
		if err := c.Templates[i].check(); err != nil {
			return err
		}
	}
	for i := range c.Roles {
		if err := c.Roles[i].check(); err != nil {
			return err
		}
	}
	return nil
}

// parseGrantedScope knows the plain yes, too.
func parseGrantedScope(word string) (authz.Scope, bool) {
	if word == authz.Yes.String() {
		return authz.Yes, true
	}
	return authz.ParseScope(word)
}
