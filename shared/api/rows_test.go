package api_test

import (
	"encoding/json"
	"errors"
	"testing"

	"gemba/shared/api"
	"gemba/shared/fault"
)

// TestRowsAreAnsweredInTheirOrder however their units came to be.
func TestRowsAreAnsweredInTheirOrder(t *testing.T) {
	body := func(place int) (int, any) { return place, map[string]int{"row": place} }
	units := [][]byte{api.KeepRows([]int{3, 0}, body), api.KeepRows([]int{4}, body), api.KeepRows([]int{2, 1}, body)}
	r, err := api.RowsOf(units, 5)
	text, _ := json.Marshal(r.Body)
	if want := `{"results":[{"row":0},{"row":1},{"row":2},{"row":3},{"row":4}]}`; err != nil || string(text) != want || r.Status != 200 {
		t.Errorf("%d %s, %v", r.Status, text, err)
	}
	none, err := api.RowsOf(nil, 0)
	if text, _ := json.Marshal(none.Body); err != nil || string(text) != `{"results":[]}` {
		t.Errorf("%s, %v", text, err)
	}
	if _, err := api.RowsOf([][]byte{[]byte("{")}, 1); !fault.Is(err, fault.Internal) {
		t.Errorf("%v", err)
	}
}

// TestARowsProblem has pointers into the whole body, no request's id, and hides
// what a single call would.
func TestARowsProblem(t *testing.T) {
	if p := api.RowProblem(3, nil); p != nil {
		t.Errorf("%v", p)
	}
	given := fault.Faulty(fault.Unprocessable, "invalid_limit", []fault.Problem{{Pointer: "/locations/0", Detail: "No."}, {Pointer: "", Detail: "No."}})
	for want, err := range map[string]error{
		`{"type":"urn:problem:invalid_limit","title":"The request breaks a rule","status":422,"detail":"No.","errors":[{"pointer":"/changes/3/locations/0","detail":"No."},{"pointer":"/changes/3","detail":"No."}]}`: given,
		`{"type":"urn:problem:not_found","title":"There is no such thing","status":404,"detail":"Nothing has this name, or you may not know of it."}`:                                                                 fault.New(fault.NotFound, "not_found", "There is no such role."),
		`{"type":"urn:problem:internal","title":"Something went wrong here","status":500,"detail":"It is not the request's fault. The request id finds it in our log."}`:                                              fault.Wrap(fault.Internal, "x", errors.New("secret")),
	} {
		if text, _ := json.Marshal(api.RowProblem(3, err)); string(text) != want {
			t.Errorf("%s, want %s", text, want)
		}
	}
	if fault.Of(given).Problems[0].Pointer != "/locations/0" {
		t.Error("the failure itself was changed")
	}
}
