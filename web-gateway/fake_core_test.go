package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	"presence/web-gateway/gen/presencev1"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	quietGRPC()
	os.Exit(m.Run())
}

// patience bounds waits for something that must happen; no test passes by waiting it out.
const patience = 10 * time.Second

type watchStream = grpc.ServerStreamingServer[presencev1.WatchResponse]

// fakeCore is a gRPC server that records unary calls and answers them as the test says.
type fakeCore struct {
	presencev1.UnimplementedPresenceServiceServer
	presencev1.UnimplementedAdminServiceServer
	health *health.Server
	dial   grpc.DialOption

	// Serves Watch. Set before the first call.
	watch func(*presencev1.WatchRequest, watchStream) error
	// Answers unary calls: the default message of the method if both are nil. Set before the first call.
	answer proto.Message
	fail   error
	// Leaves unary calls unanswered until their deadline. Set before the first call.
	answerNever bool

	mu       sync.Mutex
	method   string
	request  proto.Message
	metadata metadata.MD
}

func startFakeCore(t *testing.T) *fakeCore {
	t.Helper()
	core := &fakeCore{health: health.NewServer()}
	listener := bufconn.Listen(1 << 20)
	core.dial = grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		return listener.DialContext(ctx)
	})
	// The real one allows 128 streams on a connection. A little less shows sooner that one is not enough.
	server := grpc.NewServer(grpc.UnaryInterceptor(core.record), grpc.MaxConcurrentStreams(streamsPerConnection))
	presencev1.RegisterPresenceServiceServer(server, core)
	presencev1.RegisterAdminServiceServer(server, core)
	grpc_health_v1.RegisterHealthServer(server, core.health)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return core
}

func (c *fakeCore) record(ctx context.Context, request any, info *grpc.UnaryServerInfo,
	handle grpc.UnaryHandler) (any, error) {
	if strings.HasPrefix(info.FullMethod, "/grpc.health") {
		return handle(ctx, request)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.method = info.FullMethod
	c.request = proto.Clone(request.(proto.Message))
	c.metadata, _ = metadata.FromIncomingContext(ctx)
	_ = grpc.SetHeader(ctx, metadata.Pairs("x-secret", "of the core"))
	_ = grpc.SetTrailer(ctx, metadata.Pairs("x-secret-trailer", "of the core"))
	if c.answerNever {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if c.fail != nil {
		return nil, c.fail
	}
	if c.answer != nil {
		return c.answer, nil
	}
	return emptyAnswer(info.FullMethod), nil
}

// Watch serves a stream as the test says.
func (c *fakeCore) Watch(request *presencev1.WatchRequest, stream watchStream) error {
	return c.watch(request, stream)
}

func (c *fakeCore) lastCall() (method string, request proto.Message, md metadata.MD) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.method, c.request, c.metadata
}

// webServer is the gateway behind a real HTTP listener on loopback.
type webServer struct {
	*httptest.Server
	gateway *gateway
}

func startGateway(t *testing.T, core *fakeCore, l limits, origins ...string) *webServer {
	t.Helper()
	return startGatewayTo(t, dialer("passthrough:///core", l, core.dial), l, origins...)
}

func startGatewayTo(t *testing.T, dial func() (*grpc.ClientConn, error), l limits, origins ...string) *webServer {
	t.Helper()
	g, err := newGateway(dial, l)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := g.handler(origins)
	if err != nil {
		t.Fatal(err)
	}
	server := &webServer{httptest.NewServer(handler), g}
	t.Cleanup(func() {
		g.drain() // Streams hold the server open.
		server.Close()
		g.close()
	})
	return server
}

// ask sends one request and returns the answer with its body read. Headers are name, value, name, value ...
func (s *webServer) ask(t *testing.T, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	response := s.open(t, t.Context(), method, path, body, headers...)
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

// open sends one request and leaves the body of the answer to be read.
func (s *webServer) open(t *testing.T, ctx context.Context, method, path, body string,
	headers ...string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// await fails the test if `event` does not happen.
func await(t *testing.T, what string, event <-chan struct{}) {
	t.Helper()
	select {
	case <-event:
	case <-time.After(patience):
		t.Fatalf("%s: did not happen", what)
	}
}
