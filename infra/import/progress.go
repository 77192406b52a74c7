package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress shows how far an import is: a bar on a terminal, else a line a
// call, as a log wants it.
type progress interface {
	step(n int)
	end()
}

func newProgress(out io.Writer, all int) progress {
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return bar{progressbar.NewOptions(all,
			progressbar.OptionSetWriter(out), progressbar.OptionShowCount(), progressbar.OptionSetWidth(30),
			progressbar.OptionShowIts(), progressbar.OptionSetItsString("entries"), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetPredictTime(true), progressbar.OptionSetDescription("importing"))}
	}
	return &lines{out: out, all: all}
}

type bar struct{ *progressbar.ProgressBar }

func (b bar) step(n int) { _ = b.Add(n) } // what a terminal does not show is no failure
func (b bar) end()       { _ = b.Exit(); fmt.Fprintln(os.Stderr) }

type lines struct {
	out       io.Writer
	done, all int
}

func (l *lines) step(n int) {
	l.done += n
	fmt.Fprintf(l.out, "%d of %d\n", l.done, l.all)
}

func (l *lines) end() {}
