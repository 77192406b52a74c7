package whole

import (
	"compress/gzip"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"
)

// claims are those of a token.
func claims(t *testing.T, token string) object {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	var out object
	if err := json.Unmarshal(payload, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// forge signs claims as the local pool does, with its own key: what a pool
// could have signed at another time, or never would.
func forge(t *testing.T, claims object) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	header := jws.NewHeaders()
	if err := header.Set(jws.KeyIDKey, "dummy"); err != nil {
		t.Fatal(err)
	}
	token, err := jws.Sign(payload, jws.WithKey(jwa.RS256(), poolKey(t), jws.WithProtectedHeaders(header)))
	if err != nil {
		t.Fatal(err)
	}
	return string(token)
}

// poolKey is the private key that moto gives all pools. It comes without its
// primes, which only make signing faster.
func poolKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(repository, ".cache/moto-*/lib/python3*/site-packages/moto/cognitoidp/resources/jwks-private.json.gz"))
	if err != nil || len(found) == 0 {
		t.Fatalf("moto's key was not found: %v", err)
	}
	compressed, err := os.Open(found[0])
	if err != nil {
		t.Fatal(err)
	}
	defer compressed.Close()
	document, err := gzip.NewReader(compressed)
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]string
	if err := json.NewDecoder(document).Decode(&members); err != nil {
		t.Fatal(err)
	}
	number := func(member string) *big.Int {
		digits, err := base64.RawURLEncoding.DecodeString(members[member])
		if err != nil || len(digits) == 0 {
			t.Fatalf("moto's key has no %s: %v", member, err)
		}
		return new(big.Int).SetBytes(digits)
	}
	return &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: number("n"), E: int(number("e").Int64())}, D: number("d")}
}

// changed is the claims with some replaced; nil takes one away.
func changed(t *testing.T, claims, by object) object {
	t.Helper()
	out := plain(t, claims)
	for name, value := range by {
		out[name] = value
		if value == nil {
			delete(out, name)
		}
	}
	return out
}

func TestTokens(t *testing.T) {
	t.Parallel()
	o := quiet(t)
	good := o.as(t, "ada").token
	parts := strings.Split(good, ".")
	own := claims(t, good)
	other := claims(t, o.as(t, "mia").token)
	encoded := func(value object) string {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	tokens := map[string]string{
		"no token":                   "",
		"no token at all":            "nonsense",
		"another pool's":             foreign(t, o),
		"expired":                    forge(t, changed(t, own, object{"exp": time.Now().Add(-time.Minute).Unix()})),
		"without an expiry":          forge(t, changed(t, own, object{"exp": nil})),
		"not valid yet":              forge(t, changed(t, own, object{"nbf": time.Now().Add(time.Hour).Unix()})),
		"of another issuer":          forge(t, changed(t, own, object{"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_other"})),
		"for another client":         forge(t, changed(t, own, object{"client_id": "other", "aud": nil})),
		"of nobody":                  forge(t, changed(t, own, object{"sub": "00000000-0000-0000-0000-000000000000"})),
		"algorithm none":             encoded(object{"alg": "none", "kid": "dummy"}) + "." + parts[1] + ".",
		"algorithm none, signed":     encoded(object{"alg": "none", "kid": "dummy"}) + "." + parts[1] + "." + parts[2],
		"another one's claims":       parts[0] + "." + encoded(other) + "." + parts[2],
		"a changed signature":        parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2])),
		"no signature":               parts[0] + "." + parts[1] + ".",
		"signed with the public key": symmetric(t, own),
		"the refresh token":          text(client{url: o.url}.post(t, "/_local/token", o.own("ada")).is(t, 200).body["refreshToken"]),
	}
	before := o.as(t, "ada").get(t, "/v1/users/mia").is(t, 200)
	for name, token := range tokens {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			who := client{url: o.url, token: token}
			for _, r := range []reply{
				who.get(t, "/v1/me"),
				who.put(t, "/v1/users/mia/persona", object{"persona": "leader"}),
				who.in("01KB6V3M5Q7TZ2XW4Y6R8N0PDE5SGH7JK").get(t, "/v1/me"),
				who.post(t, "/access/v1/evaluation", question("ada", "view", item("i1"))),
			} {
				r.is(t, 401)
				if !strings.HasPrefix(r.header.Get("Www-Authenticate"), "Bearer") {
					t.Errorf("%s: no challenge", r.call)
				}
			}
		})
	}
	t.Run("the forger's own token is one", func(t *testing.T) {
		client{url: o.url, token: forge(t, own)}.get(t, "/v1/me").is(t, 200)
	})
	t.Run("nothing was written", func(t *testing.T) {
		if after := o.as(t, "ada").get(t, "/v1/users/mia").is(t, 200); string(after.raw) != string(before.raw) {
			t.Errorf("%s", after.raw)
		}
	})
}

// symmetric is a token signed by HMAC: the classic confusion of a verifier
// that lets a token choose its algorithm.
func symmetric(t *testing.T, claims object) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKIXPublicKey(&poolKey(t).PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	header := jws.NewHeaders()
	if err := header.Set(jws.KeyIDKey, "dummy"); err != nil {
		t.Fatal(err)
	}
	token, err := jws.Sign(payload, jws.WithKey(jwa.HS256(), secret, jws.WithProtectedHeaders(header)))
	if err != nil {
		t.Fatal(err)
	}
	return string(token)
}

// foreign is a real token of ada's username in a second pool of the same
// provider.
func foreign(t *testing.T, o *organization) string {
	t.Helper()
	api := cognitoidentityprovider.NewFromConfig(running(t).Parts.Cognito)
	pool, err := api.CreateUserPool(t.Context(), &cognitoidentityprovider.CreateUserPoolInput{PoolName: aws.String("other")})
	if err != nil {
		t.Fatal(err)
	}
	id, name := pool.UserPool.Id, aws.String(o.username("ada"))
	made, err := api.CreateUserPoolClient(t.Context(), &cognitoidentityprovider.CreateUserPoolClientInput{
		UserPoolId: id, ClientName: aws.String("other"), ExplicitAuthFlows: []types.ExplicitAuthFlowsType{"ALLOW_USER_PASSWORD_AUTH"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.AdminCreateUser(t.Context(), &cognitoidentityprovider.AdminCreateUserInput{UserPoolId: id, Username: name}); err != nil {
		t.Fatal(err)
	}
	if _, err := api.AdminSetUserPassword(t.Context(), &cognitoidentityprovider.AdminSetUserPasswordInput{
		UserPoolId: id, Username: name, Password: aws.String(password), Permanent: true,
	}); err != nil {
		t.Fatal(err)
	}
	out, err := api.InitiateAuth(t.Context(), &cognitoidentityprovider.InitiateAuthInput{
		ClientId: made.UserPoolClient.ClientId, AuthFlow: types.AuthFlowTypeUserPasswordAuth,
		AuthParameters: map[string]string{"USERNAME": *name, "PASSWORD": password},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.AuthenticationResult.AccessToken
}
