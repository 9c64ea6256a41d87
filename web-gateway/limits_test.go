package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	"presence/web-gateway/gen/presencev1"
)

// pipeListener hands out in-memory connections, whose deadlines follow the fake clock of a synctest bubble.
type pipeListener struct {
	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{accepted: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case connection := <-l.accepted:
		return connection, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// connectInBubble serves a gateway in memory, for a test in which time is fake, and returns a client's end of
// one connection to it.
func connectInBubble(t *testing.T, core *fakeCore) net.Conn {
	t.Helper()
	l := defaultLimits()
	g, err := newGateway(dialer("passthrough:///core", l, core.dial), l)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := g.handler(nil)
	if err != nil {
		t.Fatal(err)
	}
	listener := newPipeListener()
	server := &http.Server{Handler: handler}
	go func() { _ = server.Serve(listener) }()
	client, served := net.Pipe()
	listener.accepted <- served
	t.Cleanup(func() {
		_ = client.Close()
		_ = server.Close()
		g.close()
	})
	return client
}

func TestABodyThatIsTooLargeIsA413(t *testing.T) {
	l := defaultLimits()
	l.maxBodyBytes = 100
	web := startGateway(t, startFakeCore(t), l)
	body := `{"event":"presence","document":{"text":"` + strings.Repeat("x", 100) + `"}}`

	for name, reader := range map[string]io.Reader{
		"of known length": strings.NewReader(body),
		"in chunks":       struct{ io.Reader }{strings.NewReader(body)},
	} {
		t.Run(name, func(t *testing.T) {
			response, err := http.Post(web.URL+alice+":publish", "application/json", reader)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			text, _ := io.ReadAll(response.Body)

			if response.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("HTTP %d", response.StatusCode)
			}
			st := readStatus(t, string(text))
			if reasonOf(st) != presencev1.ErrorReason_ERROR_REASON_DOCUMENT_TOO_LARGE ||
				st.Code() != codes.InvalidArgument {
				t.Errorf("answered %s", text)
			}
		})
	}
}

func TestTheLargestBodyPasses(t *testing.T) {
	core := startFakeCore(t)
	l := defaultLimits()
	web := startGateway(t, core, l)
	frame := `{"document":{"text":"%"}}`
	text := strings.Repeat("x", int(l.maxBodyBytes)-len(frame)+1)

	response, body := web.ask(t, http.MethodPost, alice+":publish", strings.Replace(frame, "%", text, 1))

	_, request, _ := core.lastCall()
	if got := request.(*presencev1.PublishRequest).GetDocument().GetText(); response.StatusCode != 200 || got != text {
		t.Errorf("HTTP %d, %d characters arrived of %d: %s", response.StatusCode, len(got), len(text), body)
	}
}

func TestABodyThatDoesNotComeIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := connectInBubble(t, startFakeCore(t))
		begun := time.Now()
		_, err := io.WriteString(client, "POST "+alice+":publish HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
		if err != nil {
			t.Fatal(err)
		}

		response, err := http.ReadResponse(bufio.NewReader(client), nil)

		if err != nil || response.StatusCode != http.StatusBadRequest || !response.Close {
			t.Fatalf("%v, %+v", err, response)
		}
		if waited := time.Since(begun); waited != defaultLimits().bodyTime {
			t.Errorf("given up after %v", waited)
		}
	})
}

func TestAClientThatDoesNotReadIsCutOffAndItsStreamFreed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core := startFakeCore(t)
		gone := make(chan struct{})
		core.watch = func(_ *presencev1.WatchRequest, stream watchStream) error {
			defer close(gone)
			for {
				if err := stream.Send(stateItem("t", strings.Repeat("x", 4096))); err != nil {
					return err
				}
			}
		}
		client := connectInBubble(t, core)
		begun := time.Now()
		if _, err := io.WriteString(client, "GET "+watchAlice+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}

		<-gone // A pipe holds nothing, so the first write waits for a reader that never comes.

		if waited := time.Since(begun); waited != defaultLimits().stallTime {
			t.Errorf("cut off after %v", waited)
		}
	})
}

func TestASilentCoreIsGivenUpButAQuietOneIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core := startFakeCore(t)
		silent := make(chan struct{})
		core.watch = func(request *presencev1.WatchRequest, stream watchStream) error {
			defer close(silent)
			for range 20 {
				if err := stream.Send(heartbeatItem("t")); err != nil {
					return err
				}
				time.Sleep(15 * time.Second)
			}
			<-stream.Context().Done()
			return stream.Context().Err()
		}
		client := connectInBubble(t, core)
		begun := time.Now()
		if _, err := io.WriteString(client, "GET "+watchAlice+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil {
			t.Fatal(err)
		}

		body, err := io.ReadAll(response.Body)

		<-silent
		if err != nil || bytes.Count(body, []byte(`"heartbeat":`)) != 20 || !bytes.Contains(body, []byte("CORE_UNREACHABLE")) {
			t.Errorf("%v: %s", err, body)
		}
		if lasted, want := time.Since(begun), 19*15*time.Second+defaultLimits().coreSilence; lasted != want {
			t.Errorf("lasted %v, want %v", lasted, want)
		}
	})
}

func TestTheTimeAClientTakesIsNotTheSilenceOfTheCore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core := startFakeCore(t)
		core.watch = func(request *presencev1.WatchRequest, stream watchStream) error {
			_ = stream.Send(stateItem("t1", strings.Repeat("x", 8192)))
			time.Sleep(2 * defaultLimits().stallTime)
			return stream.Send(heartbeatItem("t2"))
		}
		client := connectInBubble(t, core)
		if _, err := io.WriteString(client, "GET "+watchAlice+" HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReaderSize(client, 16), nil)
		if err != nil {
			t.Fatal(err)
		}
		pause := defaultLimits().stallTime - time.Second

		// The item goes out in two writes, the line and the flush of its end. Each may take as long as a client
		// may stall, together longer than the core may be silent.
		time.Sleep(pause)
		line := make([]byte, 0, 16384)
		for !bytes.HasSuffix(line, []byte("}}}")) {
			line = line[:len(line)+1]
			if _, err := io.ReadFull(response.Body, line[len(line)-1:]); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(pause)
		rest, err := io.ReadAll(response.Body)

		if err != nil || !strings.Contains(string(rest), "t2") || strings.Contains(string(rest), "CORE_UNREACHABLE") {
			t.Errorf("%v: after %d bytes came %q", err, len(line), rest)
		}
	})
}

func TestUnaryCallsGetADeadlineOnlyWhereTheClientSetNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core := startFakeCore(t)
		core.answerNever = true
		for header, want := range map[string]time.Duration{"": 5 * time.Second, "Grpc-Timeout: 20S\r\n": 20 * time.Second} {
			client := connectInBubble(t, core)
			begun := time.Now()
			_, err := io.WriteString(client, "GET "+alice+":hasSubscribers HTTP/1.1\r\nHost: x\r\n"+header+"\r\n")
			if err != nil {
				t.Fatal(err)
			}

			response, err := http.ReadResponse(bufio.NewReader(client), nil)

			if err != nil || response.StatusCode != http.StatusGatewayTimeout {
				t.Fatalf("%v, %+v", err, response)
			}
			if waited := time.Since(begun); waited != want {
				t.Errorf("%q: given up after %v, want %v", header, waited, want)
			}
		}
	})
}
