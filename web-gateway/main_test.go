package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"google.golang.org/grpc"

	"presence/web-gateway/gen/presencev1"
)

// listenOn serves the fake core where the program can reach it.
func (c *fakeCore) listenOn(t *testing.T, network, address string) net.Addr {
	t.Helper()
	listener, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnaryInterceptor(c.record))
	presencev1.RegisterPresenceServiceServer(server, c)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr()
}

func TestTheProgramServesOverBothKindsOfCoreAddressAndStopsWithItsStreams(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			core := startFakeCore(t)
			serveWatch, gone := sendsAndStays(stateItem("t1", "open"))
			core.watch = serveWatch
			address := "127.0.0.1:0"
			if network == "unix" {
				address = t.TempDir() + "/core.sock"
			}
			address = core.listenOn(t, network, address).String()
			if network == "unix" {
				address = "unix:" + address
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			logReader, log := io.Pipe()
			code := make(chan int, 1)
			go func() {
				code <- run(ctx, []string{"--listen", "127.0.0.1:0", "--core", address}, io.Discard, log)
				_ = log.Close()
			}()

			lines := bufio.NewReader(logReader)
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			go func() { _, _ = io.Copy(io.Discard, lines) }()
			url := regexp.MustCompile(`url=(\S+)`).FindStringSubmatch(line)
			if url == nil {
				t.Fatalf("no address in %q", line)
			}
			response, err := http.Get(url[1] + watchAlice)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body := bufio.NewReader(response.Body)
			if first, err := body.ReadString('\n'); err != nil || !strings.Contains(first, "t1") {
				t.Fatalf("%v: %q", err, first)
			}

			stop()

			rest, err := io.ReadAll(body)
			if err != nil || !strings.Contains(string(rest), "DRAINING") {
				t.Errorf("the stream ended with %v: %q", err, rest)
			}
			await(t, "the end of the stream at the core", gone)
			if got := <-code; got != 0 {
				t.Errorf("exit code %d", got)
			}
		})
	}
}

func TestTheCommandLine(t *testing.T) {
	for name, c := range map[string]struct {
		arguments string
		code      int
		out, err  string
	}{
		"help ends with examples":  {"--help", 0, "unix:/run/presence/core.sock", ""},
		"version":                  {"--version", 0, "web-gateway " + version, ""},
		"an unknown flag":          {"--lisen x", 2, "", "lisen"},
		"a word too many":          {"serve", 2, "", `"serve" is not a flag`},
		"no body at all":           {"--max-body-bytes 0", 2, "", "--max-body-bytes"},
		"no watch at all":          {"--max-watches 0", 2, "", "--max-watches"},
		"a core without port":      {"--core localhost", 1, "", "want HOST:PORT or unix:PATH"},
		"a core socket unnamed":    {"--core unix:", 1, "", "path of a socket"},
		"every origin":             {"--cors-origin *", 1, "", "name each origin"},
		"an address nobody has":    {"--listen 192.0.2.1:1", 1, "", "--listen"},
		"a list of origins, later": {"--cors-origin https://a.example,nonsense", 1, "", "nonsense"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errOut strings.Builder

			code := run(t.Context(), strings.Fields(c.arguments), &out, &errOut)

			if code != c.code || !strings.Contains(out.String(), c.out) || !strings.Contains(errOut.String(), c.err) {
				t.Errorf("exit %d, want %d\nout: %s\nerr: %s", code, c.code, out.String(), errOut.String())
			}
		})
	}
}
