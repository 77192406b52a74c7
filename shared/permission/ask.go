package permission

import (
	"gemba/shared/authz"
	"gemba/shared/directory"
)

// Ask answers the questions in their order, each by what was read for the
// caller (Needs) and by that alone (C11). The last answer is that of the
// question at which the semantic stops. A malformed question counts as denied.
func Ask(c directory.Caller, questions []Question, s Semantic) []Answer {
	asker := newAsker(c)
	answers := make([]Answer, 0, len(questions))
	for _, q := range questions {
		answer := Answer{Faults: q.Faults}
		if len(q.Faults) == 0 {
			answer = asker.answer(q)
		}
		answers = append(answers, answer)
		if s.stops(answer) {
			break
		}
	}
	return answers
}

// asker is a caller with what was found out about their rights to ask.
type asker struct {
	directory.Caller
	who authz.Who
	// readsAll: may ask about everybody.
	readsAll bool
	// readsOthers: may ask about anybody but oneself.
	readsOthers bool
	effort      *authz.Effort
	known       map[string]*authz.User
	subjects    map[string]authz.Subject
}

func newAsker(c directory.Caller) *asker {
	a := &asker{Caller: c, who: c.Who(), effort: authz.NewEffort(mostSteps), known: map[string]*authz.User{}, subjects: map[string]authz.Subject{}}
	a.readsAll = a.may(authz.ReadAccess)
	a.readsOthers = a.readsAll || a.may(authz.AdministerSomeUsers)
	return a
}

// may is whether the asker has a right over the organization, both sides of a
// session (I6, C12).
func (a *asker) may(action authz.Action) bool {
	organization := authz.Resource{Type: authz.OrganizationResource, ID: a.Organization.ID}
	return a.Model.DecideBoth(a.who, action, organization).Allowed
}

// answer is the decision as the asker is told it, with its reasoning if that was
// asked for and nothing of it is hidden.
func (a *asker) answer(q Question) Answer {
	subject, r := a.asking(q), a.supposed(q, a.resource(q.Resource))
	action, _ := authz.ParseAction(r.Type, q.Action)
	d := a.Model.Decide(subject, action, r)
	told := a.told(q, subject, r, d)
	answer := Answer{Decision: told}
	if q.Explain {
		answer.Explanation = &Explanation{}
		if told == d && !a.silent(q, action, r) {
			answer.Explanation = a.explain(q, subject, action, r)
		}
	}
	return answer
}

// silent is whether the reasoning would tell what the answer does not (T4): that
// there is such a role, to who may not know that, or by which grant one takes
// part in a hidden item, and so of which template it is.
func (a *asker) silent(q Question, action authz.Action, r authz.Resource) bool {
	ofRole := action == authz.GrantRole || action == authz.RevokeRole
	return ofRole && !a.may(authz.ReadAdministration) || a.guarded(q, r) && hidden(r) && !a.sees(q, r)
}

// told is what of a decision the asker may know (T4).
func (a *asker) told(q Question, subject authz.Subject, r authz.Resource, d authz.Decision) authz.Decision {
	if d.Reason == authz.UnknownResource && r.User != nil && !a.may(authz.ReadAdministration) {
		return a.anyRole(subject, r)
	}
	if unknown(d) {
		return d
	}
	foreign := r.Type == authz.OrganizationResource && r.ID != a.Organization.ID
	if foreign || a.secret(q, r, d) {
		return authz.Decision{Reason: authz.UnknownResource}
	}
	return d
}

// anyRole is the answer about a role that does not exist, to who may not know
// that (T4): what one that is not to be granted would get.
func (a *asker) anyRole(subject authz.Subject, r authz.Resource) authz.Decision {
	d := a.Model.Decide(subject, authz.AdministerUser, r)
	if d.Allowed {
		return authz.Decision{Reason: authz.NotGrantable}
	}
	return d
}

// unknown is whether something in the question is unknown, which is said
// before all else.
func unknown(d authz.Decision) bool {
	switch d.Reason {
	case authz.UnknownSubject, authz.UnknownResourceType, authz.UnknownAction, authz.UnknownResource:
		return true
	default:
		return false
	}
}

// secret is whether the answer would tell of a stored item what the asker may not
// know (T4). Who may not ask about others has asked about oneself. A no about a
// hidden item does, and about one that is not seen whatever is only supposed.
func (a *asker) secret(q Question, r authz.Resource, d authz.Decision) bool {
	if !a.guarded(q, r) || q.Hypothetical == nil && (d.Allowed || !hidden(r)) {
		return false
	}
	return !a.sees(q, r)
}

// guarded is whether the question is about a stored item, by who may know of it
// only what they see.
func (a *asker) guarded(q Question, r authz.Resource) bool {
	return r.Item != nil && q.Resource.Facts == nil && !a.readsOthers
}

// hidden is whether an item is one of which it is not told why it is not seen.
func hidden(r authz.Resource) bool { return r.Item.Private || r.Item.Status == authz.Draft }

// sees is whether the question's subject, as it is, sees the item.
func (a *asker) sees(q Question, r authz.Resource) bool {
	return a.Model.Decide(a.subject(q.Subject), authz.DoView, r).Allowed
}

// subject is who the question is about, nobody when the asker may not know.
func (a *asker) subject(asked Subject) authz.Subject {
	if asked.Type != userType {
		return authz.Subject{}
	}
	s, prepared := a.subjects[asked.ID]
	if prepared {
		return s
	}
	if u := a.person(asked.ID); u != nil {
		s = a.Model.Subject(*u, a.At)
	}
	a.subjects[asked.ID] = s
	return s
}

// person is a user whom the asker may know, nil when there is none: oneself,
// in a session its subject (C12); anybody by access_reader; whom one
// administers (T4).
func (a *asker) person(id string) *authz.User {
	if u, met := a.known[id]; met {
		return u
	}
	var person *authz.User
	if found, ok := a.Users[id]; ok {
		u := found.Decisive()
		if id == a.Subject.ID || a.readsAll || a.Model.Administers(a.who, u) {
			person = &u
		}
	}
	a.known[id] = person
	return person
}

// resource is what the question is about, with its facts: the question's own,
// or those stored.
func (a *asker) resource(asked Resource) authz.Resource {
	r := authz.Resource{ID: asked.ID, Role: asked.Role, Locations: asked.Locations}
	r.Type, _ = authz.ParseResourceType(asked.Type)
	switch r.Type {
	case authz.UserResource:
		r.User = a.person(asked.ID)
	case authz.ItemResource:
		r.Item = asked.Facts
		if stored, ok := a.Items[asked.ID]; ok && r.Item == nil {
			r.Item = &stored.Item
		}
	}
	return r
}
