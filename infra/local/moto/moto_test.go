package moto

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/google/go-cmp/cmp"

	"gemba/infra/local/template"
)

// started is a server with the repository's pool and client in it.
func started(t *testing.T) (server *Server, poolID, clientID string) {
	t.Helper()
	root, err := template.Root()
	if err != nil {
		t.Fatal(err)
	}
	read, err := template.Read(filepath.Join(root, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var pool template.Pool
	var client template.PoolClient
	if err := errors.Join(read.Properties("UserPool", &pool), set(read).Properties("UserPoolClient", &client)); err != nil {
		t.Fatal(err)
	}
	if server, err = Start(t.Context(), root, func(line string) { t.Log(line) }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	if poolID, clientID, err = server.CreatePool(t.Context(), pool, client); err != nil {
		t.Fatal(err)
	}
	return server, poolID, clientID
}

func set(t *template.Template) *template.Template {
	t.Set("UserPool", "pool")
	return t
}

func TestMoto(t *testing.T) {
	server, pool, client := started(t)
	t.Run("signs in with the right password alone", func(t *testing.T) { signIn(t, server, pool, client) })
	t.Run("keeps every write of many at once", func(t *testing.T) { manyAtOnce(t, server, pool) })
	t.Run("lists mail, oldest first", func(t *testing.T) { mails(t, server) })
	t.Run("serves the keys that tokens are signed with", func(t *testing.T) {
		keys, err := server.KeySet(t.Context(), pool)
		if err != nil || !strings.Contains(string(keys), `"RS256"`) {
			t.Errorf("%s: %v", keys, err)
		}
	})
	t.Run("ends", func(t *testing.T) {
		server.Close()
		<-server.Done()
		if _, err := server.Mail(t.Context()); err == nil {
			t.Error("it still answers")
		}
	})
}

func create(ctx context.Context, server *Server, pool, name string) error {
	api := cognitoidentityprovider.NewFromConfig(server.Config())
	_, err := api.AdminCreateUser(ctx, &cognitoidentityprovider.AdminCreateUserInput{UserPoolId: &pool, Username: &name})
	if err != nil {
		return err
	}
	_, err = api.AdminSetUserPassword(ctx, &cognitoidentityprovider.AdminSetUserPasswordInput{
		UserPoolId: &pool, Username: &name, Password: aws.String("Correct-horse-1"), Permanent: true,
	})
	return err
}

func signIn(t *testing.T, server *Server, pool, client string) {
	if err := create(t.Context(), server, pool, "maria"); err != nil {
		t.Fatal(err)
	}
	tokens, err := server.SignIn(t.Context(), client, "maria", "Correct-horse-1")
	if err != nil || tokens.Access == "" || tokens.ID == "" || tokens.Refresh == "" {
		t.Errorf("%+v: %v", tokens, err)
	}
	for name, password := range map[string]string{"maria": "wrong", "nobody": "Correct-horse-1"} {
		if _, err := server.SignIn(t.Context(), client, name, password); !errors.Is(err, ErrRefused) {
			t.Errorf("%s with %s: %v", name, password, err)
		}
	}
}

func manyAtOnce(t *testing.T, server *Server, pool string) {
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if err := create(t.Context(), server, pool, "user-"+string(rune('a'+i))); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	listed, err := cognitoidentityprovider.NewFromConfig(server.Config()).ListUsers(t.Context(),
		&cognitoidentityprovider.ListUsersInput{UserPoolId: &pool, Filter: aws.String(`username ^= "user-"`)})
	if err != nil || len(listed.Users) != 20 {
		t.Errorf("%d of 20 users are there: %v", len(listed.Users), err)
	}
}

func mails(t *testing.T, server *Server) {
	if got, err := server.Mail(t.Context()); err != nil || got == nil || len(got) != 0 {
		t.Errorf("before any: %v, %v", got, err)
	}
	if err := server.CreateIdentity(t.Context(), "from@gemba.example"); err != nil {
		t.Fatal(err)
	}
	part := func(text string) *types.Content { return &types.Content{Data: &text} }
	for i, body := range []*types.Body{{Text: part("plain")}, {Text: part("plain"), Html: part("<p>rich</p>")}} {
		_, err := sesv2.NewFromConfig(server.Config()).SendEmail(t.Context(), &sesv2.SendEmailInput{
			FromEmailAddress: aws.String("from@gemba.example"),
			Destination:      &types.Destination{ToAddresses: []string{"to@gemba.example"}},
			Content:          &types.EmailContent{Simple: &types.Message{Subject: part([]string{"one", "two"}[i]), Body: body}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := server.Mail(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, html := "plain", "<p>rich</p>"
	want := []Mail{
		{To: []string{"to@gemba.example"}, From: "from@gemba.example", Subject: "one", Text: &text},
		{To: []string{"to@gemba.example"}, From: "from@gemba.example", Subject: "two", HTML: &html},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAMachineWithoutPythonIsToldInOneLine(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Start(t.Context(), t.TempDir(), func(string) {})
	if err == nil || !strings.Contains(err.Error(), "python3 was not found") || !strings.Contains(err.Error(), "install") || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
}
