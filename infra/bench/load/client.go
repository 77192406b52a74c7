package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// client asks one system on this machine.
type client struct {
	base string
	http *http.Client
}

// newClient is a client of that address, which must be a loopback one by its
// number: a name could lead elsewhere tomorrow.
func newClient(address string, connections int) (*client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return nil, fmt.Errorf("%q is no address like http://127.0.0.1:8080", address)
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err != nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%s is not on this machine's loopback interface: only 127.0.0.1 and its like are loaded", u.Host)
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: onlyLoopback}
	return &client{
		base: "http://" + u.Host,
		http: &http.Client{
			Timeout: 30 * time.Second,
			Transport: &http.Transport{
				DialContext: dialer.DialContext, MaxIdleConnsPerHost: connections, // and no proxy of the environment's
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// onlyLoopback refuses to dial any address but the loopback interface's.
func onlyLoopback(_, address string, _ syscall.RawConn) error {
	if to, err := netip.ParseAddrPort(address); err != nil || !to.Addr().IsLoopback() {
		return fmt.Errorf("%s is not on the loopback interface", address)
	}
	return nil
}

// post sends a body as JSON and is the answer's status and body.
func (c *client) post(ctx context.Context, path, token string, body any) (int, []byte, error) {
	content, err := json.Marshal(body)
	if err != nil {
		return 0, nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(content))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(answer.Body)
	return answer.StatusCode, raw, err
}

// signIn is a token of somebody of the demo world.
func (c *client) signIn(ctx context.Context, username string) (string, error) {
	status, raw, err := c.post(ctx, "/_local/token", "", map[string]string{"username": username, "password": demoPassword})
	if err != nil {
		return "", err
	}
	var tokens struct{ AccessToken string }
	if err := json.Unmarshal(raw, &tokens); err != nil || status != http.StatusOK || tokens.AccessToken == "" {
		return "", fmt.Errorf("%s cannot sign in: %d: is it the demo world that runs there?", username, status)
	}
	return tokens.AccessToken, nil
}
