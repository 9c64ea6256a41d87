package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The Dockerfile and deploy/ of all processes. They are checked here because this is where a YAML reader is; the
// machines that run the tests need no container engine.

const root = ".."

// stage is one FROM of the Dockerfile.
type stage struct {
	base         string
	copies       []copied
	runs         []string
	user, last   string // `last` is the last instruction that changes the file system as root
	entry, check []string
}

type copied struct {
	from    string // another stage, or empty for the sources
	sources []string
	target  string
}

func readDockerfile(t *testing.T) map[string]*stage {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	stages := map[string]*stage{}
	var current *stage
	comments := regexp.MustCompile(`(?m)^\s*#.*\n`)
	text := strings.ReplaceAll(comments.ReplaceAllString(string(source), ""), "\\\n", " ")
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "FROM":
			if len(words) != 4 || words[2] != "AS" {
				t.Fatalf("want FROM image AS stage: %s", line)
			}
			current = &stage{base: words[1]}
			stages[words[3]] = current
		case "COPY":
			from, named := strings.CutPrefix(words[1], "--from=")
			words = words[1:]
			if !named {
				from = ""
			} else {
				words = words[1:]
			}
			current.copies = append(current.copies, copied{from, words[:len(words)-1], words[len(words)-1]})
			current.last = "COPY"
		case "RUN":
			current.runs = append(current.runs, line)
			current.last = "RUN"
		case "USER":
			current.user, current.last = words[1], "USER"
		case "ENTRYPOINT":
			current.entry = quotedWords(line)
		case "HEALTHCHECK":
			current.check = quotedWords(line)
		}
	}
	return stages
}

func quotedWords(line string) []string {
	var words []string
	for _, match := range regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(line, -1) {
		words = append(words, match[1])
	}
	return words
}

var images = []string{"presence-core", "sip-gateway", "web-gateway", "presencectl"}

func TestEveryFileTheDockerfileCopiesExistsOrIsBuilt(t *testing.T) {
	stages := readDockerfile(t)
	// Programs, and what packages each needs; either command names the program.
	built := []string{"/src/build/release/bin/", "/packages/"}
	for name, s := range stages {
		for _, c := range s.copies {
			for _, source := range c.sources {
				if c.from == "" {
					if _, err := os.Stat(filepath.Join(root, source)); err != nil {
						t.Errorf("%s: %v", name, err)
					}
					continue
				}
				builder, ok := stages[c.from]
				if !ok {
					t.Errorf("%s copies from %s, which is no stage", name, c.from)
					continue
				}
				folder, program := filepath.Split(source)
				if !slices.Contains(built, folder) {
					t.Errorf("%s: nothing builds %s", name, source)
				}
				builtByScript := program == "web-gateway" && slices.ContainsFunc(builder.runs, func(run string) bool {
					return strings.Contains(run, "web-gateway/build.sh build/release/bin")
				})
				if !builtByScript && !slices.ContainsFunc(builder.runs, func(run string) bool {
					return regexp.MustCompile(`\s` + program + `[\s;]`).MatchString(run)
				}) {
					t.Errorf("%s: no command of %s mentions %s", name, c.from, program)
				}
			}
		}
	}
}

