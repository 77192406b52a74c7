package permission

import (
	"gemba/shared/authz"
)

// Explanation is the reasoning behind an answer. Changes would turn a no into a
// yes; ChangesLeftOut is how many more would. Sentences say all but the changes
// in words. One without anything hides what the asker may not know, or is of
// something unknown.
//
// What is asked at once is bounded: PathsLeftOut and HeldLeftOut are how many
// paths, and things held that stop short, are more than mostTold; with
// ChangesNotSought the questions had more to try together than mostSteps.
type Explanation struct {
	Paths            []authz.Path
	PathsLeftOut     int
	Missing          []authz.Missing
	HeldLeftOut      int
	Sentences        []string
	Changes          []Change
	ChangesLeftOut   int
	ChangesNotSought bool
}

const (
	// mostSteps is how many steps are tried for the changes of all questions that
	// are asked at once; one takes some microseconds.
	mostSteps = 20_000
	// mostTold bounds the paths of an explanation, and what is held of each thing
	// missing: a hundred explanations have to fit into one answer.
	mostTold = 50
)

// Change is steps that would turn the answer together, in data and in words.
type Change struct {
	authz.Suggestion
	Sentence string
}

// explain is the reasoning behind a decision of which nothing is hidden.
func (a *asker) explain(q Question, s authz.Subject, action authz.Action, r authz.Resource) *Explanation {
	e := a.Model.Explain(s, action, r)
	out := &Explanation{}
	out.tell(&e)
	out.Sentences = a.sentences(q, e)
	if len(e.Missing) == 0 || q.Hypothetical != nil || a.ReadOnly {
		return out
	}
	user := *a.person(q.Subject.ID)
	asked := authz.Situation{Model: a.Model, User: user, At: a.At, Action: action, Resource: r, Effort: a.effort}
	suggestions, left := asked.Suggest(func(step authz.Step) bool { return a.mayMake(user, step) })
	out.ChangesLeftOut, out.ChangesNotSought = left, a.effort.Spent()
	for _, s := range suggestions {
		out.Changes = append(out.Changes, Change{s, a.Model.Sentence(s)})
	}
	return out
}

// tell takes over the paths and what is missing, as far as they are told, and
// cuts the explanation to that.
func (out *Explanation) tell(e *authz.Explanation) {
	told := min(len(e.Paths), mostTold)
	out.PathsLeftOut = len(e.Paths) - told
	e.Paths = e.Paths[:told]
	for i, miss := range e.Missing {
		told := min(len(miss.Held), mostTold)
		out.HeldLeftOut += len(miss.Held) - told
		e.Missing[i].Held = miss.Held[:told]
	}
	out.Paths, out.Missing = e.Paths, e.Missing
}

// sentences are the explanation's words. The names of locations are admin data
// (R10): whoever may not read that is told those of the subject's own, and of
// others, which a question can name at will, the ids (T4).
func (a *asker) sentences(q Question, e authz.Explanation) []string {
	user := a.person(q.Subject.ID)
	if user == nil || a.may(authz.ReadAdministration) {
		return a.Model.Sentences(e)
	}
	return a.Model.SentencesTo(e, user.Locations)
}

// mayMake is whether the asker may make a change to somebody's access.
func (a *asker) mayMake(user authz.User, step authz.Step) bool {
	switch step.Kind {
	case authz.JoinTeam:
		return a.may(authz.WriteItems) || a.may(authz.AdministerQuality)
	case authz.AssignRole, authz.WidenAssignment:
		ownInSession := a.Session != "" && user.ID == a.Actor.ID // I6
		return !ownInSession && a.mayDo(authz.GrantRole, user, step.Role)
	case authz.AddLocation:
		return a.mayPlace(user, step.Locations)
	case authz.ChangeType:
		return a.mayDo(authz.AdministerUser, user, "")
	case authz.WidenScope:
		return a.may(authz.AdministerRoles)
	default:
		return false
	}
}

// mayPlace is whether the asker may give a user more locations: only those inside
// the reach (R12), and the user stays within it.
func (a *asker) mayPlace(user authz.User, locations []string) bool {
	there, both := user, user
	there.Locations = locations
	both.Locations = append(append([]string{}, user.Locations...), locations...)
	for _, u := range []authz.User{user, there, both} {
		if !a.mayDo(authz.AdministerUser, u, "") {
			return false
		}
	}
	return true
}

// mayDo is whether the asker may do something to a user, both sides of a session
// (I6).
func (a *asker) mayDo(action authz.Action, user authz.User, role string) bool {
	target := authz.Resource{Type: authz.UserResource, ID: user.ID, User: &user, Role: role}
	return a.Model.DecideBoth(a.who, action, target).Allowed
}
