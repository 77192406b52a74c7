package ses_test

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"gemba/shared/fault"
	"gemba/shared/ses"
)

func sender(t *testing.T, from string, handler http.HandlerFunc) *ses.Sender {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return ses.NewSender(config(), server.URL, from)
}

// config retries by default, so that a sender which retries is found out.
func config() aws.Config {
	return aws.Config{
		Region: "eu-central-1", Credentials: aws.CredentialsProviderFunc(credentials),
	}
}

func letter() ses.Mail {
	return ses.Mail{To: "maria@example.org", Subject: "Hello", Text: "Hello, Maria", HTML: "<p>Hello, Maria</p>"}
}

func TestMailIsHandedOver(t *testing.T) {
	var got map[string]any
	s := sender(t, "access@example.org", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(body, &got)
		_, _ = io.WriteString(w, `{"MessageId":"m1"}`)
	})
	m := letter()
	m.Subject = "Grüße\r\nBcc: all@example.org\u2028x\x00y"
	if err := s.Send(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	part := func(text string) map[string]any { return map[string]any{"Data": text, "Charset": "UTF-8"} }
	want := map[string]any{
		"FromEmailAddress": "access@example.org",
		"Destination":      map[string]any{"ToAddresses": []any{"maria@example.org"}},
		"Content": map[string]any{"Simple": map[string]any{
			// T5: a subject stays one line.
			"Subject": part("Grüße  Bcc: all@example.org x y"),
			"Body":    map[string]any{"Text": part("Hello, Maria"), "Html": part("<p>Hello, Maria</p>")},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("handed over (-want +got):\n%s", diff)
	}
}

func TestAnAddressIsOneAddress(t *testing.T) {
	bad := []string{"", "maria", "maria@example.org, bob@example.org", "Maria <maria@example.org>",
		"maria@example.org\r\nBcc: bob@example.org", "maria@example.org\n", " maria@example.org",
		"maria@example.org;bob@example.org", "maria@example.org bob@example.org", `"a"@x <b@y>`, `"a"@example.org`, `"a b"@example.org`,
		"maria@example.org (bob@example.org)", "(x)maria@example.org", "<maria@example.org>", "friends: maria@example.org, bob@example.org;",
		"mar\u2028ia@example.org", "maria\x00@example.org", "maria@example.org\x00", "maria\u202e@example.org", "maria@ex\u00adample.org", "märia@example.org",
		"=?utf-8?q?bob=40example.org=2C?=@example.org", "maria@[127.0.0.1]", "maria@example.org%0aBcc:bob@example.org",
		strings.Repeat("a", 250) + "@example.org", "maria@", "@example.org", "maria@@example.org", "maria@example.org,"}
	for _, to := range bad {
		t.Run("T5 "+to, func(t *testing.T) {
			asked := false
			handler := func(http.ResponseWriter, *http.Request) { asked = true }
			m := letter()
			m.To = to
			if err := sender(t, "access@example.org", handler).Send(context.Background(), m); fault.Of(err).Code != ses.Refused {
				t.Errorf("error %v, want %s", err, ses.Refused)
			}
			if err := sender(t, to, handler).Send(context.Background(), letter()); fault.Of(err).Code != ses.Refused {
				t.Errorf("from: error %v, want %s", err, ses.Refused)
			}
			if asked {
				t.Error("SES was asked")
			}
		})
	}
}

func TestOutcome(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range outcomes {
		seen[c.exception] = true
		t.Run(fmt.Sprint("I8 ", c.exception, " ", c.status), func(t *testing.T) {
			var asked atomic.Int32
			s := sender(t, "access@example.org", func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				w.Header().Set("X-Amzn-ErrorType", c.exception)
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, `{"message":"no: maria@example.org"}`)
			})
			err := s.Send(context.Background(), letter())
			if fault.Of(err).Code != c.code || !fault.Is(err, c.kind) {
				t.Errorf("error %v, want %s %s", err, c.kind, c.code)
			}
			if strings.Contains(err.Error(), "maria") {
				t.Errorf("T5: the error tells the address: %v", err)
			}
			if asked.Load() != 1 {
				t.Errorf("I8: asked %d times, want once: a repeat could send two mails", asked.Load())
			}
		})
	}
	for _, exception := range exceptions(t) {
		if !seen[exception] {
			t.Errorf("SES may answer %s, and nothing says what that means for a mail", exception)
		}
	}
}

