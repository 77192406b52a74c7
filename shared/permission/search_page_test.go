package permission_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/fault"
	"gemba/shared/permission"
)

// viewers is who may view the item of a crowd, by the reader.
func viewers(q permission.Question) permission.Search { return searchOf(permission.Subjects, q) }

// TestAPageOfNone says whether anything follows: it reads as far as that takes.
func TestAPageOfNone(t *testing.T) {
	s, q := crowd(2, 2, 50)
	for _, after := range []string{"", "p0010"} {
		s.queries, s.loads = 0, 0
		found, err := viewers(q).Find(t.Context(), s, s.by("reader", "reader", viewers(q)), directory.Page{Limit: 0, After: after})
		if err != nil || len(found.Results) > 0 || !found.More || found.Next != after || s.queries > 2 || s.loads > 2 {
			t.Errorf("after %q: %+v by %d queries, %v", after, found, s.queries, err)
		}
	}
	if found, err := viewers(q).Find(t.Context(), s, s.by("reader", "reader", viewers(q)), directory.Page{After: "p9999"}); err != nil || found.More {
		t.Errorf("after everybody: %+v, %v", found, err)
	}
	q.Action = "delete" // which no role gives
	if found, err := viewers(q).Find(t.Context(), s, s.by("reader", "reader", viewers(q)), directory.Page{}); err != nil || found.More {
		t.Errorf("where nothing can follow: %+v, %v", found, err)
	}
	some := searchOf(permission.Actions, question("view", "item"))
	for _, after := range []string{"", "participate"} {
		found, err := some.Find(t.Context(), s, s.by("p0000", "p0000", some), directory.Page{Limit: 0, After: after})
		if err != nil || len(found.Results) > 0 || !found.More || found.Next != after {
			t.Errorf("of actions after %q: %+v, %v", after, found, err)
		}
	}
}

// TestT4APageOfNoneTellsNothing: whether a search goes on depends neither on
// items that the asker does not see nor on roles that one may not read.
func TestT4APageOfNoneTellsNothing(t *testing.T) {
	role := onUser("", "grant_role", "nurse")
	noRole := role
	noRole.Resource.Role = "nothing"
	for name, q := range map[string]permission.Question{
		"a draft": onItem("", authz.DoView, "draft"), "a private item": onItem("", authz.DoView, "private"),
		"an item elsewhere": onItem("", authz.DoView, "elsewhere"), "no item": onItem("", authz.DoView, "nothing"),
		"a role": role, "no role": noRole,
	} {
		s, search := &tables{facts: facts()}, searchOf(permission.Subjects, q)
		found, err := search.Find(t.Context(), s, s.by("nurse", "nurse", search), directory.Page{Limit: 0})
		if err != nil || len(found.Results) > 0 || found.More || s.queries > 0 {
			t.Errorf("%s: %+v by %d queries, %v", name, found, s.queries, err)
		}
	}
}

// TestT4TheTokenOfAFullPage: it leads on from the last result, whatever hidden
// things lie between that and the next.
func TestT4TheTokenOfAFullPage(t *testing.T) {
	s, search := &tables{facts: facts()}, searchOf(permission.Resources, onItem("nurse", authz.DoView, ""))
	s.facts.Items["own visible"] = directory.Item{Item: authz.Item{ID: "own visible", Template: "idea", Status: authz.Active, Locations: []string{"icu"}}}
	s.index()
	after, want := "", []string{"own secret", "own visible", "public"} // before the last comes "private"
	for i, id := range want {
		found, err := search.Find(t.Context(), s, s.by("nurse", "nurse", search), directory.Page{Limit: 1, After: after})
		if err != nil || !slices.Equal(found.Results, []string{id}) || found.Next != id || found.More != (i < 2) {
			t.Errorf("%+v, %v, want %s alone", found, err, id)
		}
		after = found.Next
	}
	if found, err := search.Find(t.Context(), s, s.by("nurse", "nurse", search), directory.Page{}); err != nil || !found.More || found.Next != "" {
		t.Errorf("a page of none: %+v, %v", found, err)
	}
}

