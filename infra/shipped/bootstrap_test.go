package shipped

import (
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"
)

// bootstrap builds one function as sam does and answers its file.
func bootstrap(b *testing.B, id, architecture string) string {
	b.Helper()
	folder := b.TempDir()
	run(b, nil, "make", "--silent", "build-"+id, "ARCHITECTURE="+architecture, "ARTIFACTS_DIR="+folder)
	return filepath.Join(folder, "bootstrap")
}

// BenchmarkBootstrap is how long each function takes from exec until it asks
// the Lambda runtime API for its first event, on this machine's processor, and
// how large it is for the one that is deployed.
func BenchmarkBootstrap(b *testing.B) {
	for _, id := range slices.Sorted(maps.Keys(functions)) {
		b.Run(functions[id].folder, func(b *testing.B) {
			deployed, err := os.Stat(bootstrap(b, id, "arm64"))
			if err != nil {
				b.Fatal(err)
			}
			local := bootstrap(b, id, architectures[runtime.GOARCH])
			var times []time.Duration
			for b.Loop() {
				times = append(times, ready(b, local))
			}
			slices.Sort(times)
			b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "ms-to-ready")
			b.ReportMetric(float64(deployed.Size())/1e6, "MB-arm64")
		})
	}
}

// ready starts a bootstrap and ends it when it asks for its first event.
func ready(b *testing.B, file string) time.Duration {
	b.Helper()
	asked := make(chan time.Time, 1)
	listener, err := new(net.ListenConfig).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- time.Now():
		default: // it asks again while it is being ended
		}
		<-r.Context().Done()
	})}
	go func() { _ = server.Serve(listener) }() // it ends with Close
	defer func() { _ = server.Close() }()
	command := exec.CommandContext(b.Context(), file)
	command.Env = []string{
		"AWS_LAMBDA_RUNTIME_API=" + listener.Addr().String(), "AWS_REGION=us-east-1", "TABLE=none",
		"AWS_ACCESS_KEY_ID=none", "AWS_SECRET_ACCESS_KEY=none", "SENDER=access@gemba.example", "USER_POOL_CLIENT_ID=none", "USER_POOL_ID=none",
	}
	began := time.Now()
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() { _ = command.Wait() }() // it was killed
	defer func() { _ = command.Process.Kill() }()
	select {
	case at := <-asked:
		return at.Sub(began)
	case <-time.After(10 * time.Second):
		b.Fatalf("%s asked for no event", file)
		return 0
	}
}
