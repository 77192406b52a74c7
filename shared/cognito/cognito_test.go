package cognito_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"gemba/shared/cognito"
	"gemba/shared/fault"
)

// answer is what the pool says to one operation.
type answer struct {
	status int
	body   string
}

func refusal(code string) answer {
	return answer{http.StatusBadRequest, `{"__type":"` + code + `","message":"told: hunter2"}`}
}

// pool speaks Cognito's protocol: it gives each operation's answers in turn
// and keeps what it was asked.
type pool struct {
	answers map[string][]answer
	asked   []string
	bodies  map[string]map[string]any
}

func (p *pool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	body, _ := io.ReadAll(r.Body)
	var asked map[string]any
	_ = json.Unmarshal(body, &asked)
	p.asked = append(p.asked, operation)
	p.bodies[operation] = asked
	a := answer{http.StatusOK, `{}`}
	if left := p.answers[operation]; len(left) > 0 {
		a, p.answers[operation] = left[0], left[1:]
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

func serve(t *testing.T, answers map[string][]answer) (*pool, string) {
	t.Helper()
	p := &pool{answers: answers, bodies: map[string]map[string]any{}}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return p, server.URL
}

// config does not retry, so that each question is asked once.
func config() aws.Config {
	return aws.Config{
		Region: "eu-central-1", Credentials: aws.CredentialsProviderFunc(credentials),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
}

func signedIn(sub string) answer {
	payload := base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"` + sub + `"}`))
	return answer{http.StatusOK, `{"AuthenticationResult":{"AccessToken":"h.` + payload + `.s","RefreshToken":"refresh"}}`}
}

func TestProof(t *testing.T) {
	cases := []struct {
		name    string
		answer  answer
		proven  bool
		fails   bool
		revokes bool
	}{
		{name: "I2 the right password of the actor", answer: signedIn("sub-ada"), proven: true, revokes: true},
		{name: "I2 the right password of somebody else", answer: signedIn("sub-bob"), revokes: true},
		{name: "I2 a wrong password", answer: refusal("NotAuthorizedException")},
		{name: "I2 an unknown user", answer: refusal("UserNotFoundException")},
		{name: "I2 an account that is not confirmed", answer: refusal("UserNotConfirmedException")},
		{name: "I2 an account whose password is to be reset", answer: refusal("PasswordResetRequiredException")},
		{name: "I2 a second factor is asked for", answer: answer{200, `{"ChallengeName":"SOFTWARE_TOKEN_MFA","Session":"s"}`}},
		{name: "I2 a new password is asked for", answer: answer{200, `{"ChallengeName":"NEW_PASSWORD_REQUIRED","Session":"s"}`}},
		{name: "I2 a token that is none", answer: answer{200, `{"AuthenticationResult":{"AccessToken":"x"}}`}},
		{name: "a pool that throttles", answer: refusal("TooManyRequestsException"), fails: true},
		{name: "a client without the flow", answer: refusal("InvalidParameterException"), fails: true},
		{name: "a client that is not there", answer: refusal("ResourceNotFoundException"), fails: true},
		{name: "a pool that fails", answer: answer{500, `{"__type":"InternalErrorException","message":"told: hunter2"}`}, fails: true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, address := serve(t, map[string][]answer{"InitiateAuth": {c.answer}})
			proven, err := cognito.NewProver(config(), address, "client").Proof(context.Background(), "ada", "hunter2", "sub-ada")
			if fault.Is(err, fault.Unavailable) != c.fails || (err != nil) != c.fails {
				t.Fatalf("error %v, want one: %t", err, c.fails)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("T5: the error tells the password: %v", err)
			}
			if proven != c.proven {
				t.Errorf("proven %t, want %t", proven, c.proven)
			}
			if slices.Contains(p.asked, "RevokeToken") != c.revokes {
				t.Errorf("asked %v, want a revocation: %t", p.asked, c.revokes)
			}
		})
	}
}

func TestProofStandsWhenThePoolDoesNotRevoke(t *testing.T) {
	broken := answer{http.StatusInternalServerError, `{"__type":"InternalErrorException"}`}
	p, address := serve(t, map[string][]answer{
		"InitiateAuth": {signedIn("sub-ada")}, "RevokeToken": {broken, broken, broken},
	})
	cfg := config()
	cfg.Retryer = nil // the SDK's own, which would try again
	if proven, err := cognito.NewProver(cfg, address, "client").Proof(context.Background(), "ada", "p", "sub-ada"); !proven || err != nil {
		t.Errorf("I2: proven %t, %v; want true", proven, err)
	}
	if want := []string{"InitiateAuth", "RevokeToken"}; !slices.Equal(p.asked, want) {
		t.Errorf("asked %q, want %q", p.asked, want)
	}
}

func TestNobodyProvesToBeWithoutAnAccount(t *testing.T) {
	_, address := serve(t, map[string][]answer{"InitiateAuth": {signedIn("")}})
	if proven, _ := cognito.NewProver(config(), address, "client").Proof(context.Background(), "ada", "p", ""); proven {
		t.Error("I2: a token without a sub proved an actor without one")
	}
}

func TestUnreachablePoolIsUnavailable(t *testing.T) {
	if _, err := cognito.NewProver(config(), "http://127.0.0.1:1", "client").Proof(context.Background(), "ada", "p", "sub"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("error %v, want Unavailable", err)
	}
}

const made = `{"User":{"Username":"ada","UserStatus":"FORCE_CHANGE_PASSWORD","Attributes":[{"Name":"sub","Value":"sub-ada"}]}}`

func found(status string) answer {
	return answer{200, `{"Username":"ada","UserStatus":"` + status + `","UserAttributes":[{"Name":"sub","Value":"sub-ada"}]}`}
}

func TestCreate(t *testing.T) {
	exists := refusal("UsernameExistsException")
	cases := []struct {
		name    string
		account cognito.Account
		answers map[string][]answer
		created bool
		asked   []string
	}{
		{"with a password it works at once", cognito.Account{Username: "ada", Password: "p"},
			map[string][]answer{"AdminCreateUser": {{200, made}}}, true,
			[]string{"AdminCreateUser", "AdminSetUserPassword"}},
		{"an invitation leaves the password to the person", cognito.Account{Username: "ada", Email: "a@b.example", Invite: true},
			map[string][]answer{"AdminCreateUser": {{200, made}}}, true,
			[]string{"AdminCreateUser"}},
		{"again: nothing changes", cognito.Account{Username: "ada", Password: "p"},
			map[string][]answer{"AdminCreateUser": {exists}, "AdminGetUser": {found("CONFIRMED"), found("CONFIRMED")}}, false,
			[]string{"AdminCreateUser", "AdminGetUser", "AdminGetUser"}},
		{"after a first try that stopped half way", cognito.Account{Username: "ada", Password: "p"},
			map[string][]answer{"AdminCreateUser": {exists}, "AdminGetUser": {found("FORCE_CHANGE_PASSWORD"), found("FORCE_CHANGE_PASSWORD")}}, false,
			[]string{"AdminCreateUser", "AdminGetUser", "AdminGetUser", "AdminSetUserPassword"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, address := serve(t, c.answers)
			sub, created, err := cognito.NewAccounts(config(), address, "pool").Create(context.Background(), c.account)
			if err != nil || sub != "sub-ada" || created != c.created {
				t.Fatalf("got %q, %t, %v; want sub-ada, %t", sub, created, err, c.created)
			}
			if !slices.Equal(p.asked, c.asked) {
				t.Errorf("asked %v, want %v", p.asked, c.asked)
			}
			suppressed := p.bodies["AdminCreateUser"]["MessageAction"] == "SUPPRESS"
			if suppressed == c.account.Invite {
				t.Errorf("the invitation is suppressed: %t, invited: %t", suppressed, c.account.Invite)
			}
		})
	}
}

func TestCreateTellsWhyAnAccountIsRefused(t *testing.T) {
	cases := map[string]struct {
		answers map[string][]answer
		kind    fault.Kind
	}{
		"a password against the policy": {map[string][]answer{
			"AdminCreateUser": {{200, made}}, "AdminSetUserPassword": {refusal("InvalidPasswordException")}}, fault.Unprocessable},
		"a name that is none":   {map[string][]answer{"AdminCreateUser": {refusal("InvalidParameterException")}}, fault.Unprocessable},
		"a pool that throttles": {map[string][]answer{"AdminCreateUser": {refusal("TooManyRequestsException")}}, fault.Unavailable},
		"an account without a sub": {map[string][]answer{
			"AdminCreateUser": {{200, `{"User":{"Username":"ada"}}`}}}, fault.Unavailable},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, address := serve(t, c.answers)
			_, _, err := cognito.NewAccounts(config(), address, "pool").Create(context.Background(), cognito.Account{Username: "ada", Password: "hunter2"})
			if !fault.Is(err, c.kind) {
				t.Errorf("error %v, want %s", err, c.kind)
			}
		})
	}
}

func credentials(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
}
