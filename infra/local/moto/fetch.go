package moto

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"gemba/infra/local/cache"
	"gemba/infra/local/child"
)

var (
	//go:embed requirements.txt
	requirements []byte
	//go:embed serve.py
	launcher []byte
)

// Fetch brings moto from PyPI into a virtual environment in the cache below
// root and is the environment's folder; from then on it is there at once. say
// is told what is being fetched and how far it is.
func Fetch(ctx context.Context, root string, say func(string)) (string, error) {
	pin := append(append([]byte{}, requirements...), launcher...)
	return cache.Folder(ctx, root, "moto", pin, say, func(dir string) error {
		return fill(ctx, dir, say)
	})
}

func fill(ctx context.Context, dir string, say func(string)) error {
	total := bytes.Count(requirements, []byte("=="))
	say(fmt.Sprintf("fetching moto from PyPI (%d packages, 25 MB)", total))
	var output progress
	if err := child.Run(ctx, exec.CommandContext(ctx, "python3", "-m", "venv", dir), output.line); err != nil {
		return fmt.Errorf("python3 cannot make a virtual environment (Debian: apt-get install python3-venv): %w: %s", err, output.last)
	}
	output = progress{say: say, total: total, next: time.Now().Add(2 * time.Second)}
	list := filepath.Join(dir, "requirements.txt")
	if err := os.WriteFile(list, requirements, 0o644); err != nil {
		return err
	}
	install := exec.CommandContext(ctx, filepath.Join(dir, "bin", "python"), "-m", "pip", "install", "--no-deps", "--no-input",
		"--disable-pip-version-check", "--progress-bar", "off", "-r", list)
	if err := child.Run(ctx, install, output.line); err != nil {
		return fmt.Errorf("moto could not be fetched from PyPI (is it reachable from here?): %w: %s", err, output.last)
	}
	return os.WriteFile(filepath.Join(dir, "serve.py"), launcher, 0o644)
}

// progress counts the packages that pip says it has begun.
type progress struct {
	say          func(string)
	begun, total int
	next         time.Time
	last         string
}

func (p *progress) line(text string) {
	if strings.TrimSpace(text) != "" {
		p.last = text
	}
	if !strings.HasPrefix(text, "Collecting ") {
		return
	}
	p.begun++
	if now := time.Now(); now.After(p.next) {
		p.next = now.Add(2 * time.Second)
		p.say(fmt.Sprintf("fetching moto: package %d of %d", p.begun, p.total))
	}
}