// TestT4AFullPageTellsNothingOfWhatFollows: whether a search goes on after a full
// page depends on what else will be found, not on what is hidden there.
func TestT4AFullPageTellsNothingOfWhatFollows(t *testing.T) {
	for _, hidden := range []bool{false, true} {
		s, search := &tables{facts: facts()}, searchOf(permission.Resources, onItem("nurse", authz.DoView, ""))
		s.facts.Items["z"] = directory.Item{Item: authz.Item{ID: "z", Template: "idea", Status: authz.Active, Private: true, Locations: []string{"icu"}}}
		if !hidden {
			delete(s.facts.Items, "z")
		}
		found, err := search.Find(t.Context(), s, s.by("nurse", "nurse", search), directory.Page{Limit: 2})
		if err != nil || len(found.Results) != 2 || found.More {
			t.Errorf("something hidden follows %v: %+v, %v", hidden, found, err)
		}
	}
}

func question(action, item string) permission.Question {
	return permission.Question{Subject: permission.Subject{Type: "user", ID: "p0000"}, Action: action, Resource: permission.Resource{Type: "item", ID: item}}
}

// TestAPageThatIsSpentGoesOn: a page reads so much and no more, and says where
// to go on however little it found.
func TestAPageThatIsSpentGoesOn(t *testing.T) {
	s, q := crowd(1, 1, 5000)
	for id, u := range s.facts.Users { // of all who were, one in a thousand still may
		if id[len(id)-3:] != "000" && id != "reader" {
			u.Assignments[0].Until = now
			s.facts.Users[id] = u
		}
	}
	var all []string
	pages := 0
	for after, more := "", true; more; pages++ {
		s.loads, s.keys, s.queries = 0, 0, 0
		found, err := viewers(q).Find(t.Context(), s, s.by("reader", "reader", viewers(q)), directory.Page{Limit: 50, After: after})
		if err != nil || found.More && found.Next <= after || s.keys > 2100 {
			t.Fatalf("%+v after %q, %d keys read, %v", found, after, s.keys, err)
		}
		all, after, more = append(all, found.Results...), found.Next, found.More
	}
	if want := []string{"p0000", "p1000", "p2000", "p3000", "p4000"}; !slices.Equal(all, want) || pages < 2 {
		t.Errorf("%q on %d pages, want %q on some", all, pages, want)
	}
}

// TestAPageLeavesTheRequestItsTime: a page that is late ends and goes on, one
// step at the least.
func TestAPageLeavesTheRequestItsTime(t *testing.T) {
	s, q := crowd(1, 1, 600)
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(time.Second)) // less than is left over
	defer cancel()
	var all []string
	pages := 0
	for after, more := "", true; more; pages++ {
		found, err := viewers(q).Find(ctx, s, s.by("reader", "reader", viewers(q)), directory.Page{Limit: 500, After: after})
		if err != nil || found.More && found.Next <= after {
			t.Fatalf("%+v after %q, %v", found, after, err)
		}
		all, after, more = append(all, found.Results...), found.Next, found.More
	}
	want, _, _ := s.pages(viewers(q), "reader", "reader", 500)
	if !slices.Equal(all, want) || pages < 2 {
		t.Errorf("%d found on %d pages, %d may", len(all), pages, len(want))
	}
}

// TestC8AFailureIsNoPage: whichever read fails, nothing is answered.
func TestC8AFailureIsNoPage(t *testing.T) {
	down := errors.New("down")
	for n := range 12 {
		s, q := crowd(3, 3, 400)
		search := viewers(q)
		failing := &failsAt{tables: s, at: n, err: down}
		found, err := search.Find(t.Context(), failing, s.by("reader", "reader", search), directory.Page{Limit: 500})
		switch {
		case n < 6 && !errors.Is(err, down):
			t.Errorf("read %d failed: %+v, %v", n, found, err)
		case err == nil && failing.reads > n:
			t.Errorf("read %d failed unseen", n)
		}
	}
}

