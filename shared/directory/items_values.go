package directory

import (
	"fmt"
	"maps"
	"slices"

	"gemba/shared/authz"
	"gemba/shared/timeline"
)

// sameFacts is whether two items say the same: their lists are sets.
func sameFacts(a, b Item) bool {
	same := a.Template == b.Template && a.Status == b.Status && a.Private == b.Private && sameSet(a.Locations, b.Locations)
	for r := authz.NoTeamRole; r < authz.TeamRoleCount; r++ {
		same = same && sameSet(a.Team[r], b.Team[r])
	}
	return same
}

// sameSet is whether two lists have the same members.
func sameSet(a, b []string) bool { return maps.Equal(setOf(a), setOf(b)) }

// mostNoted bounds the ids of one list that an entry tells.
const mostNoted = 50

// changedFacts is what an entry tells of a change: the members that differ; of a
// team, by role, who is on it no more and who is new on it. Of many, the first
// are named and the others counted, because a team may have any size.
func changedFacts(before, after Item) (was, is timeline.Values) {
	was, is = timeline.Changed(factValues(before), factValues(after))
	left, joined := map[string]any{}, map[string]any{}
	for r := authz.NoTeamRole + 1; r < authz.TeamRoleCount; r++ {
		note(left, r, before.Team[r], after.Team[r])
		note(joined, r, after.Team[r], before.Team[r])
	}
	if len(left) > 0 {
		was["team"] = left
	}
	if len(joined) > 0 {
		is["team"] = joined
	}
	return was, is
}

// note adds those of a team role who are in one of its states alone.
func note(team map[string]any, r authz.TeamRole, in, notIn []string) {
	other := setOf(notIn)
	only := slices.DeleteFunc(slices.Clone(in), func(id string) bool { return other[id] })
	if len(only) > 0 {
		team[r.String()] = noted(only)
	}
}

// factValues are an item's members but for its team; none of no item.
func factValues(i Item) timeline.Values {
	if i.Version == 0 {
		return timeline.Values{}
	}
	return timeline.Values{"template": i.Template, "status": i.Status.String(), "private": i.Private, "locations": noted(slices.Sorted(slices.Values(i.Locations)))}
}

// noted are the ids that an entry tells of a list.
func noted(ids []string) []any {
	told := []any{}
	for _, id := range ids[:min(len(ids), mostNoted)] {
		told = append(told, id)
	}
	if more := len(ids) - mostNoted; more > 0 {
		told = append(told, fmt.Sprintf("and %d more", more))
	}
	return told
}
