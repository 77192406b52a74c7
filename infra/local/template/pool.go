package template

import "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

// Pool is the form of the user pool, as Cognito's CreateUserPool takes it.
type Pool struct {
	Policies              *types.UserPoolPolicyType
	UsernameConfiguration *types.UsernameConfigurationType
	AdminCreateUserConfig *types.AdminCreateUserConfigType
}

// PoolClient is the form of the pool's client, as CreateUserPoolClient takes it.
type PoolClient struct {
	ExplicitAuthFlows          []types.ExplicitAuthFlowsType
	PreventUserExistenceErrors types.PreventUserExistenceErrorTypes
	EnableTokenRevocation      *bool
	AccessTokenValidity        *int32
	IdTokenValidity            *int32
	RefreshTokenValidity       int32
	TokenValidityUnits         *types.TokenValidityUnitsType
}
