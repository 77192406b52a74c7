//go:build !linux

package child

import (
	"os/exec"
	"syscall"
)

// Elsewhere the closed standard input is what ends a server.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}
