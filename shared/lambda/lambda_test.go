package lambda_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"gemba/shared/fault"
	"gemba/shared/lambda"
)

func invoker(t *testing.T, handler http.HandlerFunc) *lambda.Invoker {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	cfg := aws.Config{
		Region: "eu-central-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "secret"}, nil
		}),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
	}
	return lambda.NewInvoker(cfg, server.URL, "persona-audit")
}

func TestAnInvocationIsAsynchronous(t *testing.T) {
	var path, kind, payload string
	i := invoker(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		path, kind, payload = r.Method+" "+r.URL.Path, r.Header.Get("X-Amz-Invocation-Type"), string(body)
		w.WriteHeader(http.StatusAccepted)
	})
	if err := i.Invoke(t.Context(), []byte(`{"organizations":["o"]}`)); err != nil {
		t.Fatal(err)
	}
	if path != "POST /2015-03-31/functions/persona-audit/invocations" || kind != "Event" || payload != `{"organizations":["o"]}` {
		t.Errorf("%s, %s: %s", path, kind, payload)
	}
}

func TestAnInvocationThatIsNotTakenIsTriedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		fails  int
		status int
		code   string
		taken  bool
		asked  int
	}{
		"throttled once":     {1, 429, "TooManyRequestsException", true, 2},
		"broken once":        {1, 500, "ServiceException", true, 2},
		"throttled for good": {9, 429, "TooManyRequestsException", false, 3},
		"no such function":   {9, 404, "ResourceNotFoundException", false, 1},
		"not allowed":        {9, 403, "AccessDeniedException", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			i := invoker(t, func(w http.ResponseWriter, r *http.Request) {
				if asked++; asked <= c.fails {
					w.Header().Set("X-Amzn-ErrorType", c.code)
					w.WriteHeader(c.status)
					_, _ = io.WriteString(w, `{"Type":"User","message":"no"}`)
					return
				}
				w.WriteHeader(http.StatusAccepted)
			})
			err := i.Invoke(t.Context(), []byte(`{}`))
			if (err == nil) != c.taken || err != nil && !fault.Is(err, fault.Unavailable) || asked != c.asked {
				t.Errorf("asked %d times: %v", asked, err)
			}
		})
	}
}
