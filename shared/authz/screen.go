package authz

// Screen is a person prepared for a list of items: what they hold on each
// template, and what of it is met at each place, is laid out once, so that all
// actions on an item are a few looks. It costs about as much as a hundred items
// do, never changes, and is of no use to another model.
type Screen struct {
	model   *Model
	subject Subject
	rule    userRule
	rows    []row // by template; nil where ItemActions has to do
	located nearRights
	near    []nearness // by place
}

// row is what is held on a template's items wherever they are: by anybody, and
// by those whom only_users means.
type row struct{ plain, own permissionBits }

// Screen prepares the subject. Who holds roles from very many places is decided
// about item by item.
func (m *Model) Screen(s Subject) Screen {
	screen := Screen{model: m, subject: s}
	if !s.of(m) || len(s.holdings) > mostNear {
		return screen
	}
	screen.rule = s.userType.rule()
	screen.rows = make([]row, len(m.templates.inOrder))
	screen.located = nearRightsOf(len(screen.rows), len(s.holdings))
	screen.near = make([]nearness, len(m.forest.preorder))
	for n := range s.holdings {
		h := &s.holdings[n]
		for t := range screen.rows {
			held := h.rights(t)
			screen.rows[t].add(held)
			screen.located.add(t, n, held)
		}
		for _, p := range h.from {
			nearAt(screen.near, n, p)
		}
	}
	return screen
}

// rights are those of the holding on the items of a template.
func (h *holding) rights(template int) rights {
	var held rights
	for _, r := range h.roles {
		held |= r.items[template]
	}
	return held
}

// Actions are all item actions that Decide allows the person on the item.
func (s *Screen) Actions(r *Resolved) Actions {
	if s.rows == nil || r.template == nil || r.model != s.model {
		return s.model.ItemActions(s.subject, r)
	}
	t := r.template
	on, places := r.meet(s.subject)
	on &= t.team.members
	held := s.rows[t.number].plain
	if on.meets(s.model.meantByOnlyUsers(t.team)) {
		held |= s.rows[t.number].own
	}
	var near nearness
	for _, p := range places {
		near |= s.near[p.number]
	}
	held |= s.located.met(t.number, near)
	st := standing{inScope: held.set(), member: !on.empty(), editor: on.meets(t.team.primaryEditors)}
	return s.rule.actions(&st, r.status, r.private)
}
