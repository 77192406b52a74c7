package body

import (
	"slices"

	"gemba/shared/authz"
	"gemba/shared/directory"
)

type locationBody struct {
	ID      string  `json:"id"`
	Name    string  `json:"name"`
	Parent  *string `json:"parent"`
	Version uint64  `json:"version,omitempty"`
}

// ReadLocation is a location body (U3). A parent that is left out is not a null one.
func ReadLocation(o *Object) directory.Location {
	o.Need("name")
	l := authz.Location{ID: o.ID("id"), Name: o.Text("name", Name), Parent: o.ID("parent")}
	return directory.Location{Location: l, Version: o.Version(), Unmoved: !slices.Contains(o.Names(), "parent")}
}

// Location is a location's body; a root's parent is null.
func Location(l directory.Location) any {
	out := locationBody{ID: l.ID, Name: l.Name, Version: l.Version}
	if l.Parent != "" {
		out.Parent = &l.Parent
	}
	return out
}

type workflowBody struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Version uint64 `json:"version,omitempty"`
}

// ReadWorkflow is a workflow body.
func ReadWorkflow(o *Object) directory.Workflow {
	o.Need("name")
	return directory.Workflow{Workflow: authz.Workflow{ID: o.ID("id"), Name: o.Text("name", Name)}, Version: o.Version()}
}

// Workflow is a workflow's body.
func Workflow(w directory.Workflow) any { return workflowBody{w.ID, w.Name, w.Version} }

type templateBody struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Workflow string `json:"workflow"`
	TeamType string `json:"teamType"`
	Version  uint64 `json:"version,omitempty"`
}

// ReadTemplate is a template body.
func ReadTemplate(o *Object) directory.Template {
	o.Need("name", "workflow", "teamType")
	t := authz.Template{
		ID: o.ID("id"), Name: o.Text("name", Name),
		Workflow: o.ID("workflow"), TeamType: Word(o, "teamType", teamTypes),
	}
	return directory.Template{Template: t, Version: o.Version()}
}

// Template is a template's body.
func Template(t directory.Template) any {
	return templateBody{t.ID, t.Name, t.Workflow, t.TeamType.String(), t.Version}
}

type itemBody struct {
	ID        string              `json:"id"`
	Template  string              `json:"template"`
	Locations []string            `json:"locations"`
	Status    string              `json:"status"`
	Private   bool                `json:"private"`
	Team      map[string][]string `json:"team"`
	Version   uint64              `json:"version,omitempty"`
}

// mostTeam bounds the users in one team role of one item.
const mostTeam = 5000

// ReadItem is an item body: the facts that a check needs (C8).
func ReadItem(o *Object) directory.Item {
	o.Need("template", "status")
	i := authz.Item{ID: o.ID("id")}
	ReadFacts(o, &i)
	return directory.Item{Item: i, Version: o.Version()}
}

// ReadFacts are the facts of an item as a question may carry them (C8);
// which of them are required depends on the question.
func ReadFacts(o *Object, i *authz.Item) {
	i.Template = o.ID("template")
	i.Locations = o.IDs("locations", mostNames)
	i.Status = Word(o, "status", statuses)
	i.Private = o.Bool("private")
	i.Team = map[authz.TeamRole][]string{}
	team := o.Object("team")
	for _, name := range team.Names() {
		if r, ok := teamRoles[name]; ok {
			i.Team[r] = team.IDs(name, mostTeam)
		}
	}
}

// Item is an item's body, which ReadItem reads back.
func Item(i directory.Item) any {
	out := itemBody{
		ID: i.ID, Template: i.Template, Locations: list(i.Locations), Status: i.Status.String(),
		Private: i.Private, Team: map[string][]string{}, Version: i.Version,
	}
	for r, users := range i.Team {
		out.Team[r.String()] = list(users)
	}
	return out
}
