package moto

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"gemba/infra/local/dynamolocal"
	"gemba/infra/local/template"
)

// Config is the SDK's configuration for this server.
func (s *Server) Config() aws.Config { return dynamolocal.Config(s.Endpoint(), "local") }

// CreatePool creates the user pool and its client and is their ids.
func (s *Server) CreatePool(ctx context.Context, pool template.Pool, client template.PoolClient) (poolID, clientID string, err error) {
	api := cognito.NewFromConfig(s.Config())
	made, err := api.CreateUserPool(ctx, &cognito.CreateUserPoolInput{
		PoolName: aws.String("local"), Policies: pool.Policies,
		UsernameConfiguration: pool.UsernameConfiguration, AdminCreateUserConfig: pool.AdminCreateUserConfig,
	})
	if err != nil {
		return "", "", fmt.Errorf("create the user pool: %w", err)
	}
	poolID = aws.ToString(made.UserPool.Id)
	madeClient, err := api.CreateUserPoolClient(ctx, &cognito.CreateUserPoolClientInput{
		ClientName: aws.String("local"), UserPoolId: &poolID,
		ExplicitAuthFlows:          client.ExplicitAuthFlows,
		PreventUserExistenceErrors: client.PreventUserExistenceErrors,
		EnableTokenRevocation:      client.EnableTokenRevocation,
		AccessTokenValidity:        client.AccessTokenValidity,
		IdTokenValidity:            client.IdTokenValidity,
		RefreshTokenValidity:       client.RefreshTokenValidity,
		TokenValidityUnits:         client.TokenValidityUnits,
	})
	if err != nil {
		return "", "", fmt.Errorf("create the user pool's client: %w", err)
	}
	return poolID, aws.ToString(madeClient.UserPoolClient.ClientId), nil
}

// CreateIdentity creates an address that mail may be sent from.
func (s *Server) CreateIdentity(ctx context.Context, address string) error {
	_, err := sesv2.NewFromConfig(s.Config()).CreateEmailIdentity(ctx, &sesv2.CreateEmailIdentityInput{EmailIdentity: &address})
	if err != nil {
		return fmt.Errorf("create the mail identity: %w", err)
	}
	return nil
}

// KeySet is the public keys that the pool signs its tokens with, as JSON.
func (s *Server) KeySet(ctx context.Context, poolID string) ([]byte, error) {
	return s.get(ctx, "/"+poolID+"/.well-known/jwks.json")
}

// Tokens is what a sign-in yields.
type Tokens struct {
	Access, ID, Refresh string
}

// ErrRefused is a sign-in that the pool refuses, whatever of name and password
// is wrong.
var ErrRefused = errors.New("the username or the password is wrong")

// SignIn signs in with a password, by the client of this id.
func (s *Server) SignIn(ctx context.Context, clientID, username, password string) (Tokens, error) {
	out, err := cognito.NewFromConfig(s.Config()).InitiateAuth(ctx, &cognito.InitiateAuthInput{
		AuthFlow: types.AuthFlowTypeUserPasswordAuth, ClientId: &clientID,
		AuthParameters: map[string]string{"USERNAME": username, "PASSWORD": password},
	})
	var wrong *types.NotAuthorizedException
	var unknown *types.UserNotFoundException
	switch {
	case errors.As(err, &wrong) || errors.As(err, &unknown):
		return Tokens{}, ErrRefused
	case err != nil:
		return Tokens{}, err
	case out.AuthenticationResult == nil:
		return Tokens{}, fmt.Errorf("%w: the pool asks for %s first", ErrRefused, out.ChallengeName)
	}
	got := out.AuthenticationResult
	return Tokens{aws.ToString(got.AccessToken), aws.ToString(got.IdToken), aws.ToString(got.RefreshToken)}, nil
}