func TestTheBuildersBuildTargetsThatCMakeHas(t *testing.T) {
	targets := map[string]bool{}
	for _, room := range []string{"presence-core", "sip-gateway", "cli"} {
		err := filepath.WalkDir(filepath.Join(root, room), func(path string, _ os.DirEntry, err error) error {
			if err != nil || filepath.Base(path) != "CMakeLists.txt" {
				return err
			}
			text, err := os.ReadFile(path)
			for _, match := range regexp.MustCompile(`(?:add_executable|presence_program)\((\S+)`).FindAllStringSubmatch(string(text), -1) {
				targets[match[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, run := range readDockerfile(t)["cpp"].runs {
		if _, list, ok := strings.Cut(run, "--target "); ok {
			for _, target := range strings.Fields(list) {
				if !targets[target] {
					t.Errorf("no CMakeLists.txt adds the program %s", target)
				}
			}
		}
	}
}

func TestEveryImageRunsItsProgramAsNobodySpecialAndTellsItsHealth(t *testing.T) {
	stages := readDockerfile(t)
	for _, image := range images {
		s, ok := stages[image]
		if !ok {
			t.Errorf("no stage %s", image)
			continue
		}
		if s.base != "runtime" || s.user != "7460:7460" || s.last != "USER" {
			t.Errorf("%s: FROM %s, USER %q, then %s", image, s.base, s.user, s.last)
		}
		if len(s.entry) != 1 || s.entry[0] != image {
			t.Errorf("%s: ENTRYPOINT %q", image, s.entry)
		}
		if !slices.ContainsFunc(s.copies, func(c copied) bool { return c.target == "/usr/local/bin/"+image }) {
			t.Errorf("%s: its program is not copied", image)
		}
		// A command that ends has no health.
		if hasCheck := len(s.check) > 0 && s.check[0] == "healthcheck.sh"; hasCheck != (image != "presencectl") {
			t.Errorf("%s: HEALTHCHECK %q", image, s.check)
		}
	}
	if create := strings.Join(stages["runtime"].runs, "\n"); !strings.Contains(create, "useradd --uid 7460 ") {
		t.Errorf("the user is not made: %s", create)
	}
}

type compose struct {
	Services map[string]struct {
		Build     struct{ Context, Target string }
		Command   []string
		ReadOnly  bool                      `yaml:"read_only"`
		DependsOn map[string]map[string]any `yaml:"depends_on"`
	}
}

func TestComposeStartsStagesThatExistWithFlagsThatExist(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(root, "deploy/compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var file compose
	if err := yaml.Unmarshal(source, &file); err != nil {
		t.Fatal(err)
	}
	var config []byte
	for _, name := range []string{"config", "core_config", "gateway_config"} {
		text, err := os.ReadFile(filepath.Join(root, "proto/presence/v1", name+".proto"))
		if err != nil {
			t.Fatal(err)
		}
		config = append(config, text...)
	}
	stages := readDockerfile(t)

	for _, image := range images {
		service, ok := file.Services[image]
		if !ok {
			t.Errorf("no service %s", image)
			continue
		}
		if _, ok := stages[service.Build.Target]; !ok || service.Build.Target != image {
			t.Errorf("%s builds %q", image, service.Build.Target)
		}
		if _, err := os.Stat(filepath.Join(root, "deploy", service.Build.Context, "Dockerfile")); err != nil {
			t.Errorf("%s: %v", image, err)
		}
		for needed := range service.DependsOn {
			if _, ok := file.Services[needed]; !ok || len(stages[needed].check) == 0 {
				t.Errorf("%s waits for the health of %s, which tells none", image, needed)
			}
		}
		if image == "web-gateway" {
			if chosen, _, done := parse(service.Command, io.Discard, os.Stderr); done || chosen.core == "" {
				t.Errorf("web-gateway does not take %q", service.Command)
			}
			continue
		}
		for _, argument := range service.Command {
			flag, _, _ := strings.Cut(strings.TrimPrefix(argument, "--"), "=")
			if !strings.Contains(string(config), `flag: "`+flag+`"`) {
				t.Errorf("%s: no configuration has a flag %s", image, flag)
			}
		}
	}
}

func TestTheBuildPackagesAreSortedAndCoverWhatCMakeLooksFor(t *testing.T) {
	file, err := os.Open(filepath.Join(root, "deploy/build-packages"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var packages []string
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if !strings.HasPrefix(lines.Text(), "#") {
			packages = append(packages, lines.Text())
		}
	}
	if !slices.IsSorted(packages) || len(slices.Compact(slices.Clone(packages))) != len(packages) {
		t.Errorf("not sorted, or something twice: %q", packages)
	}

	source, err := os.ReadFile(filepath.Join(root, "cmake/PresenceDependencies.cmake"))
	if err != nil {
		t.Fatal(err)
	}
	// What tests and benchmarks look for is not built into an image.
	always := regexp.MustCompile(`(?s)if\(PRESENCE.*?endif\(\)`).ReplaceAllString(string(source), "")
	provides := map[string]string{
		"PkgConfig": "pkg-config", "Threads": "g++", "absl": "libabsl-dev", "Protobuf": "libprotobuf-dev",
		"gRPC": "libgrpc++-dev", "OpenSSL": "libssl-dev", "fmt": "libfmt-dev", "spdlog": "libspdlog-dev",
		"yaml-cpp": "libyaml-cpp-dev", "CLI11": "libcli11-dev", "LibXml2": "libxml2-dev",
		"SOFIA": "libsofia-sip-ua-dev", "CARES": "libc-ares-dev", "Boost": "libboost1.81-dev",
		"prometheus-cpp": "prometheus-cpp-dev", "civetweb": "libcivetweb-dev", "JEMALLOC": "libjemalloc-dev",
		"LIBPQXX": "libpqxx-dev", "LIBPQ": "libpq-dev",
	}
	for _, match := range regexp.MustCompile(`(?:find_package|pkg_check_modules)\((\S+?)[ )]`).
		FindAllStringSubmatch(always, -1) {
		if needed, ok := provides[match[1]]; !ok || !slices.Contains(packages, needed) {
			t.Errorf("CMake looks for %s; which package has it? (%q)", match[1], needed)
		}
	}
}

func healthcheck(arguments ...string) error {
	return exec.Command(filepath.Join(root, "deploy/healthcheck.sh"), arguments...).Run()
}

func TestTheHealthcheckBelievesOnlyA200OverHTTP(t *testing.T) {
	for code, healthy := range map[int]bool{200: true, 503: false, 404: false} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/ready" {
				t.Errorf("asked for %s", r.URL.Path)
			}
			w.WriteHeader(code)
		}))
		_, port, _ := net.SplitHostPort(server.Listener.Addr().String())

		if err := healthcheck("http", port, "/ready"); (err == nil) != healthy {
			t.Errorf("HTTP %d: %v", code, err)
		}
		server.Close()
		if err := healthcheck("http", port, "/ready"); err == nil {
			t.Error("healthy, though nobody listens")
		}
	}
}

func TestTheHealthcheckBelievesOnlyA200OverSIP(t *testing.T) {
	for answer, healthy := range map[string]bool{"SIP/2.0 200 OK": true, "SIP/2.0 503 Service Unavailable": false} {
		socket, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		request := make(chan string, 1)
		go func() {
			buffer := make([]byte, 65536)
			length, from, err := socket.ReadFrom(buffer)
			if err != nil {
				return
			}
			request <- string(buffer[:length])
			_, _ = socket.WriteTo([]byte(answer+"\r\nContent-Length: 0\r\n\r\n"), from)
		}()
		_, port, _ := net.SplitHostPort(socket.LocalAddr().String())

		err = healthcheck("sip", port)

		if (err == nil) != healthy {
			t.Errorf("%s: %v", answer, err)
		}
		if got := <-request; !strings.HasPrefix(got, "OPTIONS sip:") || !strings.HasSuffix(got, "\r\n\r\n") ||
			strings.Count(got, "\r\n") != strings.Count(got, "\n") {
			t.Errorf("not one whole request in the first datagram: %q", got)
		}
		_ = socket.Close()
	}
}
