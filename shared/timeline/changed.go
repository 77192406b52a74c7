package timeline

import "reflect"

// Changed keeps of two states of a thing only the members that differ (T1).
func Changed(before, after Values) (Values, Values) {
	was, is := Values{}, Values{}
	for name, v := range before {
		if !reflect.DeepEqual(v, after[name]) {
			was[name] = v
		}
	}
	for name, v := range after {
		if !reflect.DeepEqual(v, before[name]) {
			is[name] = v
		}
	}
	return was, is
}
