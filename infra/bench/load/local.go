package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"syscall"
	"time"
)

// local is a system that was started for the load.
type local struct {
	url   string
	end   context.CancelFunc
	ended <-chan struct{}
}

// serves is the line that tells where it is.
var serves = regexp.MustCompile(`^Gemba serves (http://127\.0\.0\.1:\d+)`)

// start runs the binary on a free port until it says that it serves; what it
// says otherwise is told only when it ends before.
func start(ctx context.Context, binary string, stderr io.Writer) (*local, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, binary)
	cmd.Env = append(os.Environ(), "PORT="+port, "SEED=")
	// It stops what it has started; only when it does not, it is killed.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 30 * time.Second
	said := &tail{}
	cmd.Stderr = said // not the terminal: each request is a line of its log
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		end()
		return nil, fmt.Errorf("%s: %w", binary, err)
	}
	fmt.Fprintln(stderr, "starting the demo world on port", port)
	served, ended := make(chan string, 1), make(chan struct{})
	go func() {
		lines, told := bufio.NewScanner(stdout), false
		for lines.Scan() { // to its end, so that it never waits for a reader
			if found := serves.FindStringSubmatch(lines.Text()); found != nil && !told {
				served <- found[1]
				told = true
			}
		}
		_ = cmd.Wait() // how it ended is in cmd.ProcessState
		close(ended)
	}()
	select {
	case url := <-served:
		return &local{url, end, ended}, nil
	case <-ended:
		end()
		return nil, fmt.Errorf("%s ended before it served: %s: %s", binary, cmd.ProcessState, said.text)
	}
}

// tail keeps the last of what is written to it.
type tail struct{ text []byte }

// Write never fails.
func (t *tail) Write(more []byte) (int, error) {
	t.text = append(t.text, more...)
	t.text = t.text[max(len(t.text)-2000, 0):]
	return len(more), nil
}

// stop ends the system and returns when it has ended.
func (l *local) stop() {
	l.end()
	<-l.ended
}

// freePort is a port that nothing listens on.
func freePort(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, errors.Join(err, listener.Close())
}
