package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gemba/infra/local/functions"
	"gemba/infra/local/stack"
	"gemba/infra/local/template"
	"gemba/infra/organization/world"
	"gemba/shared/impersonation"
)

// settings is what the environment says, checked before anything is started.
type settings struct {
	root  string
	port  int
	idle  time.Duration
	world world.World
}

func readSettings(env func(string) string) (settings, error) {
	root, err := template.Root()
	if err != nil {
		return settings{}, err
	}
	port, portErr := readPort(env("PORT"))
	idle, idleErr := readIdle(env("IMPERSONATION_IDLE"))
	seed, seedErr := readSeed(root, env("SEED"))
	return settings{root, port, idle, seed}, errors.Join(portErr, idleErr, seedErr)
}

func readPort(text string) (int, error) {
	if text == "" {
		return 8080, nil
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 {
		return 0, fmt.Errorf("PORT is %q: set it to a number from 1 to 65535", text)
	}
	return port, nil
}

func readIdle(text string) (time.Duration, error) {
	if text == "" {
		return impersonation.DefaultIdle, nil
	}
	idle, err := time.ParseDuration(text)
	if err != nil || idle <= 0 {
		return 0, fmt.Errorf("IMPERSONATION_IDLE is %q: set it to a duration above zero, as 90s or 5m", text)
	}
	return idle, nil
}

// readSeed reads the world; every fault of it is a line of the error.
func readSeed(root, path string) (world.World, error) {
	if path == "" {
		path = filepath.Join(root, "infra", "demo", "world.json")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return world.World{}, fmt.Errorf("the world cannot be read: %w: set SEED to the path of a world file", err)
	}
	read, problems := world.Read(text)
	if len(problems) == 0 {
		return read, nil
	}
	lines := append(world.Lines(problems), path+" is faulty: mend that, or set SEED to another world")
	return world.World{}, errors.New(strings.Join(lines, "\n"))
}

// options is the stack that the settings ask for.
func (s settings) options(stderr io.Writer) stack.Options {
	return stack.Options{
		Root: s.root, Port: s.port, Log: stderr,
		Pace:     s.idle, // so that a session has its end soon after it idled out
		Say:      func(line string) { fmt.Fprintln(stderr, line) },
		Handlers: functions.Handlers(s.idle, time.Now),
		Seed: func(ctx context.Context, parts stack.Parts) error {
			fmt.Fprintf(stderr, "loading %s: %d users, %d items\n", s.world.Organization.Name, len(s.world.Users), len(s.world.Items))
			return functions.Seed(ctx, parts, s.world)
		},
	}
}

// welcome is the one line that says where the system is and how to sign in.
func (s settings) welcome(url string) string {
	for _, user := range s.world.Users {
		if user.Password != "" {
			return fmt.Sprintf(`Gemba serves %s - sign in: curl -s %s/_local/token -d '{"username":"%s","password":"%s"}'`,
				url, url, user.Username, user.Password)
		}
	}
	return "Gemba serves " + url + " - nobody of this world has a password to sign in with"
}
