package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gemba/infra/local/moto"
	"gemba/infra/local/template"
	"gemba/infra/organization/world"
	"gemba/shared/dynamotest"
)

func none(string) string { return "" }

func command(t *testing.T, env func(string) string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	err = run(t.Context(), args, env, &out, &errs)
	return out.String(), errs.String(), err
}

func TestEveryFaultIsALine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "world.json")
	text := `{"organization": {"id": "a b", "name": "A"}, "locations": [{"id": "x", "name": "X", "parent": "y"}], "things": 1}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, err := command(t, none, "-world", file, "-table", "t", "-user-pool", "p")
	if err == nil || !strings.Contains(err.Error(), "is faulty") || stdout != "" {
		t.Errorf("%v, %q", err, stdout)
	}
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	for i, pointer := range []string{"/organization/id: ", "/things: ", "/locations/0/parent: ", "/users: "} {
		if i >= len(lines) || !strings.HasPrefix(lines[i], pointer) {
			t.Errorf("line %d of %q does not begin with %q", i, stderr, pointer)
		}
	}
}

func TestWhatIsRequired(t *testing.T) {
	env := func(name string) string { return map[string]string{"TABLE": "t", "USER_POOL_ID": "p"}[name] }
	for name, c := range map[string]struct {
		env  func(string) string
		args []string
		want string
	}{
		"no world":     {env, nil, "-world is required"},
		"no table":     {none, []string{"-world", "w", "-user-pool", "p"}, "-table is required"},
		"no pool":      {none, []string{"-world", "w", "-table", "t"}, "-user-pool is required"},
		"unknown flag": {env, []string{"-wrold", "w"}, "-wrold"},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr, err := command(t, c.env, c.args...)
			if !errors.Is(err, errUsage) || !strings.Contains(stderr, c.want) {
				t.Errorf("%v, %q", err, stderr)
			}
		})
	}
	t.Run("the environment names table and pool", func(t *testing.T) {
		if _, stderr, err := command(t, env, "-world", filepath.Join(t.TempDir(), "none.json")); !os.IsNotExist(err) || stderr != "" {
			t.Errorf("%v, %q", err, stderr)
		}
	})
}

func TestTell(t *testing.T) {
	var out bytes.Buffer
	tell(&out, "clinic", world.Report{Users: world.Count{Created: 2, There: 198}})
	if !strings.Contains(out.String(), "organization clinic") || !strings.Contains(out.String(), "users                 2      198") {
		t.Error(out.String())
	}
}

// TestLoadsIntoTableAndPool runs the command on real parts, twice: the second
// run creates nothing, and who has a password can sign in with it.
func TestLoadsIntoTableAndPool(t *testing.T) {
	client, table := dynamotest.Table(t)
	server, pool, app := userPool(t)
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", *client.Options().BaseEndpoint)
	t.Setenv("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", server.Endpoint())
	credentials, err := client.Options().Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", credentials.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", credentials.SecretAccessKey)
	args := []string{"-world", "../demo/world.json", "-table", table, "-user-pool", pool, "-region", client.Options().Region}
	for _, want := range []string{"users               200        0", "users                 0      200"} {
		stdout, stderr, err := command(t, none, args...)
		if err != nil || !strings.Contains(stdout, want) {
			t.Fatalf("%v, %q, %q, want %q", err, stdout, stderr, want)
		}
	}
	if tokens, err := server.SignIn(t.Context(), app, "maria.alvarez", "Demo-pass-2026!"); err != nil || tokens.Access == "" {
		t.Errorf("the nurse cannot sign in: %v", err)
	}
}

// userPool is a local pool of the template's form, with its client.
func userPool(t *testing.T) (*moto.Server, string, string) {
	t.Helper()
	root, err := template.Root()
	if err != nil {
		t.Fatal(err)
	}
	read, err := template.Read(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var (
		pool   template.Pool
		client template.PoolClient
	)
	for kind, form := range map[string]any{"AWS::Cognito::UserPool": &pool, "AWS::Cognito::UserPoolClient": &client} {
		id, err := read.Only(kind)
		if err != nil {
			t.Fatal(err)
		}
		read.Set("UserPool", "pool")
		if err := read.Properties(id, form); err != nil {
			t.Fatal(err)
		}
	}
	server, err := moto.Start(t.Context(), root, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	poolID, clientID, err := server.CreatePool(t.Context(), pool, client)
	if err != nil {
		t.Fatal(err)
	}
	return server, poolID, clientID
}
