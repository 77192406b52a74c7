// Package cache keeps what is fetched from outside (DynamoDB Local, moto) in
// the repository's ignored folder .cache, whole or not at all.
package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Folder is the folder of something that is fetched, named after the content
// that pins it, so that a new pin is fetched anew. When it is not there yet,
// fill is called with a new folder to put it in, which becomes the folder only
// when fill succeeds. One process fills, the others wait for it; say is told so.
func Folder(ctx context.Context, root, name string, pin []byte, say func(string), fill func(dir string) error) (string, error) {
	sum := sha256.Sum256(pin)
	folder := filepath.Join(root, ".cache", name+"-"+hex.EncodeToString(sum[:6]))
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(ctx, folder+".lock", func() { say("waiting for another process that fetches " + name) })
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(folder); err == nil {
		return folder, nil // the other process filled it
	}
	return folder, fillWhole(folder, fill)
}

// fillWhole fills a folder beside it and renames that: whoever sees the folder
// sees all of it.
func fillWhole(folder string, fill func(string) error) error {
	part := folder + ".part"
	if err := errors.Join(os.RemoveAll(part), os.MkdirAll(part, 0o755)); err != nil {
		return err
	}
	if err := fill(part); err != nil {
		return errors.Join(err, os.RemoveAll(part))
	}
	return os.Rename(part, folder)
}

func lock(ctx context.Context, path string, waiting func()) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for tries := 0; ; tries++ {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil // closing releases the lock
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			_ = file.Close()
			return nil, fmt.Errorf("cannot lock %s: %w", path, err)
		}
		if tries == 0 {
			waiting()
		}
		select {
		case <-ctx.Done():
			_ = file.Close()
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}
