package main

import (
	"context"
	"net/http"
	"net/textproto"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	"presence/web-gateway/gen/presencev1"
)

// gateway serves the contract of the core as REST/JSON. The routes are those of proto/presence_http.yaml and,
// of its own, Watch and the operator's pages. Safe for concurrent use; owns its connections to the core.
type gateway struct {
	unary   *grpc.ClientConn
	watches watchConnections
	health  grpc_health_v1.HealthClient
	limits  limits
	json    jsonLines
	events  eventStream
	mux     *runtime.ServeMux

	// Done when the gateway stops: streams end, /ready fails.
	draining context.Context
	drain    context.CancelFunc
}

// newGateway makes a gateway to the core that `dial` connects to.
func newGateway(dial func() (*grpc.ClientConn, error), l limits) (*gateway, error) {
	core, err := dial()
	if err != nil {
		return nil, err
	}
	marshaler := &runtime.JSONPb{
		// Clients see `"count":0` and `"hasSubscribers":false`, but no null for messages that are absent.
		MarshalOptions: protojson.MarshalOptions{EmitDefaultValues: true},
		// An unknown field is refused: a misspelt one would be lost without a word.
		UnmarshalOptions: protojson.UnmarshalOptions{DiscardUnknown: false},
	}
	g := &gateway{
		unary:   core,
		watches: watchConnections{dial: dial, limit: l.maxWatches},
		health:  grpc_health_v1.NewHealthClient(core),
		limits:  l,
		json:    jsonLines{marshaler},
		events:  eventStream{marshaler},
	}
	g.draining, g.drain = context.WithCancel(context.Background())
	noHeader := func(string) (string, bool) { return "", false }
	g.mux = runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, g.json),
		// Browsers escape more than a resource name needs (encodeURIComponent: @ + ;); it means the same.
		runtime.WithUnescapingMode(runtime.UnescapingModeAllCharacters),
		runtime.WithIncomingHeaderMatcher(forwardedHeader),
		// gRPC metadata of the core is not for the web: no Grpc-Metadata-* headers.
		runtime.WithOutgoingHeaderMatcher(noHeader),
		runtime.WithOutgoingTrailerMatcher(noHeader),
		runtime.WithErrorHandler(handleError),
		runtime.WithStreamErrorHandler(func(_ context.Context, err error) *status.Status { return statusOf(err) }),
		runtime.WithRoutingErrorHandler(handleRoutingError),
		// A form POST must not turn into a GET, nor a POST into another method.
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableHTTPMethodOverride(),
		runtime.WithDisableChunkedEncoding(), // net/http knows when a client is too old for it.
	)
	if err := g.addRoutes(); err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// addRoutes puts the generated routes and those of our own into the mux.
func (g *gateway) addRoutes() error {
	ctx := context.Background()
	presence, admin := presencev1.NewPresenceServiceClient(g.unary), presencev1.NewAdminServiceClient(g.unary)
	if err := presencev1.RegisterPresenceServiceHandlerClient(ctx, g.mux, presence); err != nil {
		return err
	}
	if err := presencev1.RegisterAdminServiceHandlerClient(ctx, g.mux, admin); err != nil {
		return err
	}
	document, err := openAPIDocument()
	if err != nil {
		return err
	}
	for _, route := range []struct {
		method, path string
		handler      runtime.HandlerFunc
	}{
		// The mux tries the newest route first, so these go before the generated ones.
		{http.MethodPost, watchManyPath, g.watchMany},
		{http.MethodGet, watchOnePath, g.watchOne},
		{http.MethodGet, "/live", g.live},
		{http.MethodGet, "/ready", g.ready},
		{http.MethodGet, "/openapi.json", serveOpenAPI(document)},
	} {
		if err := g.mux.HandlePath(route.method, route.path, route.handler); err != nil {
			return err
		}
	}
	return nil
}

// close ends what is left of streams and calls. The gateway answers nothing but errors afterwards.
func (g *gateway) close() {
	g.drain()
	_ = g.unary.Close() // It only fails when it is closed already. Those of streams go with their streams.
}

// handler returns what an HTTP server serves. Errors: an origin that is none.
func (g *gateway) handler(origins []string) (http.Handler, error) {
	return crossOriginGuard(origins, limited(g.limits, g.mux))
}

// forwardedHeader names the headers that the core gets as metadata besides Authorization: the mux forwards
// that one itself. Everything else is between the client and this gateway.
func forwardedHeader(name string) (string, bool) {
	switch name {
	case textproto.CanonicalMIMEHeaderKey("traceparent"), textproto.CanonicalMIMEHeaderKey("tracestate"),
		textproto.CanonicalMIMEHeaderKey("x-request-id"):
		return name, true
	}
	return "", false
}
