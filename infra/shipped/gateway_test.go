package shipped

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// call asks the stack's gateway and is the answer's status and body.
func (s *shipment) call(t *testing.T, method, path, token, body string) (int, []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.stack.URL+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	request.Header.Set("Content-Type", "application/json")
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

// throughTheGateway signs in and asks, as a client does.
func (s *shipment) throughTheGateway(t *testing.T) {
	status, answer := s.call(t, http.MethodPost, "/_local/token", "", `{"username":"maria.alvarez","password":"Demo-pass-2026!"}`)
	var tokens struct{ AccessToken string }
	if err := json.Unmarshal(answer, &tokens); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s %v", status, answer, err)
	}
	if status, answer := s.call(t, http.MethodGet, "/v1/me", tokens.AccessToken, ""); status != http.StatusOK || !strings.Contains(string(answer), `"maria.alvarez"`) {
		t.Errorf("%d %s", status, answer)
	}
	if status, answer := s.call(t, http.MethodGet, "/v1/me", "", ""); status != http.StatusUnauthorized {
		t.Errorf("without a token: %d %s", status, answer)
	}
}

// mailed waits for the notice of the impersonation that was started, which the
// stream drives, and finds it sent once, whatever was handed over again.
func (s *shipment) mailed(t *testing.T) {
	const subject = "KaiNexus: A KaiNexus Administrator has signed in as you"
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		_, answer := s.call(t, http.MethodGet, "/_local/mail", "", "")
		var mails []struct {
			To      []string
			Subject string
		}
		if err := json.Unmarshal(answer, &mails); err != nil {
			t.Fatalf("%v: %s", err, answer)
		}
		if len(mails) == 0 {
			continue
		}
		if len(mails) != 1 || mails[0].Subject != subject || len(mails[0].To) != 1 || mails[0].To[0] != "maria.alvarez@riverbend.example" {
			t.Errorf("the mail is %s", answer)
		}
		return
	}
	t.Error("no mail was sent")
}
