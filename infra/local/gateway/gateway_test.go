package gateway

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"

	"gemba/infra/local/function"
	"gemba/infra/local/template"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

type handlerFunc func(ctx context.Context, payload []byte) ([]byte, error)

func (f handlerFunc) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

// pool signs tokens as a user pool does.
type pool struct {
	key  *rsa.PrivateKey
	keys []byte
}

func newPool(t *testing.T) pool {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := jwk.Import(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	set := jwk.NewSet()
	if err := errors.Join(public.Set(jwk.KeyIDKey, "k1"), set.AddKey(public)); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return pool{key, text}
}

func (p pool) sign(t *testing.T, algorithm jwa.SignatureAlgorithm, key any, kid string, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	head := jws.NewHeaders()
	if err := head.Set(jws.KeyIDKey, kid); err != nil {
		t.Fatal(err)
	}
	token, err := jws.Sign(payload, jws.WithKey(algorithm, key, jws.WithProtectedHeaders(head)))
	if err != nil {
		t.Fatal(err)
	}
	return string(token)
}

func (p pool) token(t *testing.T, change func(map[string]any)) string {
	t.Helper()
	claims := map[string]any{
		"iss": "https://issuer/pool", "client_id": "client", "sub": "s-1", "token_use": "access",
		"auth_time": noon.Unix() - 60, "iat": noon.Unix() - 60, "exp": noon.Unix() + 60, "cognito:groups": []string{"a", "b"},
	}
	if change != nil {
		change(claims)
	}
	return p.sign(t, jwa.RS256(), p.key, "k1", claims)
}

var declared = []template.Function{{ID: "Fn", Routes: []template.Route{
	{Method: "GET", Path: "/v1/users/{id}"}, {Method: "GET", Path: "/v1/users/me"}, {Method: "POST", Path: "/v1/things"},
	{Method: "GET", Path: "/open", Public: true}, {Method: "ANY", Path: "/files/{path+}", Public: true},
}}}

// gatewayTo serves the routes with one handler.
func gatewayTo(t *testing.T, p pool, timeout time.Duration, handler handlerFunc) *Gateway {
	t.Helper()
	clock := func() time.Time { return noon }
	authorizer, err := NewAuthorizer(template.Authorizer{Issuer: "https://issuer/pool", Audience: []string{"client"}}, p.keys, clock)
	if err != nil {
		t.Fatal(err)
	}
	running := map[string]function.Function{"Fn": {ID: "Fn", Timeout: timeout, Handler: handler}}
	g, err := New(declared, running, authorizer, slog.New(slog.NewTextHandler(io.Discard, nil)), clock)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func answerWith(text string) handlerFunc {
	return func(context.Context, []byte) ([]byte, error) { return []byte(text), nil }
}

func serve(g *Gateway, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w
}

func TestEventHasPayloadFormat2(t *testing.T) {
	p := newPool(t)
	var got events.APIGatewayV2HTTPRequest
	var deadline time.Time
	var called *lambdacontext.LambdaContext
	g := gatewayTo(t, p, time.Minute, func(ctx context.Context, payload []byte) ([]byte, error) {
		deadline, _ = ctx.Deadline()
		called, _ = lambdacontext.FromContext(ctx)
		return []byte(`{"statusCode":204}`), json.Unmarshal(payload, &got)
	})
	r := httptest.NewRequest("GET", "http://api.local:8080/v1/users/mar%20ia?a=1&b=x%20y&a=2", nil)
	r.Header.Set("Authorization", "Bearer "+p.token(t, nil))
	r.Header.Add("X-Many", "one")
	r.Header.Add("X-Many", "two")
	r.Header.Set("Cookie", "c=1; d=2")
	r.Header.Set("X-Forwarded-For", "10.0.0.1")
	r.Header.Set("X-Forwarded-Proto", "https")
	r.RemoteAddr = "127.0.0.1:5"
	response := serve(g, r)
	if response.Code != 204 {
		t.Fatalf("status %d", response.Code)
	}
	id := response.Header().Get("Apigw-Requestid")
	want := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "GET /v1/users/{id}", RawPath: "/v1/users/mar ia", RawQueryString: "a=1&b=x%20y&a=2",
		Cookies: []string{"c=1", "d=2"},
		Headers: map[string]string{
			"authorization": r.Header.Get("Authorization"), "x-many": "one,two", "host": "api.local:8080",
			"x-forwarded-for": "10.0.0.1, 127.0.0.1", "x-forwarded-proto": "http", "x-forwarded-port": "8080",
		},
		QueryStringParameters: map[string]string{"a": "1,2", "b": "x y"},
		PathParameters:        map[string]string{"id": "mar ia"},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: "GET /v1/users/{id}", AccountID: template.Account, Stage: "$default", RequestID: id, APIID: "local",
			DomainName: "api.local:8080", DomainPrefix: "api", Time: "22/Nov/2026:12:00:00 +0000", TimeEpoch: noon.UnixMilli(),
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: "GET", Path: "/v1/users/mar ia", Protocol: "HTTP/1.1", SourceIP: "127.0.0.1",
			},
			Authorizer: &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
				JWT: &events.APIGatewayV2HTTPRequestContextAuthorizerJWTDescription{Claims: map[string]string{
					"iss": "https://issuer/pool", "client_id": "client", "sub": "s-1", "token_use": "access",
					"auth_time": "1795348740", "iat": "1795348740", "exp": "1795348860", "cognito:groups": "[a b]",
				}},
			},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if called == nil || called.AwsRequestID != id {
		t.Errorf("the function's own context %+v has not the request's id", called)
	}
	if left := time.Until(deadline); left <= 0 || left > integrationTimeout {
		t.Errorf("%v left for the function", left)
	}
}

