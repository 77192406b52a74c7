package cognito

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// Invite opens an account whose temporary password the pool mails to its owner,
// and answers its id in the pool; made is false, and nothing was mailed, when
// there is one of this name. Errors as Create's.
func (a *Accounts) Invite(ctx context.Context, username, email string) (sub string, made bool, err error) {
	return a.Create(ctx, Account{Username: username, Email: email, Invite: true})
}

// InviteAgain mails a new temporary password to the owner of an account who has
// none of their own yet; the one before is void.
func (a *Accounts) InviteAgain(ctx context.Context, username string) error {
	_, err := a.api.AdminCreateUser(ctx, &cognitoidentityprovider.AdminCreateUserInput{
		UserPoolId: &a.pool, Username: &username, MessageAction: types.MessageActionTypeResend,
		DesiredDeliveryMediums: []types.DeliveryMediumType{types.DeliveryMediumTypeEmail},
	})
	return told(err)
}

// Find is how the account of this name stands: its id in the pool and its
// address, whether its owner has a password of their own, and whether it lets
// anybody in. It is false when there is none. Unavailable sign_in_unavailable.
func (a *Accounts) Find(ctx context.Context, username string) (account struct {
	Sub, Email         string
	Confirmed, Enabled bool
}, found bool, err error) {
	out, err := a.api.AdminGetUser(ctx, &cognitoidentityprovider.AdminGetUserInput{UserPoolId: &a.pool, Username: &username})
	var unknown *types.UserNotFoundException
	switch {
	case errors.As(err, &unknown):
		return account, false, nil
	case err != nil:
		return account, false, told(err)
	}
	account.Sub, err = subOf(out.UserAttributes)
	account.Email = attribute(out.UserAttributes, "email")
	account.Confirmed, account.Enabled = out.UserStatus != types.UserStatusTypeForceChangePassword, out.Enabled
	return account, err == nil, err
}

// SetEmail makes this the account's address, a verified one; none when it is
// empty. Errors as Create's.
func (a *Accounts) SetEmail(ctx context.Context, username, email string) error {
	in := &cognitoidentityprovider.AdminUpdateUserAttributesInput{UserPoolId: &a.pool, Username: &username, UserAttributes: address(email)}
	if email == "" {
		// A blank value takes the attribute away.
		in.UserAttributes = []types.AttributeType{{Name: aws.String("email"), Value: aws.String("")}}
	}
	_, err := a.api.AdminUpdateUserAttributes(ctx, in)
	return told(err)
}

// Enable lets the owner of an account in again. Unavailable sign_in_unavailable.
func (a *Accounts) Enable(ctx context.Context, username string) error {
	_, err := a.api.AdminEnableUser(ctx, &cognitoidentityprovider.AdminEnableUserInput{UserPoolId: &a.pool, Username: &username})
	return told(err)
}

// Disable lets nobody in by the account, and voids what tokens it has given.
// Unavailable sign_in_unavailable.
func (a *Accounts) Disable(ctx context.Context, username string) error {
	_, err := a.api.AdminDisableUser(ctx, &cognitoidentityprovider.AdminDisableUserInput{UserPoolId: &a.pool, Username: &username})
	return told(err)
}