// outcomes are what each of SES's answers means for a mail: those that the SDK has
// types for, and those that any service of AWS gives.
var outcomes = []struct {
	status    int
	exception string
	code      string
	kind      fault.Kind
}{
	{400, "MessageRejected", ses.Refused, fault.Unprocessable}, // the address, or what the mail says
	{400, "BadRequestException", ses.Refused, fault.Unprocessable},
	{400, "AccountSuspendedException", ses.Refused, fault.Unprocessable}, // for ever
	{404, "NotFoundException", ses.Refused, fault.Unprocessable},
	{400, "AlreadyExistsException", ses.Refused, fault.Unprocessable},
	{409, "ConflictException", ses.Refused, fault.Unprocessable},
	{400, "InvalidNextTokenException", ses.Refused, fault.Unprocessable},
	{413, "RequestEntityTooLargeException", ses.Refused, fault.Unprocessable},
	{400, "ValidationException", ses.Refused, fault.Unprocessable},

	{400, "MailFromDomainNotVerifiedException", ses.Later, fault.Unavailable}, // until its records are seen again
	{400, "LimitExceededException", ses.Later, fault.Unavailable},             // the day's quota
	{400, "SendingPausedException", ses.Later, fault.Unavailable},
	{429, "TooManyRequestsException", ses.Later, fault.Unavailable}, // the rate, or the day's quota
	{400, "TooManyRequestsException", ses.Later, fault.Unavailable},
	{400, "Throttling", ses.Later, fault.Unavailable},
	{400, "ThrottlingException", ses.Later, fault.Unavailable},
	{400, "RequestLimitExceeded", ses.Later, fault.Unavailable},
	{403, "AccessDeniedException", ses.Later, fault.Unavailable},
	{403, "ExpiredTokenException", ses.Later, fault.Unavailable},
	{403, "InvalidSignatureException", ses.Later, fault.Unavailable},
	{401, "UnauthorizedException", ses.Later, fault.Unavailable},
	{408, "RequestTimeoutException", ses.Later, fault.Unavailable},

	{500, "InternalServiceErrorException", ses.Unclear, fault.Internal},
	{500, "ConcurrentModificationException", ses.Unclear, fault.Internal},
	{503, "ServiceUnavailable", ses.Unclear, fault.Internal},
	{503, "ThrottlingException", ses.Unclear, fault.Internal},
	{502, "", ses.Unclear, fault.Internal},
	{302, "", ses.Unclear, fault.Internal},
}

// exceptions are the failures that the SDK has types for.
func exceptions(t *testing.T) []string {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/sesv2/types").Output()
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "errors.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok {
			names = append(names, spec.Name.Name)
		}
		return true
	})
	if len(names) < 13 {
		t.Fatalf("only %v were found", names)
	}
	return names
}

// An answer of success that cannot be read may stand for a mail that was taken.
func TestAnUnreadableYesIsUnclear(t *testing.T) {
	s := sender(t, "access@example.org", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"MessageId":`) })
	if err := s.Send(context.Background(), letter()); fault.Of(err).Code != ses.Unclear {
		t.Errorf("error %v, want %s", err, ses.Unclear)
	}
}

// What a name or a product's name puts into a subject stays in it (T5).
func TestASubjectIsOneBoundedLine(t *testing.T) {
	for text, want := range map[string]string{
		"x\r\nBcc: evil@example.org":              "x  Bcc: evil@example.org",
		"x\nContent-Type: text/html\n\n<b>":       "x Content-Type: text/html  <b>",
		"a\x00b\u0085c\u2028d\u2029e":             "a b c d e",
		"invoice\u202egnp.exe\u2066":              "invoice gnp.exe ",
		"=?utf-8?q?=0d=0aBcc:_evil@example.org?=": "= ?utf-8?q?=0d=0aBcc:_evil@example.org?=",
		strings.Repeat("long", 1000):              strings.Repeat("long", 74) + "lon…",
		"Grüße, 日本":                               "Grüße, 日本",
	} {
		var got struct {
			Content struct {
				Simple struct{ Subject struct{ Data string } }
			}
			Headers any
		}
		s := sender(t, "access@example.org", func(w http.ResponseWriter, r *http.Request) {
			_ = json.NewDecoder(r.Body).Decode(&got)
			_, _ = io.WriteString(w, `{"MessageId":"m1"}`)
		})
		m := letter()
		m.Subject = text
		if err := s.Send(context.Background(), m); err != nil {
			t.Fatal(err)
		}
		if subject := got.Content.Simple.Subject.Data; subject != want {
			t.Errorf("%q goes out as %q, want %q", text, subject, want)
		}
	}
}

func TestALostAnswerIsUnclear(t *testing.T) {
	var asked atomic.Int32
	s := sender(t, "access@example.org", func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		_, _ = io.ReadAll(r.Body)
		panic(http.ErrAbortHandler)
	})
	if err := s.Send(context.Background(), letter()); fault.Of(err).Code != ses.Unclear {
		t.Errorf("error %v, want %s", err, ses.Unclear)
	}
	if asked.Load() != 1 {
		t.Errorf("I8: asked %d times, want once", asked.Load())
	}
}

func TestATimeoutAfterHandOverIsUnclear(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := sender(t, "access@example.org", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		cancel()
		<-r.Context().Done()
	})
	if err := s.Send(ctx, letter()); fault.Of(err).Code != ses.Unclear {
		t.Errorf("error %v, want %s", err, ses.Unclear)
	}
}

func TestWhatNeverLeftCanBeSentAgain(t *testing.T) {
	if err := ses.NewSender(config(), "http://127.0.0.1:1", "access@example.org").Send(context.Background(), letter()); fault.Of(err).Code != ses.Later {
		t.Errorf("error %v, want %s", err, ses.Later)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	s := sender(t, "access@example.org", func(http.ResponseWriter, *http.Request) {})
	if err := s.Send(cancelled, letter()); fault.Of(err).Code != ses.Later {
		t.Errorf("error %v, want %s", err, ses.Later)
	}
}

func credentials(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
}
