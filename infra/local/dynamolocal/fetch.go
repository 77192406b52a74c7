package dynamolocal

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gemba/infra/local/cache"
	"gemba/infra/local/child"
)

var (
	//go:embed pom.xml
	pom []byte
	//go:embed Loopback.java
	launcher []byte
)

// Fetch brings DynamoDB Local from Maven Central into the cache below root and
// is the folder that holds it; from then on it is there at once. say is told
// what is being fetched and how far it is.
func Fetch(ctx context.Context, root string, say func(string)) (string, error) {
	pin := append(append([]byte{}, pom...), launcher...)
	return cache.Folder(ctx, root, "dynamodb-local", pin, say, func(dir string) error {
		return fill(ctx, dir, say)
	})
}

func fill(ctx context.Context, dir string, say func(string)) error {
	if _, err := exec.LookPath("mvn"); err != nil {
		return fmt.Errorf("mvn was not found, which fetches DynamoDB Local: install Maven (Debian: apt-get install maven)")
	}
	for name, content := range map[string][]byte{"pom.xml": pom, "Loopback.java": launcher} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	say("fetching DynamoDB Local from Maven Central (about 135 files, 70 MB)")
	progress := &progress{say: say, next: time.Now().Add(2 * time.Second)}
	copying := exec.CommandContext(ctx, "mvn", "-B", "-f", filepath.Join(dir, "pom.xml"),
		"org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies", "-DoutputDirectory="+dir)
	if err := child.Run(ctx, copying, progress.line); err != nil {
		return fmt.Errorf("DynamoDB Local could not be fetched from Maven Central (is it reachable from here?): %w: %s", err, progress.fault)
	}
	return compile(ctx, dir)
}

// compile builds the launcher with the compiler that came along.
func compile(ctx context.Context, dir string) error {
	jars, err := filepath.Glob(filepath.Join(dir, "*.jar"))
	if err != nil {
		return err
	}
	var said []string
	building := exec.CommandContext(ctx, "java", "-cp", filepath.Join(dir, "*"), "org.eclipse.jdt.internal.compiler.batch.Main",
		"--release", "17", "-cp", strings.Join(jars, string(os.PathListSeparator)),
		"-d", filepath.Join(dir, "classes"), filepath.Join(dir, "Loopback.java"))
	if err := child.Run(ctx, building, func(line string) { said = append(said, line) }); err != nil {
		return fmt.Errorf("the launcher of DynamoDB Local could not be built (Java 17 or newer is needed): %w: %s", err, strings.Join(said, " | "))
	}
	return nil
}

// progress adds up what Maven says it has downloaded.
type progress struct {
	say   func(string)
	files int
	bytes float64
	next  time.Time
	fault string
}

var downloaded = regexp.MustCompile(`Downloaded from \S+ \S+\.(?:jar|so|dylib|dll) \(([\d.]+) (B|kB|MB)`)

func (p *progress) line(text string) {
	if strings.Contains(text, "[ERROR]") && p.fault == "" {
		p.fault = text
	}
	match := downloaded.FindStringSubmatch(text)
	if match == nil {
		return
	}
	size, _ := strconv.ParseFloat(match[1], 64) // the pattern admits numbers only
	p.files++
	p.bytes += size * map[string]float64{"B": 1, "kB": 1e3, "MB": 1e6}[match[2]]
	if now := time.Now(); now.After(p.next) {
		p.next = now.Add(2 * time.Second)
		p.say(fmt.Sprintf("fetching DynamoDB Local: %d files, %.0f MB", p.files, p.bytes/1e6))
	}
}
