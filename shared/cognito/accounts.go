package cognito

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"gemba/shared/fault"
)

// Account is a sign-in to open. With a Password it works at once; without one
// the pool makes a temporary one, which only an Invite tells the person.
type Account struct {
	Username, Email, Password string
	Invite                    bool
}

// Accounts opens sign-ins in a pool.
type Accounts struct {
	api  *cognitoidentityprovider.Client
	pool string
}

// NewAccounts opens sign-ins in this pool, by its id; an empty endpoint is
// AWS's own.
func NewAccounts(cfg aws.Config, endpoint, pool string) *Accounts {
	return &Accounts{api: open(cfg, endpoint), pool: pool}
}

// Create opens the account and answers its id in the pool (sub), and whether
// it was not there before. An account that is there is left as it is, but for
// one whose password a first try did not come to set. An account that the pool
// will not have (its password is too short, its name no name) is Unprocessable
// account_refused; a pool that fails, Unavailable sign_in_unavailable.
func (a *Accounts) Create(ctx context.Context, account Account) (string, bool, error) {
	sub, created, err := a.open(ctx, account)
	if err != nil || account.Password == "" {
		return sub, created, err
	}
	if !created {
		fresh, err := a.unset(ctx, account.Username)
		if err != nil || !fresh {
			return sub, false, err
		}
	}
	_, err = a.api.AdminSetUserPassword(ctx, &cognitoidentityprovider.AdminSetUserPasswordInput{
		UserPoolId: &a.pool, Username: &account.Username, Password: &account.Password, Permanent: true,
	})
	return sub, created, told(err)
}

// open makes the account, or finds the one that has the name.
func (a *Accounts) open(ctx context.Context, account Account) (string, bool, error) {
	out, err := a.api.AdminCreateUser(ctx, a.creation(account))
	var exists *types.UsernameExistsException
	switch {
	case errors.As(err, &exists):
		sub, _, err := a.find(ctx, account.Username)
		return sub, false, err
	case err != nil:
		return "", false, told(err)
	}
	sub, err := subOf(out.User.Attributes)
	return sub, true, err
}

func (a *Accounts) creation(account Account) *cognitoidentityprovider.AdminCreateUserInput {
	in := &cognitoidentityprovider.AdminCreateUserInput{UserPoolId: &a.pool, Username: &account.Username}
	if account.Email != "" {
		in.UserAttributes = address(account.Email)
	}
	if !account.Invite || account.Password != "" {
		in.MessageAction = types.MessageActionTypeSuppress
		return in
	}
	in.DesiredDeliveryMediums = []types.DeliveryMediumType{types.DeliveryMediumTypeEmail}
	return in
}

// address is an account's e-mail address, which whoever administers the user
// vouches for.
func address(email string) []types.AttributeType {
	return []types.AttributeType{
		{Name: aws.String("email"), Value: &email}, {Name: aws.String("email_verified"), Value: aws.String("true")},
	}
}

// unset tells whether the account still waits for its first own password.
func (a *Accounts) unset(ctx context.Context, username string) (bool, error) {
	_, status, err := a.find(ctx, username)
	return status == types.UserStatusTypeForceChangePassword, err
}

func (a *Accounts) find(ctx context.Context, username string) (string, types.UserStatusType, error) {
	out, err := a.api.AdminGetUser(ctx, &cognitoidentityprovider.AdminGetUserInput{UserPoolId: &a.pool, Username: &username})
	if err != nil {
		return "", "", told(err)
	}
	sub, err := subOf(out.UserAttributes)
	return sub, out.UserStatus, err
}

func subOf(attributes []types.AttributeType) (string, error) {
	if sub := attribute(attributes, "sub"); sub != "" {
		return sub, nil
	}
	return "", unavailable(errors.New("the pool answered an account without a sub"))
}

// attribute is an account's attribute of this name, "" when it has none.
func attribute(attributes []types.AttributeType, name string) string {
	for _, at := range attributes {
		if aws.ToString(at.Name) == name {
			return aws.ToString(at.Value)
		}
	}
	return ""
}

// told is an error of the pool about an account, nil for nil.
func told(err error) error {
	var (
		password  *types.InvalidPasswordException
		parameter *types.InvalidParameterException
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &password):
		return fault.New(fault.Unprocessable, "account_refused", "The user pool does not take this password: it breaks the pool's password policy.")
	case errors.As(err, &parameter):
		return fault.New(fault.Unprocessable, "account_refused", "The user pool does not take this username, e-mail or password.")
	}
	return unavailable(err)
}