// failsAt is a store of which one read fails.
type failsAt struct {
	*tables
	reads, at int
	err       error
}

func (f *failsAt) Load(ctx context.Context, o string, keys directory.Keys) (directory.Facts, error) {
	if f.fails() {
		return directory.Facts{}, f.err
	}
	return f.tables.Load(ctx, o, keys)
}

func (f *failsAt) Listed(ctx context.Context, o string, l directory.List, page directory.Page) ([]string, bool, error) {
	if f.fails() {
		return nil, false, f.err
	}
	return f.tables.Listed(ctx, o, l, page)
}

func (f *failsAt) fails() bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.reads++
	return f.reads-1 == f.at
}

// TestWhoMayThroughoutIsFound: while others come and go and the policy changes,
// between pages and amid them, and all change roles and places from page to
// page, those who may the whole time are found, each once.
func TestWhoMayThroughoutIsFound(t *testing.T) {
	for _, limit := range []int{7, 60} {
		s, q := crowd(4, 4, 300)
		s.lists = nil
		search := viewers(q)
		throughout, _, err := s.pages(search, "reader", "reader", 500)
		if err != nil || len(throughout) < 100 {
			t.Fatalf("%d may, %v", len(throughout), err)
		}
		turn := 0
		s.meanwhile = func() { turn++; s.turnOver(turn) }
		var all []string
		for after, more := "", true; more; {
			found, err := search.Find(t.Context(), s, s.by("reader", "reader", search), directory.Page{Limit: limit, After: after})
			if err != nil {
				t.Fatal(err)
			}
			all, after, more = append(all, found.Results...), found.Next, found.More
			for n, id := range throughout { // all move, by one role and place or by another
				s.put(id, fmt.Sprintf("r%03d", (n+turn)%4), fmt.Sprintf("l%03d", (n+2*turn)%4))
			}
		}
		if !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
			t.Errorf("pages of %d: somebody came twice: %q", limit, all)
		}
		for _, id := range throughout {
			if !slices.Contains(all, id) {
				t.Errorf("pages of %d: %s may the whole time and was not found", limit, id)
			}
		}
	}
}

// turnOver is what happens in one turn: somebody new who may, the newcomer
// before gone, and now and then another policy.
func (s *tables) turnOver(turn int) {
	s.put(fmt.Sprintf("p%04dx", turn%300), fmt.Sprintf("r%03d", turn%4), fmt.Sprintf("l%03d", turn%4))
	delete(s.facts.Users, fmt.Sprintf("p%04dx", (turn-1)%300))
	if turn%5 == 0 {
		s.facts.Policy++
		p := s.facts.Model.Policy()
		p.Roles = append(p.Roles, authz.Role{RoleRef: authz.RoleRef{ID: fmt.Sprintf("new%d", turn)}})
		s.facts.Model = authz.Compile(p)
	}
}

// TestC11ChangedListsAreChosenAnew: when the item has moved between the choice
// of lists and the reading of candidates, those of its new place are found.
func TestC11ChangedListsAreChosenAnew(t *testing.T) {
	s, q := crowd(4, 1, 300)
	s.lists = nil
	item := s.facts.Items["item"]
	item.Locations = []string{"l000"}
	s.facts.Items["item"] = item
	search := viewers(q)
	before := s.by("reader", "reader", search)
	item.Locations, item.Version = []string{"l001"}, 2
	s.facts.Items["item"] = item
	found, err := search.Find(t.Context(), s, before, directory.Page{Limit: 500})
	want, _, _ := s.pages(search, "reader", "reader", 500)
	if err != nil || found.More || !slices.Equal(found.Results, want) || len(want) == 0 {
		t.Errorf("%+v, %v; want %q", found, err, want)
	}
}

