package stack

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"gemba/infra/local/moto"
)

// lambdaPath is where the functions' own invocations go.
const lambdaPath = "/_local/lambda"

// withLocal puts the paths that exist here alone before the gateway's.
func (s *Stack) withLocal(gateway http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_local/ready", s.answerReady)
	mux.HandleFunc("POST /_local/token", s.answerToken)
	mux.HandleFunc("GET /_local/mail", s.answerMail)
	mux.HandleFunc("POST /_local/schedule/{name}", s.answerSchedule)
	for name, endpoint := range map[string]string{"dynamodb": s.dynamo.Endpoint(), "cognito": s.moto.Endpoint(), "ses": s.moto.Endpoint()} {
		forward(mux, "/_local/"+name, endpoint)
	}
	mux.Handle(lambdaPath+"/", http.StripPrefix(lambdaPath, s.queue.Handler()))
	mux.HandleFunc("/_local/", func(w http.ResponseWriter, _ *http.Request) {
		problem(w, http.StatusNotFound, "not_found", "There is no such local path.")
	})
	// The mux would redirect a path that is not clean; API Gateway does not.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		gateway.ServeHTTP(w, r)
	})
}

// forward serves a local service under a path: an address that stays the same
// while its port does not, for what runs beside the stack (a function under
// sam local invoke, the AWS command line).
func forward(mux *http.ServeMux, path, endpoint string) {
	target, err := url.Parse(endpoint)
	if err != nil {
		panic(err) // our own servers' addresses parse
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	mux.Handle(path, http.StripPrefix(path, proxy))
	mux.Handle(path+"/", http.StripPrefix(path, proxy))
}

func (s *Stack) answerReady(w http.ResponseWriter, _ *http.Request) {
	select {
	case <-s.dynamo.Done():
		problem(w, http.StatusServiceUnavailable, "not_ready", "DynamoDB Local has ended.")
	case <-s.moto.Done():
		problem(w, http.StatusServiceUnavailable, "not_ready", "moto has ended.")
	default:
		answer(w, http.StatusOK, map[string]bool{"ready": true})
	}
}

type tokens struct {
	AccessToken  string `json:"accessToken"`
	IDToken      string `json:"idToken"`
	RefreshToken string `json:"refreshToken"`
}

func (s *Stack) answerToken(w http.ResponseWriter, r *http.Request) {
	var in struct{ Username, Password string }
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); err != nil || in.Username == "" || in.Password == "" {
		problem(w, http.StatusBadRequest, "malformed", `The body is {"username": "...", "password": "..."}.`)
		return
	}
	got, err := s.moto.SignIn(r.Context(), s.Parts.UserPoolClient, in.Username, in.Password)
	switch {
	case errors.Is(err, moto.ErrRefused):
		problem(w, http.StatusUnauthorized, "unauthenticated", "The sign-in is refused: "+err.Error()+".")
	case err != nil:
		s.unavailable(w, "Cognito", err)
	default:
		answer(w, http.StatusOK, tokens{got.Access, got.ID, got.Refresh})
	}
}

func (s *Stack) answerMail(w http.ResponseWriter, r *http.Request) {
	mails, err := s.moto.Mail(r.Context())
	if err != nil {
		s.unavailable(w, "SES", err)
		return
	}
	answer(w, http.StatusOK, mails)
}

// answerSchedule fires for a scheduled time that may be given, so that the audit of
// another day can be tried. It answers when the function is done, and all that it
// handed to more invocations, with what it answered itself.
func (s *Stack) answerSchedule(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if !s.scheduler.Has(name) {
		problem(w, http.StatusNotFound, "not_found", "No function of this name has a schedule.")
		return
	}
	at, err := scheduledTime(http.MaxBytesReader(w, r.Body, 1<<16))
	if err != nil {
		problem(w, http.StatusBadRequest, "malformed", `There is no body, or it is {"scheduledTime": "2026-12-01T03:00:00Z"}.`)
		return
	}
	result, err := s.scheduler.Fire(r.Context(), name, at)
	s.queue.Wait(r.Context())
	if err != nil {
		s.log.Error("a scheduled function failed", "function", name, "error", err.Error())
		problem(w, http.StatusInternalServerError, "function_failed", "The function failed; the log says why.")
		return
	}
	if !json.Valid(result) {
		result = []byte("null")
	}
	answer(w, http.StatusOK, json.RawMessage(result))
}

// scheduledTime reads the time that a body asks for; zero when there is no body.
func scheduledTime(body io.Reader) (time.Time, error) {
	var in struct {
		ScheduledTime time.Time `json:"scheduledTime"`
	}
	decoder := json.NewDecoder(body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&in); errors.Is(err, io.EOF) {
		return time.Time{}, nil
	} else if err != nil {
		return time.Time{}, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) || in.ScheduledTime.IsZero() {
		return time.Time{}, errors.New("one time is expected")
	}
	return in.ScheduledTime, nil
}

func (s *Stack) unavailable(w http.ResponseWriter, what string, err error) {
	s.log.Error("a local service failed", "service", what, "error", err.Error())
	problem(w, http.StatusServiceUnavailable, "unavailable", "The local "+what+" failed; the log says why.")
}

func answer(w http.ResponseWriter, status int, body any) {
	send(w, status, "application/json", body)
}

// problem answers as the functions do, with a problem document.
func problem(w http.ResponseWriter, status int, code, detail string) {
	send(w, status, "application/problem+json", map[string]any{
		"type": "urn:problem:" + code, "title": http.StatusText(status), "status": status, "detail": detail,
	})
}

func send(w http.ResponseWriter, status int, kind string, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "the answer cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(text) // the client may be gone
}
