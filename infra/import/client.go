package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// client is the API with a token. A call that meets 429, 503 or no answer at
// all is made again, as long after as the answer says; the key of the call
// makes that safe.
type client struct {
	url, token string
	http       *retryablehttp.Client
}

// mostTries bounds how often one call is made.
const mostTries = 8

// callTimeout is somewhat more than API Gateway waits for a function.
const callTimeout = 45 * time.Second

func newClient(url, token string, longest time.Duration) *client {
	h := retryablehttp.NewClient()
	h.HTTPClient.Timeout = callTimeout
	h.Logger, h.RetryMax, h.RetryWaitMin, h.RetryWaitMax = nil, mostTries-1, longest/64, longest
	h.ErrorHandler = retryablehttp.PassthroughErrorHandler
	return &client{strings.TrimRight(url, "/"), token, h}
}

// failure is an answer that is no success.
type failure struct {
	Status int
	Type   string
	Title  string
	Detail string
	Errors []struct{ Pointer, Detail string }
}

func (f *failure) Error() string {
	text := fmt.Sprintf("%d %s", f.Status, strings.TrimPrefix(f.Type, "urn:problem:"))
	if f.Detail != "" {
		text += ": " + f.Detail
	}
	for _, e := range f.Errors {
		text += "\n  " + e.Pointer + ": " + e.Detail
	}
	return text
}

// do makes a call and reads its answer into out.
func (c *client) do(ctx context.Context, method, path, key string, content []byte, out any) error {
	request, err := retryablehttp.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	if content != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return unreached(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return unreached(err)
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		f := &failure{Status: response.StatusCode}
		if json.Unmarshal(answer, f) != nil {
			f.Detail = "the answer is no problem document"
		}
		f.Status = response.StatusCode
		return f
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s %s: the answer is not JSON: %w", method, path, err)
	}
	return nil
}

// unreached leaves the address out, which url.Error tells with all that stands in it.
func unreached(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	return fmt.Errorf("no answer: %w", err)
}

// caller is who the token is of.
type caller struct {
	Subject, Organization struct{ ID, Name string }
}

// me asks who the token is of.
func (c *client) me(ctx context.Context) (who caller, err error) {
	return who, c.do(ctx, http.MethodGet, "/v1/me", "", nil, &who)
}

// result is what became of an entry.
type result struct {
	Pointer string   `json:"pointer"`
	ID      string   `json:"id"`
	Result  string   `json:"result,omitempty"`
	Problem *failure `json:"problem,omitempty"`
}

// imports makes an import's call.
func (c *client) imports(ctx context.Context, content []byte, key string, dry bool) ([]result, error) {
	path := "/v1/import"
	if dry {
		path += "?dryRun=true"
	}
	var answer struct{ Results []result }
	err := c.do(ctx, http.MethodPost, path, key, content, &answer)
	return answer.Results, err
}
