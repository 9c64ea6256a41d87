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
// of its own, Watch and the operator's pages. Safe for concurrent use; the connection it is given stays the
// caller's.
type gateway struct {
	core   presencev1.PresenceServiceClient
	health grpc_health_v1.HealthClient
	limits limits
	json   jsonLines
	events eventStream
	mux    *runtime.ServeMux

	// Done when the gateway stops: streams end, /ready fails.
	draining context.Context
	drain    context.CancelFunc
}

func newGateway(core grpc.ClientConnInterface, l limits) (*gateway, error) {
	marshaler := &runtime.JSONPb{
		// Clients see `"count":0` and `"hasSubscribers":false`, but no null for messages that are absent.
		MarshalOptions: protojson.MarshalOptions{EmitDefaultValues: true},
		// An unknown field is refused: a misspelt one would be lost without a word.
		UnmarshalOptions: protojson.UnmarshalOptions{DiscardUnknown: false},
	}
	g := &gateway{
		core:   presencev1.NewPresenceServiceClient(core),
		health: grpc_health_v1.NewHealthClient(core),
		limits: l,
		json:   jsonLines{marshaler},
		events: eventStream{marshaler},
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
	if err := presencev1.RegisterPresenceServiceHandlerClient(context.Background(), g.mux, g.core); err != nil {
		return nil, err
	}
	admin := presencev1.NewAdminServiceClient(core)
	if err := presencev1.RegisterAdminServiceHandlerClient(context.Background(), g.mux, admin); err != nil {
		return nil, err
	}
	document, err := openAPIDocument()
	if err != nil {
		return nil, err
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
			return nil, err
		}
	}
	return g, nil
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
