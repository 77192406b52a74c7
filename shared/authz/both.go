package authz

// Who is who asks: the subject whose rights are evaluated, and the actor really
// present, who is the subject but for an impersonation.
type Who struct{ Subject, Actor Subject }

// Self is somebody acting for themselves.
func Self(s Subject) Who { return Who{Subject: s, Actor: s} }

// DecideBoth answers for whoever asks (I6): item and advanced permissions are
// the subject's alone, admin actions need both sides, and it is the actor who
// signs in. What everybody may do with oneself is done with the subject (C12);
// with anybody else, the actor included, it is administering them. On no it
// says the subject's reason first.
func (m *Model) DecideBoth(w Who, a Action, r Resource) Decision {
	switch {
	case a == SignIn:
		return m.Decide(w.Actor, a, r)
	case a.ownedByAll() && r.User != nil && w.Subject.of(m) && r.User.ID == w.Subject.ID():
		return m.Decide(w.Subject, a, r)
	case a.ownedByAll():
		a = AdministerUser
	}
	d := m.Decide(w.Subject, a, r)
	if !d.Allowed || !a.Admin() || w.Actor == w.Subject {
		return d
	}
	return m.Decide(w.Actor, a, r)
}

// Administers is whether whoever asks is a user administrator of the target, on
// both sides (R11, I6).
func (m *Model) Administers(w Who, target User) bool {
	return m.DecideBoth(w, AdministerUser, Resource{Type: UserResource, ID: target.ID, User: &target}).Allowed
}
