package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// state is what an import has done, kept beside it so that one that was cut
// goes on where it stopped: a line that says of what, then a line a call. A
// line that was cut itself is no line.
type state struct {
	file *os.File
	path string
	run  string
	done map[string]account
}

// heading is the first line of a state file. Run is the import's own: the keys
// of its calls begin with it, so that a repeated call is answered as the first
// one was, and the same file imported again tomorrow is not.
type heading struct {
	Of  string `json:"of"`
	Run string `json:"run"`
}

// line is what a call did.
type line struct {
	Call    string  `json:"call"`
	Account account `json:"account"`
}

// errOther is a state file that is another import's.
var errOther = errors.New("is of another import; name another file with -state, or begin anew with -restart")

// identity is what an import is known by: the same file, into the same place.
func identity(data []byte, url string, who caller) string {
	sum := sha256.Sum256(data)
	whole := sha256.Sum256(fmt.Appendf(nil, "%x\n%s\n%s", sum, url, who.Organization.ID))
	return hex.EncodeToString(whole[:])
}

// statePath is where the state of an import is kept unless it is told.
func statePath(identity string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("%w; name a file with -state", err)
	}
	return filepath.Join(cache, "gemba", "import-"+identity[:16]+".jsonl"), nil
}

// openState goes on with the import's state, or begins it.
func openState(path, identity string, restart bool) (*state, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if restart {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	s := &state{file: file, path: path, done: map[string]account{}}
	if err := s.read(identity); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return s, nil
}

// read takes what whole lines there are and cuts off the rest.
func (s *state) read(identity string) error {
	data, err := os.ReadFile(s.path)
	if err != nil {
		return err
	}
	whole := data[:bytes.LastIndexByte(data, '\n')+1]
	lines := bufio.NewScanner(bytes.NewReader(whole))
	lines.Buffer(nil, len(whole)+1)
	var head heading
	for lines.Scan() {
		if head.Run == "" {
			if json.Unmarshal(lines.Bytes(), &head) != nil || head.Of != identity {
				return fmt.Errorf("%s %w", s.path, errOther)
			}
			continue
		}
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return fmt.Errorf("%s: %w", s.path, err)
		}
		s.done[l.Call] = l.Account
	}
	if err := s.file.Truncate(int64(len(whole))); err != nil {
		return err
	}
	if _, err := s.file.Seek(0, 2); err != nil {
		return err
	}
	if s.run = head.Run; s.run == "" {
		s.run = rand.Text()
		return s.write(heading{identity, s.run})
	}
	return nil
}

// key is the idempotency key of a call.
func (s *state) key(c call) string { return s.run + "-" + c.name() }

// keep writes down what a call did.
func (s *state) keep(c call, a account) error { return s.write(line{c.name(), a}) }

func (s *state) write(value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if _, err := s.file.Write(append(text, '\n')); err != nil {
		return err
	}
	return s.file.Sync()
}

// close leaves the state to a later run, or removes it when all is done.
func (s *state) close(finished bool) error {
	err := s.file.Close()
	if finished {
		err = errors.Join(err, os.Remove(s.path))
	}
	return err
}
