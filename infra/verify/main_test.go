package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"gemba/shared/dynamo"
	"gemba/shared/dynamotest"
	"gemba/shared/dynamotest/fixture"
	"gemba/shared/timeline"
)

func none(string) string { return "" }

func command(t *testing.T, env func(string) string, args ...string) (stdout, stderr string, exit int) {
	t.Helper()
	var out, errs bytes.Buffer
	exit = status(run(t.Context(), args, env, &out, &errs), &errs)
	return out.String(), errs.String(), exit
}

func TestWhatIsRequired(t *testing.T) {
	env := func(name string) string { return map[string]string{"TABLE": "t"}[name] }
	hash := strings.Repeat("0f", 32)
	for name, c := range map[string]struct {
		env  func(string) string
		args []string
		want string
	}{
		"no table":           {none, []string{"-organization", "o"}, "-table is required"},
		"no organization":    {env, nil, "-organization is required"},
		"no id":              {env, []string{"-organization", "a b"}, "-organization is required"},
		"no time":            {env, []string{"-organization", "o", "-from", "yesterday"}, "-from"},
		"an end before":      {env, []string{"-organization", "o", "-from", "2026-03-02T00:00:00Z", "-to", "2026-03-01T00:00:00Z"}, "-to does not come before -from"},
		"a head without one": {env, []string{"-organization", "o", "-head", hash}, "a head is"},
		"a head of nothing":  {env, []string{"-organization", "o", "-head", "0." + hash}, "a head is"},
		"half a head":        {env, []string{"-organization", "o", "-head", "7." + hash[2:]}, "a head is"},
		"something behind":   {env, []string{"-organization", "o", "all"}, "nothing is expected"},
		"unknown flag":       {env, []string{"-organisation", "o"}, "-organisation"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, exit := command(t, c.env, c.args...)
			if exit != 2 || !strings.Contains(stderr, c.want) || stdout != "" {
				t.Errorf("%d, %q, %q", exit, stdout, stderr)
			}
		})
	}
	if exit := status(fmt.Errorf("stopped: %w", errors.New("no table")), &bytes.Buffer{}); exit != 2 {
		t.Errorf("what could not be told is %d", exit)
	}
}

// sealed is a place whose timeline is sealed, and the command's credentials for it.
func sealed(t *testing.T) (*fixture.Place, []string) {
	t.Helper()
	store, place := fixture.World(t)
	var entries []timeline.Sealed
	for _, e := range place.Recorded(t) {
		text, err := json.Marshal(dynamotest.Image(e))
		if err != nil {
			t.Fatal(err)
		}
		_, one, ok := dynamo.SealingIn(text, place.Clock.Now())
		if !ok {
			t.Fatalf("%v is no entry", e)
		}
		entries = append(entries, one)
	}
	if _, err := timeline.NewSealer(store, place.Clock.Now).Seal(t.Context(), fixture.Organization, entries); err != nil {
		t.Fatal(err)
	}
	credentials, err := place.Config.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", aws.ToString(place.Config.BaseEndpoint))
	t.Setenv("AWS_ACCESS_KEY_ID", credentials.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", credentials.SecretAccessKey)
	return place, []string{"-table", place.Table, "-region", place.Config.Region, "-organization", fixture.Organization}
}

// TestT2TheCommandVerifies, says that all is whole and names the head, which it takes again; of what was
// changed it names the first.
func TestT2TheCommandVerifies(t *testing.T) {
	place, args := sealed(t)
	entries := place.Recorded(t)
	stdout, stderr, exit := command(t, none, args...)
	head := regexp.MustCompile(`head +(\d+\.[0-9a-f]{64}) of 2026-03-02T09:00:00Z`).FindStringSubmatch(stdout)
	if exit != 0 || head == nil || !strings.Contains(stdout, fmt.Sprintf("verified     %d entries", len(entries))) || !strings.Contains(stdout, "whole ") {
		t.Fatalf("%d, %q, %q", exit, stdout, stderr)
	}
	if stdout, _, exit := command(t, none, append(args, "-head", head[1])...); exit != 0 || !strings.Contains(stdout, "kept head    in the chain") {
		t.Errorf("%d, %q", exit, stdout)
	}
	other := head[1][:len(head[1])-1] + map[bool]string{true: "1", false: "0"}[strings.HasSuffix(head[1], "0")]
	if stdout, _, exit := command(t, none, append(args, "-head", other)...); exit != 1 || !strings.Contains(stdout, "NOT in the chain") || !strings.Contains(stdout, "FIRST FLAW   chain") {
		t.Errorf("%d, %q", exit, stdout)
	}
	if stdout, _, exit := command(t, none, append(args, "-from", "2027-01-01T00:00:00Z")...); exit != 0 || !strings.Contains(stdout, "verified     0 entries") {
		t.Errorf("%d, %q", exit, stdout)
	}

	changed := maps.Clone(entries[7])
	changed["action"] = &types.AttributeValueMemberS{Value: "nothing"}
	if _, err := place.Client().PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &place.Table, Item: changed}); err != nil {
		t.Fatal(err)
	}
	stdout, _, exit = command(t, none, args...)
	if exit != 1 || !strings.Contains(stdout, "FIRST FLAW   changed, entry "+changed.Text("sk")+" of ") {
		t.Errorf("%d, %q", exit, stdout)
	}
}

// TestWhatCannotBeToldIsNotWhole: no organization, no table, no answer.
func TestWhatCannotBeToldIsNotWhole(t *testing.T) {
	_, args := sealed(t)
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"another organization": {append(slices.Clone(args), "-organization", "elsewhere"), "there is no organization elsewhere"},
		"another table":        {append(slices.Clone(args), "-table", "elsewhere"), "stopped"},
	} {
		if stdout, stderr, exit := command(t, none, c.args...); exit != 2 || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: %d, %q, %q", name, exit, stdout, stderr)
		}
	}
}

func TestTell(t *testing.T) {
	var out bytes.Buffer
	tell(&out, timeline.Walk{Unsealed: 3})
	tell(&out, timeline.Walk{First: timeline.Flaw{Breach: timeline.BrokenChain, At: time.Unix(0, 0).UTC(), Detail: "Block 2 is missing."}})
	for _, want := range []string{"none: nothing was sealed", "unsealed     3 entries", "FIRST FLAW   chain, at 1970-01-01T00:00:00Z: Block 2 is missing."} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not told in %s", want, out.String())
		}
	}
}
