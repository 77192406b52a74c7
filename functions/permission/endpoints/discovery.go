package endpoints

import (
	"net/http"
	"strings"

	"gemba/shared/api"
)

// metadata is AuthZEN's document about this service: the identifier and the
// calls that there are.
type metadata struct {
	PolicyDecisionPoint string `json:"policy_decision_point"`
	Evaluation          string `json:"access_evaluation_endpoint"`
	Evaluations         string `json:"access_evaluations_endpoint"`
}

// discover answers to everybody.
func discover(r *api.Request) api.Response {
	base := baseURL(r)
	at := func(route string) string {
		_, path, _ := strings.Cut(route, " ")
		return base + path
	}
	return api.Response{Status: http.StatusOK, Body: metadata{
		PolicyDecisionPoint: base, Evaluation: at(evaluationRoute), Evaluations: at(evaluationsRoute),
	}}
}

// baseURL is the URL that was asked. The host is the one that the client
// named, as it compares the two, so with the port if there was one.
func baseURL(r *api.Request) string {
	scheme, domain, _ := strings.Cut(r.BaseURL, "://")
	if host := r.Header("host"); host != "" {
		domain = host
	}
	return scheme + "://" + domain
}
