package shipped

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"

	"gemba/infra/iam"
	"gemba/infra/local/stack"
	"gemba/infra/local/template"
)

// architectures are template.yaml's names of the processors that Go names.
var architectures = map[string]string{"amd64": "x86_64", "arm64": "arm64"}

// run runs a command at the repository's root and fails the test with all that
// it said.
func run(t testing.TB, env []string, name string, arguments ...string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, arguments...)
	command.Dir = repository(t)
	command.Env = append(os.Environ(), env...)
	if said, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(arguments, " "), err, said)
	}
}

// built is the folder in which `sam build` has put every function, for this
// machine's processor.
func built(t testing.TB) string {
	t.Helper()
	folder := t.TempDir()
	run(t, nil, "make", "--silent", "build", "ARCHITECTURE="+architectures[runtime.GOARCH], "BUILD_DIR="+folder)
	return folder
}

// emulator is the runtime interface emulator that aws-sam-cli carries.
func emulator(t testing.TB) string {
	t.Helper()
	pattern := ".cache/sam/lib/python3*/site-packages/samcli/local/rapid/aws-lambda-rie-" + architectures[runtime.GOARCH]
	found, err := filepath.Glob(filepath.Join(repository(t), pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d emulators match %s: %v", len(found), pattern, err)
	}
	return found[0]
}

// emulated is a bootstrap under the emulator; it implements lambda.Handler, so
// that the local stack drives it as it does a handler of its own process.
type emulated struct {
	address string
	turn    sync.Mutex // an emulator has one instance
}

// emulate starts a function's bootstrap with this environment and nothing
// else. It ends with the test.
func emulate(t testing.TB, folder, id string, environment map[string]string) *emulated {
	t.Helper()
	address := free(t)
	command := exec.CommandContext(t.Context(), emulator(t), "--log-level", "error",
		"--runtime-interface-emulator-address", address, "--runtime-api-address", free(t), filepath.Join(folder, id, "bootstrap"))
	command.Dir = filepath.Join(folder, id)
	command.Env = []string{"AWS_LAMBDA_FUNCTION_NAME=" + id}
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		command.Env = append(command.Env, name+"="+environment[name])
	}
	said := &spoken{}
	command.Stdout, command.Stderr = said, said
	// The bootstrap is the emulator's child: both end together, however this
	// process ends.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		_ = command.Wait() // it was killed
		if t.Failed() {
			t.Logf("%s said:\n%s", id, said)
		}
	})
	return &emulated{address: address}
}

// spoken is what a process says, for who looks while it speaks.
type spoken struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write keeps what is said.
func (s *spoken) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(text)
}

// String is all that was said.
func (s *spoken) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func free(t testing.TB) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// Invoke calls the function as the Lambda service would.
func (e *emulated) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	e.turn.Lock()
	defer e.turn.Unlock()
	answer, err := e.post(ctx, payload)
	if err != nil {
		return nil, err
	}
	var failure struct{ ErrorType, ErrorMessage string }
	if json.Unmarshal(answer, &failure) == nil && failure.ErrorMessage != "" {
		return nil, fmt.Errorf("%s: %s", failure.ErrorType, failure.ErrorMessage)
	}
	return answer, nil
}

// post hands the payload to the emulator, which may still be starting.
func (e *emulated) post(ctx context.Context, payload []byte) ([]byte, error) {
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+e.address+"/2015-03-31/functions/function/invocations", bytes.NewReader(payload))
		if err != nil {
			return nil, err
		}
		response, err := http.DefaultClient.Do(request)
		if errors.Is(err, syscall.ECONNREFUSED) && ctx.Err() == nil {
			time.Sleep(5 * time.Millisecond)
			continue
		}
		if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		return io.ReadAll(response.Body)
	}
}

// shipment is the local stack with every function as it is shipped: built by
// sam, under the emulator, and held to its policies.
type shipment struct {
	stack     *stack.Stack
	functions map[string]lambda.Handler
}

// ship starts a shipment with a world in it.
func ship(t *testing.T, seed func(context.Context, stack.Parts) error) *shipment {
	t.Helper()
	folder := built(t)
	policies, err := iam.Read(filepath.Join(repository(t), "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s := &shipment{functions: map[string]lambda.Handler{}}
	said := &spoken{}
	s.stack, err = stack.Start(t.Context(), stack.Options{
		Root: repository(t), Seed: seed, Log: said, Say: func(line string) { t.Log(line) },
		Handlers: func(parts stack.Parts) (map[string]lambda.Handler, error) {
			for id := range functions {
				environment, err := environmentOf(t, policies, id, parts)
				if err != nil {
					return nil, err
				}
				s.functions[id] = emulate(t, folder, id, environment)
			}
			return s.functions, nil
		},
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	t.Cleanup(func() {
		s.stack.Close()
		if t.Failed() {
			t.Logf("the stack said:\n%s", said)
		}
	})
	return s
}

// environmentOf is what the template gives a function, what AWS adds, and
// where the services answer here; the table answers behind the function's
// policies.
func environmentOf(t *testing.T, policies iam.Policies, id string, parts stack.Parts) (map[string]string, error) {
	t.Helper()
	table, err := url.Parse(*parts.DynamoDB.BaseEndpoint)
	if err != nil {
		return nil, err
	}
	guard := httptest.NewServer(policies.Guard(id, httputil.NewSingleHostReverseProxy(table), func(err error) {
		t.Errorf("template.yaml lacks a right: %v", err)
	}))
	t.Cleanup(guard.Close)
	keys, err := parts.DynamoDB.Credentials.Retrieve(t.Context())
	if err != nil {
		return nil, err
	}
	environment := maps.Clone(parts.Environment[id])
	maps.Copy(environment, map[string]string{
		"AWS_REGION": template.Region, "AWS_ACCESS_KEY_ID": keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY": keys.SecretAccessKey,
		onDynamoDB: guard.URL, onCognito: aws.ToString(parts.Cognito.BaseEndpoint), onSES: aws.ToString(parts.SES.BaseEndpoint),
	})
	return environment, nil
}
