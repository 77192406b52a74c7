package cognito

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// Prover asks the pool whether somebody knows their password.
type Prover struct {
	api    *cognitoidentityprovider.Client
	client string
}

// NewProver proves through the pool's app client, which allows
// USER_PASSWORD_AUTH and has no secret; an empty endpoint is AWS's own. Its
// calls take no credentials.
func NewProver(cfg aws.Config, endpoint, client string) *Prover {
	return &Prover{api: open(cfg, endpoint), client: client}
}

// Proof tells whether username and password open the account whose id in the
// pool is sub (I2). It is no proof when the pool asks for more than a password,
// a second factor or a new password: who signs in like that proves themselves
// by a fresh sign-in. What the pool cannot tell is Unavailable
// sign_in_unavailable. The tokens that a proof yields go nowhere, and the pool
// is asked to revoke them.
func (p *Prover) Proof(ctx context.Context, username, password, sub string) (bool, error) {
	out, err := p.api.InitiateAuth(ctx, &cognitoidentityprovider.InitiateAuthInput{
		AuthFlow:       types.AuthFlowTypeUserPasswordAuth,
		ClientId:       &p.client,
		AuthParameters: map[string]string{"USERNAME": username, "PASSWORD": password},
	})
	switch {
	case err != nil && refuses(err):
		return false, nil
	case err != nil:
		return false, unavailable(err)
	case out.AuthenticationResult == nil:
		return false, nil
	}
	p.revoke(ctx, out.AuthenticationResult.RefreshToken)
	return sub != "" && subject(aws.ToString(out.AuthenticationResult.AccessToken)) == sub, nil
}

// revoke makes what the proof yielded worthless. A pool that does not revoke
// leaves tokens that nobody has, so its failure is none of the proof's, and
// nobody waits for a second try.
func (p *Prover) revoke(ctx context.Context, refresh *string) {
	if refresh == nil {
		return
	}
	_, _ = p.api.RevokeToken(ctx, &cognitoidentityprovider.RevokeTokenInput{ClientId: &p.client, Token: refresh},
		func(o *cognitoidentityprovider.Options) { o.Retryer = aws.NopRetryer{} })
}

// subject is the sub of a token that came from the pool itself, over its own
// connection: there is no signature to doubt. What is no token has none.
func subject(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var claims struct {
		Sub string `json:"sub"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return ""
	}
	return claims.Sub
}
