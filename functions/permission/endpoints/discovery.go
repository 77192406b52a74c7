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
	Subjects            string `json:"search_subject_endpoint"`
	Resources           string `json:"search_resource_endpoint"`
	Actions             string `json:"search_action_endpoint"`
}

// discover answers to everybody, with what changes only with the service.
func discover(r *api.Request) api.Response {
	at := func(route string) string {
		_, path, _ := strings.Cut(route, " ")
		return r.BaseURL + path
	}
	return api.Response{Status: http.StatusOK, Header: map[string]string{"cache-control": "max-age=3600"}, Body: metadata{
		PolicyDecisionPoint: r.BaseURL, Evaluation: at(evaluationRoute), Evaluations: at(evaluationsRoute),
		Subjects: at(subjectsRoute), Resources: at(resourcesRoute), Actions: at(actionsRoute),
	}}
}