func TestBodyIsTextOrBase64ByContentType(t *testing.T) {
	p := newPool(t)
	cases := map[string]struct {
		kind, body string
		want       string
		encoded    bool
	}{
		"JSON":                  {"application/json; charset=utf-8", `{"a":1}`, `{"a":1}`, false},
		"plain text":            {"text/plain", "hi", "hi", false},
		"no type":               {"", "hi", "aGk=", true},
		"form":                  {"application/x-www-form-urlencoded", "a=b", "YT1i", true},
		"problem":               {"application/problem+json", "{}", "e30=", true},
		"JSON that is no UTF-8": {"application/json", "\xff", "/w==", true},
		"empty":                 {"application/octet-stream", "", "", false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var got events.APIGatewayV2HTTPRequest
			g := gatewayTo(t, p, time.Minute, func(_ context.Context, payload []byte) ([]byte, error) {
				return []byte(`{}`), json.Unmarshal(payload, &got)
			})
			r := httptest.NewRequest("POST", "/v1/things", strings.NewReader(c.body))
			r.Header.Set("Authorization", p.token(t, nil)) // the scheme may be left out
			if c.kind != "" {
				r.Header.Set("Content-Type", c.kind)
			}
			if response := serve(g, r); response.Code != 200 {
				t.Fatalf("status %d", response.Code)
			}
			if got.Body != c.want || got.IsBase64Encoded != c.encoded {
				t.Errorf("body %q, base64 %v", got.Body, got.IsBase64Encoded)
			}
		})
	}
}

// changed is a token with another character in its middle, amid the claims.
func changed(token string) string {
	other := "A"
	if token[len(token)/2] == 'A' {
		other = "B"
	}
	return token[:len(token)/2] + other + token[len(token)/2+1:]
}

