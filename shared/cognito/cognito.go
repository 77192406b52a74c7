// Package cognito is the user pool: it proves that a person is who they say
// (I2), opens accounts and closes them.
//
// It decides which of the pool's answers mean no, and which mean that nobody
// could tell. It refuses to know users, sessions and rights, and to tell why a
// proof failed: an unknown name and a wrong password are one answer.
package cognito

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"

	"gemba/shared/fault"
)

// open is a client of the pools at endpoint, AWS's own when that is empty.
func open(cfg aws.Config, endpoint string) *cognitoidentityprovider.Client {
	return cognitoidentityprovider.NewFromConfig(cfg, func(o *cognitoidentityprovider.Options) {
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
	})
}

// refuses tells whether the pool said no to a name and password, whatever of
// the two is wrong and in whatever state the account is.
func refuses(err error) bool {
	var (
		wrong       *types.NotAuthorizedException
		unknown     *types.UserNotFoundException
		unconfirmed *types.UserNotConfirmedException
		reset       *types.PasswordResetRequiredException
	)
	return errors.As(err, &wrong) || errors.As(err, &unknown) || errors.As(err, &unconfirmed) || errors.As(err, &reset)
}

// unavailable is a failure of the pool, for the log by its code alone: a
// message of the pool may repeat what it was sent (T5).
func unavailable(err error) error {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		err = errors.New(answer.ErrorCode())
	}
	return fault.Wrap(fault.Unavailable, "sign_in_unavailable", err)
}
