// Package child runs the programs that the local stack is made of so that none
// outlives it.
//
// A server started here gets a pipe as its standard input and is expected to
// end when that closes, which the kernel does for us however this process
// ends; where the kernel can also signal a child of a dead parent, it is asked
// to. A server leads a process group of its own, so Ctrl-C reaches this process
// alone and it decides the order in which things stop.
package child

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Server is a running program that listens on a port of its own choosing.
type Server struct {
	// Port is where it listens on 127.0.0.1.
	Port string
	// Done is closed when the program has ended, wanted or not.
	Done  <-chan struct{}
	stdin io.Closer
	cmd   *exec.Cmd
	once  sync.Once
}

const startLimit = 60 * time.Second

// Start runs the command, whose own context should not end before Close, until
// it prints a line that ready matches, whose first group is the port. A program
// that ends before, or says nothing within a minute, is an error with the last
// lines that it printed.
func Start(ctx context.Context, cmd *exec.Cmd, ready *regexp.Regexp) (*Server, error) {
	output, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = write, write
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	done, err := launch(cmd, write)
	if err != nil {
		return nil, err
	}
	s := &Server{Done: done, stdin: stdin, cmd: cmd}
	port, tail := watch(output, ready)
	select {
	case s.Port = <-port:
		return s, nil
	case <-done:
		err = fmt.Errorf("%s ended: %s", cmd.Path, <-tail)
	case <-time.After(startLimit):
		err = fmt.Errorf("%s was not ready within %v", cmd.Path, startLimit)
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.Close()
	return nil, err
}

// Close ends the program and returns when it has ended. It may be called
// more than once.
func (s *Server) Close() {
	s.once.Do(func() {
		_ = s.stdin.Close() // it may have ended already
		select {
		case <-s.Done:
		case <-time.After(2 * time.Second):
			_ = s.cmd.Process.Kill() // it did not heed the end of its input
			<-s.Done
		}
	})
}

// Run runs a command that ends by itself, or with its own context, handing each
// line that it prints to line. An end of ctx is its error.
func Run(ctx context.Context, cmd *exec.Cmd, line func(string)) error {
	output, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = write, write
	done, err := launch(cmd, write)
	if err != nil {
		return err
	}
	scanner := bufio.NewScanner(output)
	for scanner.Scan() {
		line(scanner.Text())
	}
	_, _ = io.Copy(io.Discard, output) // a line longer than the scanner's buffer must not block the command
	<-done
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("%s ended with exit code %d", cmd.Path, code)
	}
	return nil
}

// launch starts and awaits the command on one thread that lives as long as it
// does: the kernel counts the end of the starting thread as the parent's death.
func launch(cmd *exec.Cmd, output *io.PipeWriter) (<-chan struct{}, error) {
	dieWithParent(cmd)
	cmd.WaitDelay = 2 * time.Second // its own children may hold its output open
	started, done := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer close(done)
		defer func() { _ = output.Close() }() // a pipe in memory has nothing to lose
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // the exit code is in cmd.ProcessState
		}
	}()
	return done, <-started
}

// watch reads a server's output for as long as it lives, so that it never
// blocks on a full pipe. It sends the port once and, at the end, the last lines.
func watch(output io.Reader, ready *regexp.Regexp) (port, tail <-chan string) {
	found, rest := make(chan string, 1), make(chan string, 1)
	go func() {
		var last []string
		scanner := bufio.NewScanner(output)
		for scanner.Scan() {
			line := scanner.Text()
			if match := ready.FindStringSubmatch(line); match != nil {
				select {
				case found <- match[1]:
				default: // it was told before
				}
			}
			if last = append(last, line); len(last) > 10 {
				last = last[1:]
			}
		}
		_, _ = io.Copy(io.Discard, output)
		rest <- strings.Join(last, " | ")
	}()
	return found, rest
}