func TestTokensThatAreRefused(t *testing.T) {
	p, other := newPool(t), newPool(t)
	good := p.token(t, nil)
	claims := func(change func(map[string]any)) string { return "Bearer " + p.token(t, change) }
	cases := map[string]struct{ header, why string }{
		"none":                       {"", ""},
		"no token":                   {"Bearer x", "malformed"},
		"another scheme":             {"Basic " + good, "malformed"},
		"expired":                    {claims(func(c map[string]any) { c["exp"] = noon.Unix() }), "expired"},
		"no expiry":                  {claims(func(c map[string]any) { delete(c, "exp") }), "expiry"},
		"expiry as text":             {claims(func(c map[string]any) { c["exp"] = "never" }), "expiry"},
		"not yet":                    {claims(func(c map[string]any) { c["nbf"] = noon.Unix() + 60 }), "yet"},
		"issued later":               {claims(func(c map[string]any) { c["iat"] = noon.Unix() + 60 }), "yet"},
		"another pool":               {claims(func(c map[string]any) { c["iss"] = "https://issuer/other" }), "issuer"},
		"another client":             {claims(func(c map[string]any) { c["client_id"] = "other" }), "audience"},
		"another audience":           {claims(func(c map[string]any) { c["aud"] = "other" }), "audience"},
		"another key":                {"Bearer " + other.token(t, nil), "signature"},
		"an unknown key id":          {"Bearer " + p.sign(t, jwa.RS256(), p.key, "k2", nil), "key id"},
		"another algorithm":          {"Bearer " + p.sign(t, jwa.RS512(), p.key, "k1", nil), "method"},
		"the public key as a secret": {"Bearer " + p.sign(t, jwa.HS256(), p.keys, "k1", nil), "method"},
		"a changed claim":            {"Bearer " + changed(good), ""},
		"two tokens":                 {"Bearer " + good + "," + good, "malformed"},
	}
	g := gatewayTo(t, p, time.Minute, func(context.Context, []byte) ([]byte, error) {
		t.Error("the function was called")
		return nil, nil
	})
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/v1/users/maria", nil)
			if c.header != "" {
				r.Header.Set("Authorization", c.header)
			}
			response := serve(g, r)
			if got := response.Body.String(); response.Code != 401 || got != `{"message":"Unauthorized"}` {
				t.Errorf("%d %s", response.Code, got)
			}
			if challenge := response.Header().Get("Www-Authenticate"); !strings.HasPrefix(challenge, "Bearer") || !strings.Contains(challenge, c.why) {
				t.Errorf("challenge %q does not tell %q", challenge, c.why)
			}
		})
	}
}

func TestAnIDTokenIsForItsAudience(t *testing.T) {
	p := newPool(t)
	g := gatewayTo(t, p, time.Minute, answerWith(`{"statusCode":200}`))
	for _, aud := range []any{"client", []string{"other", "client"}} {
		r := httptest.NewRequest("GET", "/v1/users/maria", nil)
		r.Header.Set("Authorization", "Bearer "+p.token(t, func(c map[string]any) { delete(c, "client_id"); c["aud"] = aud }))
		if response := serve(g, r); response.Code != 200 {
			t.Errorf("aud %v: status %d", aud, response.Code)
		}
	}
}

func TestRoutes(t *testing.T) {
	p := newPool(t)
	cases := map[string]string{
		"GET /open":            "GET /open",
		"GET /v1/users/maria":  "GET /v1/users/{id}",
		"GET /v1/users/me":     "GET /v1/users/me", // the literal segment is before the variable one
		"PUT /files/a/b":       "ANY /files/{path+}",
		"GET /files":           "",
		"GET /v1/users":        "",
		"GET /v1/users/":       "",
		"GET /v1/users/a/b":    "",
		"GET /v1/users/a%2Fb":  "", // the path is decoded before it is matched
		"GET /v1/users/me%3Fx": "GET /v1/users/me",
		"POST /open":           "",
		"GET /":                "",
	}
	for line, want := range cases {
		t.Run(line, func(t *testing.T) {
			var got string
			g := gatewayTo(t, p, time.Minute, func(_ context.Context, payload []byte) ([]byte, error) {
				var event events.APIGatewayV2HTTPRequest
				err := json.Unmarshal(payload, &event)
				got = event.RouteKey
				return []byte(`{}`), err
			})
			method, path, _ := strings.Cut(line, " ")
			r := httptest.NewRequest(method, path, nil)
			r.Header.Set("Authorization", p.token(t, nil))
			response := serve(g, r)
			if text := response.Body.String(); want == "" && (response.Code != 404 || text != `{"message":"Not Found"}`) {
				t.Errorf("%d %s", response.Code, text)
			}
			if got != want {
				t.Errorf("route %q, want %q", got, want)
			}
		})
	}
}

