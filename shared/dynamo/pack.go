package dynamo

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"math"

	"github.com/fxamacker/cbor/v2"

	"gemba/shared/authz"
	"gemba/shared/directory"
	"gemba/shared/role"
)

// packForm is the form of what is packed; another is not read.
const packForm = "policy 1"

var errPacked = errors.New("no packed policy")

// canonical writes the same policy as the same bytes; whole reads lists of any
// length, as what is read has the hash that its writer told.
var (
	canonical, _ = cbor.CoreDetEncOptions().EncMode()
	whole, _     = cbor.DecOptions{MaxArrayElements: math.MaxInt32}.DecMode()
)

// packed is a policy as bytes: the items that it is stored as, in a change that
// puts them all.
type packed struct {
	Form   string
	Change changeItem
}

// pack is the policy but for its settings, compressed.
func pack(p authz.Policy) []byte { return deflated(writing(p)) }

// unpack is the policy that was packed.
func unpack(compressed []byte) (authz.Policy, error) {
	raw, err := inflated(compressed)
	if err != nil {
		return authz.Policy{}, err
	}
	return reading(raw)
}

// deflated is bytes compressed, inflated what was.
func deflated(raw []byte) []byte {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, flate.DefaultCompression) // the level is one
	_, _ = w.Write(raw)                                     // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

func inflated(compressed []byte) ([]byte, error) {
	return io.ReadAll(flate.NewReader(bytes.NewReader(compressed)))
}

func writing(p authz.Policy) []byte {
	all := packed{Form: packForm}
	for _, l := range p.Locations {
		all.Change.Locations = append(all.Change.Locations, locationForm(directory.Location{Location: l}))
	}
	for _, w := range p.Workflows {
		all.Change.Workflows = append(all.Change.Workflows, workflowForm(directory.Workflow{Workflow: w}))
	}
	for _, t := range p.Templates {
		all.Change.Templates = append(all.Change.Templates, templateForm(directory.Template{Template: t}))
	}
	for _, r := range p.Roles {
		all.Change.Roles = append(all.Change.Roles, roleForm(role.Role{Role: r}))
	}
	raw, _ := canonical.Marshal(all) // texts, numbers and lists of them always marshal
	return raw
}

func reading(raw []byte) (authz.Policy, error) {
	var all packed
	if err := whole.Unmarshal(raw, &all); err != nil {
		return authz.Policy{}, err
	}
	if all.Form != packForm {
		return authz.Policy{}, errPacked
	}
	if err := all.Change.check(); err != nil {
		return authz.Policy{}, err
	}
	return all.Change.change().Put, nil
}
