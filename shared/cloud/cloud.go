// Package cloud makes the AWS configuration of a function by hand.
//
// The SDK's own loader looks in files, profiles and metadata services and
// costs a function most of its start; a Lambda function has all of it in its
// environment. The package decides where region, credentials and endpoints
// come from and how often a call is repeated; it refuses to know any service.
package cloud

import (
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// callTimeout bounds one attempt of a call, so that a lost answer leaves time
// to repeat it within a request.
const callTimeout = 3 * time.Second

// Config is the configuration by the environment: AWS_REGION and the three of
// the credentials.
func Config() aws.Config {
	return aws.Config{
		Region: os.Getenv("AWS_REGION"),
		Credentials: credentials.NewStaticCredentialsProvider(
			os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN")),
		HTTPClient: client(),
		Retryer:    func() aws.Retryer { return retry.NewStandard() },
	}
}

func client() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 32
	return &http.Client{Transport: transport, Timeout: callTimeout}
}

// Endpoint is where a service answers when it is not AWS's own address: the
// SDK's variable AWS_ENDPOINT_URL_<service>, "" when it is not set.
func Endpoint(service string) string { return os.Getenv("AWS_ENDPOINT_URL_" + service) }
