package importer

import (
	"cmp"
	"slices"
)

// Unit is entries that can only become together, because each names the next
// in a circle; nearly always it is one. Level is how far it stands from what
// names nothing of this world: what a unit names is of lower levels.
type Unit struct {
	Places []Place
	Level  int
}

// Units are the entries of a world in an order in which each comes after all
// that it names, whatever the document's order is. Of several entries with one
// id, others mean the first.
func (w World) Units() []Unit {
	o := ordering{needs: w.Needs(), seen: map[Place]*visit{}}
	for _, p := range w.Places() {
		if o.seen[p] == nil {
			o.visit(p)
		}
	}
	slices.SortStableFunc(o.units, func(a, b Unit) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), a.Places[0].compare(b.Places[0]))
	})
	return o.units
}

// Needs is for each entry the entries of this world that it names, itself
// perhaps among them.
func (w World) Needs() map[Place][]Place {
	first := map[name]Place{}
	for _, p := range w.Places() {
		n := name{p.Kind, w.ID(p)}
		if _, twice := first[n]; !twice {
			first[n] = p
		}
	}
	needs := map[Place][]Place{}
	for _, p := range w.Places() {
		for _, n := range w.names(p) {
			if named, here := first[n]; here && !slices.Contains(needs[p], named) {
				needs[p] = append(needs[p], named)
			}
		}
	}
	return needs
}

// ordering finds circles and levels by Tarjan's algorithm: a circle is whole
// when the search leaves the entry by which it was entered, and then all that
// it names has been left before.
type ordering struct {
	needs map[Place][]Place
	seen  map[Place]*visit
	path  []Place
	units []Unit
}

// visit is what the search knows of an entry. low is the earliest entry of
// the path that it leads back to.
type visit struct {
	number, low int
	level       int
	open        bool // its circle is not whole yet
}

func (o *ordering) visit(p Place) *visit {
	v := &visit{number: len(o.seen), low: len(o.seen), open: true}
	o.seen[p] = v
	o.path = append(o.path, p)
	for _, named := range o.needs[p] {
		next := o.seen[named]
		if next == nil {
			next = o.visit(named)
			v.low = min(v.low, next.low)
		}
		if next.open {
			v.low = min(v.low, next.number)
			v.level = max(v.level, next.level)
		} else {
			v.level = max(v.level, next.level+1)
		}
	}
	if v.low == v.number {
		o.close(p, v)
	}
	return v
}

// close makes a unit of what the path has from an entry on.
func (o *ordering) close(p Place, v *visit) {
	from := slices.Index(o.path, p)
	unit := Unit{Places: slices.Clone(o.path[from:]), Level: v.level}
	for _, member := range unit.Places {
		unit.Level = max(unit.Level, o.seen[member].level)
	}
	for _, member := range unit.Places {
		o.seen[member].open, o.seen[member].level = false, unit.Level
	}
	o.path = o.path[:from]
	slices.SortFunc(unit.Places, Place.compare)
	o.units = append(o.units, unit)
}
