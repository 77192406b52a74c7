package metrics

import (
	"encoding/json"
	"io"

	"gemba/shared/persona"
)

// PublishDrift writes what a reconciliation found of an organization (P8), one line;
// none when the organization could not be read.
func PublishDrift(w io.Writer, found persona.Watching) error {
	if found.Found.At.IsZero() {
		return nil
	}
	count := func(name string) map[string]string { return map[string]string{"Name": name, "Unit": "Count"} }
	text, err := json.Marshal(map[string]any{
		"_aws": map[string]any{"Timestamp": found.Found.At.UnixMilli(), "CloudWatchMetrics": []any{map[string]any{
			"Namespace": namespace, "Dimensions": [][]string{{"Organization"}}, "Metrics": []any{count("Drift"), count("Unsettled")},
		}}},
		"Organization": found.Organization, "Drift": found.Found.Drift(), "Unsettled": found.Found.Unsettled,
		"Users": found.Found.Users, "Sets": found.Found.Sets,
	})
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}