// TestC11APolicyThatNeverRests: a page does not go on for ever.
func TestC11APolicyThatNeverRests(t *testing.T) {
	s, q := crowd(2, 2, 50)
	s.meanwhile = func() { s.facts.Policy++ }
	found, err := viewers(q).Find(t.Context(), s, s.by("reader", "reader", viewers(q)), directory.Page{Limit: 50})
	if err != nil || !found.More || len(found.Results) > 0 || s.loads > 10 {
		t.Errorf("%+v after %d reads, %v", found, s.loads, err)
	}
}

// TestT4WhoMayNotAskAboutOthersReadsNoList: in a session both sides must be
// able to (I6), else oneself is all there is to find.
func TestT4WhoMayNotAskAboutOthersReadsNoList(t *testing.T) {
	for _, who := range [][2]string{{"nurse", "nurse"}, {"local", "nurse"}, {"nurse", "local"}, {"reader", "local"}} {
		s := &tables{facts: facts()}
		if _, _, err := s.pages(searchOf(permission.Subjects, onItem("", authz.DoView, "public")), who[0], who[1], 10); err != nil || s.queries > 0 {
			t.Errorf("%s by %s: %d queries, %v", who[0], who[1], s.queries, err)
		}
	}
}

func TestActionSearch(t *testing.T) {
	s := &tables{facts: facts()}
	search := func(q permission.Question) []string {
		all, _, err := s.pages(searchOf(permission.Actions, q), "reader", "reader", 1)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	facts := func(i authz.Item) permission.Question {
		q := onItem("nurse", authz.DoView, "given")
		i.Locations = []string{"icu"}
		q.Resource.Facts = &i
		return q
	}
	noRole := onUser("global", "", "nurse")
	noRole.Resource.Role = ""
	for name, tt := range map[string]struct {
		q    permission.Question
		want []string
	}{
		"C1 in the vocabulary's order":         {onItem("nurse", 0, "public"), []string{"participate", "view"}},
		"C5 participate without view":          {onItem("nurse", 0, "private"), []string{"participate"}},
		"C8 facts of the question":             {facts(authz.Item{Template: "idea", Status: authz.Active}), []string{"participate", "view"}},
		"C8 without a status participate":      {facts(authz.Item{Template: "idea"}), []string{"participate"}},
		"C8 nothing on what there is not":      {onItem("nurse", 0, "absent"), nil},
		"C8 nor for whom there is not":         {onItem("nobody", 0, "public"), nil},
		"C7 giving a role, when it is said":    {onUser("global", "", "nurse"), []string{"administer", "change_persona", "impersonate", "grant_role", "revoke_role"}},
		"C7 and not when it is not":            {noRole, []string{"administer", "change_persona", "impersonate"}},
		"C8 nothing on a type that is unknown": {permission.Question{Subject: permission.Subject{Type: "user", ID: "nurse"}, Resource: permission.Resource{Type: "planet", ID: "x"}}, nil},
	} {
		if got := search(tt.q); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}

// restless is a store in which somebody changes before each reading.
type restless struct {
	*tables
	who string
}

func (r restless) Load(ctx context.Context, organization string, keys directory.Keys) (directory.Facts, error) {
	u := r.facts.Users[r.who]
	u.Version++
	r.facts.Users[r.who] = u
	return r.tables.Load(ctx, organization, keys)
}

// TestI5WhoAsksIsWhoWasLetIn: a search goes on for nobody who has changed since
// the request was let in; the request is decided anew.
func TestI5WhoAsksIsWhoWasLetIn(t *testing.T) {
	for name, who := range map[string]string{"the session's actor": "global", "its subject": "reader", "somebody else": "doctor"} {
		t.Run(name, func(t *testing.T) {
			s, search := &tables{facts: facts()}, searchOf(permission.Subjects, onItem("", authz.DoView, "public"))
			s.index()
			by := s.by("reader", "global", search)
			_, err := search.Find(t.Context(), restless{s, who}, by, directory.Page{Limit: 50})
			if fault.IsRaced(err) != (who != "doctor") {
				t.Errorf("%v", err)
			}
		})
	}
}
