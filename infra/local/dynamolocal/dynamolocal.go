// Package dynamolocal fetches and runs DynamoDB Local, the one store that the
// tests and the local stack use, and creates the template's table in it.
//
// It differs from DynamoDB in a few things that nobody should rely on: it
// never deletes by TTL, never answers TransactionConflict or throttling,
// counts transactional units double and knows no point-in-time recovery.
package dynamolocal

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"gemba/infra/local/child"
	"gemba/infra/local/template"
)

// Server is a running DynamoDB Local with nothing in it; what is written to it
// is gone when it ends.
type Server struct {
	process *child.Server
}

var listening = regexp.MustCompile(`^listening on port (\d+)$`)

// Start fetches DynamoDB Local if need be and runs it on a free port of the
// loopback address until Close or the end of this process. A machine without
// Java or Maven gets an error that says what to install.
func Start(ctx context.Context, root string, say func(string)) (*Server, error) {
	return start(ctx, root, say, "-sharedDb")
}

// StartApart is Start, but each access key has tables of its own. A server
// looks through the streams of all tables that an access key ever had with
// every write, so many tables of one key slow each other down.
func StartApart(ctx context.Context, root string, say func(string)) (*Server, error) {
	return start(ctx, root, say)
}

func start(ctx context.Context, root string, say func(string), flags ...string) (*Server, error) {
	if _, err := exec.LookPath("java"); err != nil {
		return nil, fmt.Errorf("java was not found, which runs DynamoDB Local: install a Java runtime, 17 or newer (Debian: apt-get install default-jre-headless)")
	}
	dir, err := Fetch(ctx, root, say)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "java", append([]string{
		"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", // it starts twice as fast so
		"-Djava.library.path=" + dir, "-cp", filepath.Join(dir, "classes") + string(os.PathListSeparator) + filepath.Join(dir, "*"),
		"Loopback", "-inMemory", "-disableTelemetry",
	}, flags...)...)
	cmd.Env = append(os.Environ(), "DDB_LOCAL_TELEMETRY=0")
	process, err := child.Start(ctx, cmd, listening)
	if err != nil {
		return nil, fmt.Errorf("DynamoDB Local did not start (it needs Java 17 or newer): %w", err)
	}
	return &Server{process: process}, nil
}

// Close ends the server.
func (s *Server) Close() { s.process.Close() }

// Done is closed when the server has ended, wanted or not.
func (s *Server) Done() <-chan struct{} { return s.process.Done }

// Endpoint is the address that SDK clients take as their BaseEndpoint.
func (s *Server) Endpoint() string { return "http://127.0.0.1:" + s.process.Port }

// Config is the SDK's configuration for this server.
func (s *Server) Config() aws.Config { return Config(s.Endpoint(), "local") }

// Config is the SDK's configuration for a local endpoint, with credentials
// that mean nothing and that no environment can replace by real ones. The
// access key is letters and digits.
func Config(endpoint, accessKey string) aws.Config {
	return aws.Config{
		Region:       template.Region,
		BaseEndpoint: aws.String(endpoint),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: accessKey, SecretAccessKey: "local"}, nil
		}),
	}
}

// CreateTable creates a table of the template's form under this name and is
// the ARN of its stream, empty when the form has none.
func CreateTable(ctx context.Context, client *dynamodb.Client, name string, form template.Table) (string, error) {
	stream := form.StreamSpecification
	if stream != nil {
		enabled := *stream // the form is shared by whoever creates a table of it
		enabled.StreamEnabled, stream = aws.Bool(true), &enabled
	}
	created, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:              &name,
		AttributeDefinitions:   form.AttributeDefinitions,
		KeySchema:              form.KeySchema,
		GlobalSecondaryIndexes: form.GlobalSecondaryIndexes,
		BillingMode:            form.BillingMode,
		StreamSpecification:    stream,
	})
	if err != nil {
		return "", fmt.Errorf("create table %s: %w", name, err)
	}
	if form.TimeToLiveSpecification != nil {
		_, err = client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
			TableName: &name, TimeToLiveSpecification: form.TimeToLiveSpecification,
		})
	}
	return aws.ToString(created.TableDescription.LatestStreamArn), err
}
