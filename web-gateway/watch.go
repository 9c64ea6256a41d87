package main

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/grpc-ecosystem/grpc-gateway/v2/utilities"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"presence/web-gateway/gen/presencev1"
)

// Routes of Watch. The generated route is replaced: it would answer a refused stream by the plain mapping of
// the gRPC code and know nothing of Last-Event-ID, Accept and draining.
const (
	watchManyPath = "/v1/watch"
	watchOnePath  = "/v1/{presentity=domains/*/users/*}:watch"
)

// Why this gateway ends a stream of its own accord.
var (
	errDraining   = errors.New("the web gateway is stopping")
	errCoreSilent = errors.New("the core sent nothing, not even a heartbeat")
)

// watchMany serves POST /v1/watch: a WatchRequest in the body.
func (g *gateway) watchMany(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	request := &presencev1.WatchRequest{}
	err := g.json.NewDecoder(r.Body).Decode(request)
	if err != nil && !errors.Is(err, io.EOF) {
		g.refuse(w, r, status.Error(codes.InvalidArgument, err.Error()))
		return
	}
	g.watch(w, r, watchManyPath, request)
}

// watchOne serves GET .../users/{user}:watch, the only form EventSource can ask for. The query has `event` and
// the other fields of WatchRequest.
func (g *gateway) watchOne(w http.ResponseWriter, r *http.Request, path map[string]string) {
	request := &presencev1.WatchRequest{}
	query := r.URL.Query()
	target := &presencev1.WatchTarget{Presentity: path["presentity"], Event: query.Get("event")}
	query.Del("event")
	err := runtime.PopulateQueryParameters(request, query, utilities.NewDoubleArray(nil))
	if err != nil {
		g.refuse(w, r, status.Error(codes.InvalidArgument, err.Error()))
		return
	}
	request.Targets = []*presencev1.WatchTarget{target}
	g.watch(w, r, watchOnePath, request)
}

// watch forwards one stream until the core ends it, the client goes or this gateway stops. A stream that fails
// before its first item is an ordinary error with its HTTP code; later it ends with a last chunk that says why.
func (g *gateway) watch(w http.ResponseWriter, r *http.Request, pattern string, request *presencev1.WatchRequest) {
	// The header is newer than the URL: EventSource connects again to the URL it was made with.
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		request.ResumeToken = last
	}
	connection, release, err := g.watches.acquire()
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	defer release()
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil) // Frees the stream at the core.
	defer context.AfterFunc(g.draining, func() { cancel(errDraining) })()

	ctx, err = runtime.AnnotateContext(ctx, g.mux, r, presencev1.PresenceService_Watch_FullMethodName,
		runtime.WithHTTPPathPattern(pattern))
	if err != nil {
		g.refuse(w, r, err)
		return
	}
	stream, err := presencev1.NewPresenceServiceClient(connection).Watch(ctx, request)
	if err != nil {
		g.refuse(w, r, streamError(ctx, err))
		return
	}

	// The core heartbeats at least every 15 s. Without this a core that lost its power would leave watchers
	// with a state that looks current.
	silence := time.AfterFunc(g.limits.coreSilence, func() { cancel(errCoreSilent) })
	defer silence.Stop()
	receive := func() (proto.Message, error) {
		silence.Reset(g.limits.coreSilence)
		item, err := stream.Recv()
		silence.Stop() // Writing to a slow client is not the core's silence.
		if err != nil {
			return nil, streamError(ctx, err)
		}
		return item, nil
	}

	first, err := receive()
	if err != nil && !errors.Is(err, io.EOF) {
		g.refuse(w, r, err)
		return
	}
	unread := true
	replay := func() (proto.Message, error) {
		if unread {
			unread = false
			return first, err
		}
		return receive()
	}

	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back until its buffer is full.
	w.Header().Add("Vary", "Accept")
	ctx = runtime.NewServerMetadataContext(ctx, runtime.ServerMetadata{})
	runtime.ForwardResponseStream(ctx, g.mux, g.streamMarshaler(r), w, r, replay)
}

// refuse answers a stream that has not begun.
func (g *gateway) refuse(w http.ResponseWriter, r *http.Request, err error) {
	runtime.HTTPError(r.Context(), g.mux, g.json, w, r, err)
}

// streamError tells why a stream ended: a cancellation of our own shows as what caused it.
func streamError(ctx context.Context, err error) error {
	switch cause := context.Cause(ctx); {
	case errors.Is(err, io.EOF):
		return err
	case errors.Is(cause, errDraining):
		return reasonedError(codes.Unavailable, presencev1.ErrorReason_ERROR_REASON_DRAINING, retryDelay,
			cause.Error()).Err()
	case errors.Is(cause, errCoreSilent):
		return reasonedError(codes.Unavailable, presencev1.ErrorReason_ERROR_REASON_CORE_UNREACHABLE, retryDelay,
			cause.Error()).Err()
	}
	return err
}

func (g *gateway) streamMarshaler(r *http.Request) runtime.Marshaler {
	if prefersEventStream(r.Header.Values("Accept")) {
		return g.events
	}
	return g.json
}

// prefersEventStream reads Accept (RFC 9110 section 12.5.1). Server-Sent Events are for those who name them,
// with at least the weight of a JSON type named beside; wildcards get JSON lines.
func prefersEventStream(accept []string) bool {
	events, lines := 0.0, 0.0
	for _, part := range strings.Split(strings.Join(accept, ","), ",") {
		mediaType, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		weight := 1.0
		if q, ok := parameters["q"]; ok {
			if weight, err = strconv.ParseFloat(q, 64); err != nil {
				continue
			}
		}
		switch mediaType {
		case "text/event-stream":
			events = max(events, weight)
		case "application/json", "application/x-ndjson":
			lines = max(lines, weight)
		}
	}
	return events > 0 && events >= lines
}
