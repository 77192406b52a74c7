package bench

import (
	"syscall"
	"testing"
)

// cpuTime is what the process has used of the processors, collections included:
// unlike the time that passed, it does not tell what else the machine did.
func cpuTime(b *testing.B) int64 {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return used.Utime.Nano() + used.Stime.Nano()
}

// metered runs a benchmark's loop and reports its CPU time an operation.
func metered(b *testing.B, loop func()) {
	b.Helper()
	b.ReportAllocs()
	before := cpuTime(b)
	loop()
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}
