package gateway

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// answer is a function's answer in payload format 2.0.
type answer struct {
	StatusCode      int               `json:"statusCode"`
	Headers         map[string]string `json:"headers"`
	Cookies         []string          `json:"cookies"`
	Body            string            `json:"body"`
	IsBase64Encoded bool              `json:"isBase64Encoded"`
}

// write sends what a function answered. JSON without a statusCode is a body
// with 200, as API Gateway infers; anything else is a failure.
func write(w http.ResponseWriter, raw []byte) error {
	var decoded answer
	if err := json.Unmarshal(raw, &decoded); err != nil || decoded.StatusCode == 0 {
		if !json.Valid(raw) {
			return fmt.Errorf("the answer is no JSON")
		}
		decoded = answer{StatusCode: http.StatusOK, Body: string(raw), Headers: map[string]string{"content-type": "application/json"}}
	}
	if decoded.StatusCode < 100 || decoded.StatusCode > 599 {
		return fmt.Errorf("the answer's statusCode is %d", decoded.StatusCode)
	}
	body := []byte(decoded.Body)
	if decoded.IsBase64Encoded {
		var err error
		if body, err = base64.StdEncoding.DecodeString(decoded.Body); err != nil {
			return fmt.Errorf("the answer's body is no base64: %w", err)
		}
	}
	for name, value := range decoded.Headers {
		w.Header().Set(name, value)
	}
	for _, cookie := range decoded.Cookies {
		w.Header().Add("Set-Cookie", cookie)
	}
	if len(body) > 0 && w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	if len(body) > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(decoded.StatusCode)
	_, _ = w.Write(body) // the client may be gone; there is nobody left to tell
	return nil
}

// refuse answers for the gateway itself, in its own words.
func refuse(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	text, _ := json.Marshal(map[string]string{"message": message}) // strings always marshal
	_, _ = w.Write(text)
}
