// Package moto fetches and runs moto, which is Cognito and SES on this
// machine, creates the template's pool, client and identity in it, and reads
// the mail that was handed to it.
//
// moto loses data when it is written to at the same time, so every call goes
// through a proxy that lets one in after the other. It differs from Cognito in
// that an unknown user answers UserNotFoundException, tokens always last an
// hour, and a refreshed token claims a new auth_time; from SES in that it
// drops the text part of a mail that has an HTML part.
package moto

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"gemba/infra/local/child"
)

// Server is a running moto behind its proxy.
type Server struct {
	process *child.Server
	proxy   *http.Server
	address string
}

var listening = regexp.MustCompile(`^listening on port (\d+)$`)

// Start fetches moto if need be and runs it on free ports of the loopback
// address until Close or the end of this process. A machine without Python
// gets an error that says what to install.
func Start(ctx context.Context, root string, say func(string)) (*Server, error) {
	if _, err := exec.LookPath("python3"); err != nil {
		return nil, fmt.Errorf("python3 was not found, which runs moto: install Python 3.10 or newer (Debian: apt-get install python3 python3-venv)")
	}
	dir, err := Fetch(ctx, root, say)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), filepath.Join(dir, "bin", "python"), filepath.Join(dir, "serve.py"))
	// The same pool has the same id each time, which infra/local/env.json names.
	cmd.Env = append(os.Environ(), "MOTO_COGNITO_IDP_USER_POOL_ID_STRATEGY=HASH", "MOTO_COGNITO_IDP_USER_POOL_CLIENT_ID_STRATEGY=HASH")
	process, err := child.Start(ctx, cmd, listening)
	if err != nil {
		return nil, fmt.Errorf("moto did not start: %w", err)
	}
	s := &Server{process: process}
	if err := s.serve(ctx); err != nil {
		process.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) serve(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.address = "http://" + listener.Addr().String()
	s.proxy = &http.Server{Handler: oneAtATime("127.0.0.1:" + s.process.Port), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.proxy.Serve(listener) }() // it ends with Close
	return nil
}

// oneAtATime hands requests on one after the other.
func oneAtATime(target string) http.Handler {
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: target})
	proxy.Transport = &http.Transport{DisableKeepAlives: true} // moto closes idle connections under a request
	var turn sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		turn.Lock()
		defer turn.Unlock()
		proxy.ServeHTTP(w, r)
	})
}

// Close ends the server.
func (s *Server) Close() {
	_ = s.proxy.Close() // whoever still asks is cut off
	s.process.Close()
}

// Done is closed when the server has ended, wanted or not.
func (s *Server) Done() <-chan struct{} { return s.process.Done }

// Endpoint is the address that SDK clients take as their BaseEndpoint.
func (s *Server) Endpoint() string { return s.address }

func (s *Server) get(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("moto answered %s to %s", response.Status, path)
	}
	return io.ReadAll(response.Body)
}
