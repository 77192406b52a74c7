package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"

	"gemba/infra/local/template"
)

// Authorizer is API Gateway's JWT authorizer: a token signed with RS256 by a
// key of the set, of the issuer, for the audience, within its times.
type Authorizer struct {
	config template.Authorizer
	keys   jwk.Set
	now    func() time.Time
}

// NewAuthorizer takes the issuer's key set as JSON; the issuer's own address is
// never asked, because it is AWS's.
func NewAuthorizer(config template.Authorizer, keySet []byte, now func() time.Time) (*Authorizer, error) {
	keys, err := jwk.Parse(keySet)
	if err != nil {
		return nil, fmt.Errorf("the key set of the user pool: %w", err)
	}
	return &Authorizer{config: config, keys: keys, now: now}, nil
}

// refusal is why a token is refused, as the WWW-Authenticate header tells.
type refusal string

func (r refusal) Error() string { return string(r) }

// claims is a token's claims, every value as a string, as an event carries
// them: numbers in decimal, lists in brackets.
func (a *Authorizer) claims(header string) (map[string]string, error) {
	token := header
	if scheme, rest, found := strings.Cut(header, " "); found && strings.EqualFold(scheme, "Bearer") {
		token = strings.TrimSpace(rest)
	}
	payload, err := a.verify(token)
	if err != nil {
		return nil, err
	}
	var claims map[string]any
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	if err := decoder.Decode(&claims); err != nil {
		return nil, refusal("the token has invalid claims")
	}
	if err := a.check(claims); err != nil {
		return nil, err
	}
	out := make(map[string]string, len(claims))
	for name, value := range claims {
		out[name] = text(value)
	}
	return out, nil
}

func (a *Authorizer) verify(token string) ([]byte, error) {
	message, err := jws.Parse([]byte(token), jws.WithCompact())
	if err != nil || len(message.Signatures()) != 1 {
		return nil, refusal("the token is malformed")
	}
	head := message.Signatures()[0].ProtectedHeaders()
	if algorithm, ok := head.Algorithm(); !ok || algorithm != jwa.RS256() {
		return nil, refusal("signing method is invalid")
	}
	id, _ := head.KeyID()
	key, found := a.keys.LookupKeyID(id)
	if !found {
		return nil, refusal("the token has an unknown key id")
	}
	payload, err := jws.Verify([]byte(token), jws.WithKey(jwa.RS256(), key))
	if err != nil {
		return nil, refusal("the token has an invalid signature")
	}
	return payload, nil
}

func (a *Authorizer) check(claims map[string]any) error {
	now := a.now()
	switch expires, err := instant(claims, "exp"); {
	case err != nil || expires.IsZero():
		return refusal("the token has no expiry")
	case !now.Before(expires):
		return refusal("the token has expired")
	}
	for _, name := range []string{"nbf", "iat"} {
		if from, err := instant(claims, name); err != nil || now.Before(from.Truncate(time.Second)) {
			return refusal("the token is not valid yet")
		}
	}
	if claims["iss"] != a.config.Issuer {
		return refusal("the token has an invalid issuer")
	}
	if !a.audience(claims) {
		return refusal("the token does not have a valid audience")
	}
	return nil
}

// audience looks at client_id only in a token without aud, as Cognito's access
// tokens are.
func (a *Authorizer) audience(claims map[string]any) bool {
	switch aud := claims["aud"].(type) {
	case nil:
		client, _ := claims["client_id"].(string)
		return slices.Contains(a.config.Audience, client)
	case string:
		return slices.Contains(a.config.Audience, aud)
	case []any:
		return slices.ContainsFunc(aud, func(one any) bool {
			name, _ := one.(string)
			return slices.Contains(a.config.Audience, name)
		})
	default:
		return false
	}
}

var errNoInstant = errors.New("no instant")

// instant is a claim's time, zero when it is absent.
func instant(claims map[string]any, name string) (time.Time, error) {
	value, present := claims[name]
	if !present {
		return time.Time{}, nil
	}
	number, ok := value.(json.Number)
	if !ok {
		return time.Time{}, errNoInstant
	}
	seconds, err := number.Float64()
	if err != nil {
		return time.Time{}, errNoInstant
	}
	return time.UnixMilli(int64(seconds * 1000)), nil
}

func text(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case []any:
		parts := make([]string, len(value))
		for i, one := range value {
			parts[i] = text(one)
		}
		return "[" + strings.Join(parts, " ") + "]"
	case map[string]any:
		out, _ := json.Marshal(value) // it was JSON before
		return string(out)
	default:
		return fmt.Sprint(value)
	}
}
