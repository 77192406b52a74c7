package endpoints

import (
	"bytes"
	"context"
	"encoding/json"

	"gemba/shared/api"
)

// Function is the permission function. It differs from others in that a
// request's own X-Request-ID comes back in its answer, whatever the answer.
type Function struct{ *api.Function }

// requestIDHeader names the request in the client's words.
const requestIDHeader = "x-request-id"

// Invoke answers one API Gateway event of payload format 2.0.
func (f Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	answer, err := f.Function.Invoke(ctx, payload)
	if err != nil {
		return nil, err
	}
	if id := requestID(payload); id != "" {
		return withRequestID(answer, id)
	}
	return answer, nil
}

// requestID is the request's own, "" when it has none. Most have none, so the
// event is read again only for those that could.
func requestID(payload []byte) string {
	if !bytes.Contains(payload, []byte(requestIDHeader)) {
		return ""
	}
	var event struct {
		Headers map[string]string `json:"headers"`
	}
	if json.Unmarshal(payload, &event) != nil {
		return ""
	}
	return event.Headers[requestIDHeader]
}

func withRequestID(answer []byte, id string) ([]byte, error) {
	var response struct {
		StatusCode int               `json:"statusCode"`
		Headers    map[string]string `json:"headers"`
		Body       string            `json:"body"`
	}
	if err := json.Unmarshal(answer, &response); err != nil {
		return nil, err
	}
	response.Headers[requestIDHeader] = id
	return json.Marshal(response)
}