func TestAnswersOfFunctions(t *testing.T) {
	p := newPool(t)
	fails := `{"message":"Internal Server Error"}`
	cases := map[string]struct {
		handler handlerFunc
		status  int
		kind    string
		body    string
	}{
		"whole":            {answerWith(`{"statusCode":201,"headers":{"Content-Type":"application/problem+json","ETag":"\"1\""},"body":"{}"}`), 201, "application/problem+json", "{}"},
		"base64":           {answerWith(`{"statusCode":200,"headers":{"content-type":"image/png"},"body":"aGk=","isBase64Encoded":true}`), 200, "image/png", "hi"},
		"inferred":         {answerWith(`{"a":1}`), 200, "application/json", `{"a":1}`},
		"no type":          {answerWith(`{"statusCode":200,"body":"hi"}`), 200, "text/plain; charset=utf-8", "hi"},
		"no body":          {answerWith(`{"statusCode":204}`), 204, "", ""},
		"no JSON":          {answerWith(`oops`), 500, "application/json", fails},
		"a strange status": {answerWith(`{"statusCode":99}`), 500, "application/json", fails},
		"bad base64":       {answerWith(`{"statusCode":200,"body":"?","isBase64Encoded":true}`), 500, "application/json", fails},
		"too much":         {answerWith(`"` + strings.Repeat("x", 6<<20) + `"`), 500, "application/json", fails},
		"an error":         {func(context.Context, []byte) ([]byte, error) { return nil, errors.New("secret") }, 500, "application/json", fails},
		"a panic":          {func(context.Context, []byte) ([]byte, error) { panic("secret") }, 500, "application/json", fails},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			response := serve(gatewayTo(t, p, time.Minute, c.handler), httptest.NewRequest("GET", "/open", nil))
			if got := response.Body.String(); response.Code != c.status || got != c.body {
				t.Errorf("%d %s", response.Code, got)
			}
			if got := response.Header().Get("Content-Type"); got != c.kind {
				t.Errorf("content type %q", got)
			}
		})
	}
}

func TestCookiesOfAnAnswer(t *testing.T) {
	g := gatewayTo(t, newPool(t), time.Minute, answerWith(`{"statusCode":200,"cookies":["a=1","b=2"]}`))
	got := serve(g, httptest.NewRequest("GET", "/open", nil)).Header().Values("Set-Cookie")
	if diff := cmp.Diff([]string{"a=1", "b=2"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAFunctionThatRunsIntoItsTimeout(t *testing.T) {
	g := gatewayTo(t, newPool(t), time.Millisecond, func(ctx context.Context, _ []byte) ([]byte, error) {
		<-ctx.Done()
		select {} // it does not heed its deadline
	})
	if response := serve(g, httptest.NewRequest("GET", "/open", nil)); response.Code != 500 {
		t.Errorf("status %d", response.Code)
	}
}

func TestLimits(t *testing.T) {
	p := newPool(t)
	cases := map[string]struct {
		body, header int
		status       int
		message      string
	}{
		"a body of 4 MB":                    {4 << 20, 0, 200, ""},
		"a body that Lambda would not take": {7 << 20, 0, 413, "Request Entity Too Large"},
		"a body over 10 MB":                 {10<<20 + 1, 0, 413, "Request Entity Too Large"},
		"headers over 10 kB":                {0, 10240, 431, "Request Header Fields Too Large"},
	}
	g := gatewayTo(t, p, time.Minute, answerWith(`{"statusCode":200}`))
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/v1/things", strings.NewReader(strings.Repeat("x", c.body)))
			r.Header.Set("Authorization", p.token(t, nil))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("X-Long", strings.Repeat("x", c.header))
			response := serve(g, r)
			if got := response.Body.String(); response.Code != c.status || !strings.Contains(got, c.message) {
				t.Errorf("%d %s", response.Code, got)
			}
		})
	}
}

func TestTwoFunctionsForOneRouteAreRefused(t *testing.T) {
	twice := append([]template.Function{{ID: "Other", Routes: declared[0].Routes[:1]}}, declared...)
	if _, err := New(twice, nil, nil, nil, nil); err == nil || !strings.Contains(err.Error(), "GET /v1/users/{id}") {
		t.Errorf("%v", err)
	}
}

func TestARouteWithoutAHandlerIsRefused(t *testing.T) {
	if _, err := New(declared, nil, nil, nil, nil); err == nil || !strings.Contains(err.Error(), "no handler") {
		t.Errorf("%v", err)
	}
}
