package dynamolocal

import (
	"strings"
	"testing"
	"time"

	"gemba/infra/local/template"
)

func TestAServerStartsAndEnds(t *testing.T) {
	root, err := template.Root()
	if err != nil {
		t.Fatal(err)
	}
	server, err := Start(t.Context(), root, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(server.Endpoint(), "http://127.0.0.1:") {
		t.Errorf("it is at %s", server.Endpoint())
	}
	server.Close()
	<-server.Done()
}

func TestWhatTheMachineLacksIsToldInOneLine(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, noJava := Start(t.Context(), t.TempDir(), func(string) {})
	_, noMaven := Fetch(t.Context(), t.TempDir(), func(string) {})
	for want, err := range map[string]error{"java": noJava, "mvn": noMaven} {
		if err == nil || !strings.Contains(err.Error(), want+" was not found") || !strings.Contains(err.Error(), "install") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestProgressAddsUpWhatWasDownloaded(t *testing.T) {
	var said []string
	p := &progress{say: func(line string) { said = append(said, line) }, next: time.Now().Add(time.Hour)}
	for _, line := range []string{
		"[INFO] Downloading from central: https://repo.maven.apache.org/maven2/a/a.jar",
		"[INFO] Downloaded from central: https://repo.maven.apache.org/maven2/a/a.pom (9 kB at 1 kB/s)",
		"[INFO] Downloaded from central: https://repo.maven.apache.org/maven2/a/a.jar (500 kB at 1.0 MB/s)",
		"[ERROR] Failed to execute goal", "[ERROR] help",
	} {
		p.line(line)
	}
	p.next = time.Time{}
	p.line("[INFO] Downloaded from central: https://repo.maven.apache.org/maven2/b/b.so (2.5 MB at 1.0 MB/s)")
	if len(said) != 1 || said[0] != "fetching DynamoDB Local: 2 files, 3 MB" {
		t.Errorf("%q", said)
	}
	if p.fault != "[ERROR] Failed to execute goal" {
		t.Errorf("fault %q", p.fault)
	}
}
