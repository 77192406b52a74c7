package shipped

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// asker is somebody who is signed in, and the session that they act in, if any.
type asker struct{ token, session string }

// call asks the stack's gateway, and is the answer's status and body.
func (s *shipment) call(t *testing.T, a asker, method, path, body string) (int, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.stack.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if a.token != "" {
		request.Header.Set("Authorization", "Bearer "+a.token)
	}
	if a.session != "" {
		request.Header.Set("Impersonation-Session", a.session)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer
}

// is asks and wants a status and a text in the body.
func (s *shipment) is(t *testing.T, a asker, method, path, body string, status int, text string) []byte {
	t.Helper()
	got, answer := s.call(t, a, method, path, body)
	if got != status || !strings.Contains(string(answer), text) {
		t.Fatalf("%s %s: %d %s, want %d with %s", method, path, got, answer, status, text)
	}
	return answer
}

const password = "Demo-pass-2026!"

// as signs a user of the demo world in.
func (s *shipment) as(t *testing.T, username string) asker {
	t.Helper()
	answer := s.is(t, asker{}, http.MethodPost, "/_local/token", `{"username":"`+username+`","password":"`+password+`"}`, 200, "accessToken")
	return asker{token: at(document(t, answer), "accessToken").(string)}
}

// throughTheGateway signs in and asks, as a client does.
func (s *shipment) throughTheGateway(t *testing.T) {
	s.is(t, s.as(t, "maria.alvarez"), http.MethodGet, "/v1/me", "", 200, `"maria.alvarez"`)
	s.is(t, asker{}, http.MethodGet, "/v1/me", "", 401, "Unauthorized")
}

// inASession acts as another person through every function, each of which
// touches the session by its own rights, and loses the right to on the way.
func (s *shipment) inASession(t *testing.T) {
	support, administrator := s.as(t, "tomas.lindqvist"), s.as(t, "olivia.bennett")
	start := `{"subject":"amina.hassan","credentials":{"username":"tomas.lindqvist","password":"` + password + `"}}`
	support.session = at(document(t, s.is(t, support, http.MethodPost, "/v1/impersonations", start, 201, "amina.hassan")), "id").(string)

	s.is(t, support, http.MethodGet, "/v1/me", "", 200, "Tomas Lindqvist is signed in as Amina Hassan.")
	s.is(t, support, http.MethodGet, "/v1/impersonations", "", 200, support.session)
	s.is(t, support, http.MethodPost, "/access/v1/evaluation",
		`{"subject":{"type":"user","id":"amina.hassan"},"action":{"name":"edit"},"resource":{"type":"item","id":"i-001"}}`, 200, `"decision":true`)
	s.is(t, support, http.MethodGet, "/v1/roles", "", 200, "items")
	s.is(t, support, http.MethodGet, "/v1/persona-report", "", 200, "ci_experts")
	s.is(t, support, http.MethodPut, "/v1/users/keisha.brown/persona", `{"persona":"leader"}`, 404, "not_found")
	s.is(t, support, http.MethodGet, "/v1/timeline", "", 403, "denied")

	// I5: it ends in the first request after the right is lost.
	s.is(t, administrator, http.MethodDelete, "/v1/users/tomas.lindqvist/roles/support", "", 200, "tomas.lindqvist")
	s.is(t, support, http.MethodGet, "/v1/persona-report", "", 403, "impersonation_invalid")
	s.is(t, administrator, http.MethodGet, "/v1/impersonations/"+support.session, "", 200, `"cause":"right_lost"`)
	s.is(t, administrator, http.MethodPut, "/v1/users/tomas.lindqvist/roles/support", "", 200, "support")
}

// mailed waits for the notice and the receipt of the impersonation that was
// started and ended, which the stream drives, and finds each sent once, whatever
// was handed over again.
func (s *shipment) mailed(t *testing.T) {
	want := []string{
		"KaiNexus: A KaiNexus Administrator has signed in as you",
		"KaiNexus: What was done while a KaiNexus Administrator was signed in as you",
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		_, answer := s.call(t, asker{}, http.MethodGet, "/_local/mail", "")
		var mails []struct {
			To      []string
			Subject string
		}
		if err := json.Unmarshal(answer, &mails); err != nil {
			t.Fatalf("%v: %s", err, answer)
		}
		if len(mails) < len(want) {
			continue
		}
		var got []string
		for _, mail := range mails {
			if !slices.Equal(mail.To, []string{"maria.alvarez@riverbend.example"}) {
				t.Errorf("a mail went to %v", mail.To)
			}
			got = append(got, mail.Subject)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("the mails are %s", answer)
		}
		return
	}
	t.Error("the two mails were not sent")
}
