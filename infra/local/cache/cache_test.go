package cache

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestAFolderIsFilledOnceByMany(t *testing.T) {
	root := t.TempDir()
	var fills atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			folder, err := Folder(t.Context(), root, "thing", []byte("1"), func(string) {}, func(dir string) error {
				fills.Add(1)
				return os.WriteFile(filepath.Join(dir, "file"), []byte("whole"), 0o644)
			})
			if err != nil {
				t.Error(err)
				return
			}
			if text, err := os.ReadFile(filepath.Join(folder, "file")); err != nil || string(text) != "whole" {
				t.Errorf("%q, %v", text, err)
			}
		})
	}
	all.Wait()
	if fills.Load() != 1 {
		t.Errorf("filled %d times", fills.Load())
	}
}

func TestAnotherPinIsAnotherFolder(t *testing.T) {
	root := t.TempDir()
	folder := func(pin string) string {
		out, err := Folder(t.Context(), root, "thing", []byte(pin), nil, func(string) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if folder("1") == folder("2") {
		t.Error("they are one")
	}
}

func TestWhatFailedIsBegunAgain(t *testing.T) {
	root := t.TempDir()
	fail := func(dir string) error {
		return errors.Join(os.WriteFile(filepath.Join(dir, "half"), nil, 0o644), errors.New("no"))
	}
	if _, err := Folder(t.Context(), root, "thing", nil, nil, fail); err == nil {
		t.Fatal("no error")
	}
	folder, err := Folder(t.Context(), root, "thing", nil, nil, func(dir string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}

func TestWhoWaitsIsToldAndMayGiveUp(t *testing.T) {
	root := t.TempDir()
	begun, end := make(chan bool), make(chan bool)
	var other sync.WaitGroup
	other.Go(func() {
		_, _ = Folder(t.Context(), root, "thing", nil, func(string) {}, func(string) error {
			close(begun)
			<-end
			return nil
		})
	})
	<-begun
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Folder(ctx, root, "thing", nil, func(line string) {
		if !strings.Contains(line, "thing") {
			t.Errorf("told %q", line)
		}
		cancel()
	}, func(string) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	close(end)
	other.Wait()
}
