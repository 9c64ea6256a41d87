package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"presence/web-gateway/gen/presencev1"
)

// eventStream marshals a Watch stream as Server-Sent Events, for EventSource of browsers. An item becomes
//
//	id: <resume token>          EventSource sends it back as Last-Event-ID when it connects again
//	event: <kind of item>       state, status, snapshot-done, reset, heartbeat
//	data: <the item as JSON>
//
// and the error that ends a stream becomes an event "failure" with a google.rpc.Status. It is not named
// "error", since EventSource fires an event of that name itself when a connection breaks.
//
// Safe for concurrent use; owns nothing.
type eventStream struct {
	*runtime.JSONPb
}

// ContentType is that of every chunk.
func (eventStream) ContentType(any) string { return "text/event-stream" }

// Delimiter is the empty line that ends an event; the lines of Marshal are ended already.
func (eventStream) Delimiter() []byte { return []byte("\n") }

// Marshal writes one chunk of a stream as ForwardResponseStream hands it over: {"result": item} or
// {"error": status}.
func (e eventStream) Marshal(v any) ([]byte, error) {
	switch chunk := v.(type) {
	case map[string]any:
		if item, ok := chunk["result"].(*presencev1.WatchResponse); ok {
			return e.event(item)
		}
	case map[string]proto.Message:
		if failure, ok := chunk["error"].(*spb.Status); ok {
			return e.failure(failure)
		}
	}
	return nil, fmt.Errorf("not a chunk of a watch stream: %T", v)
}

func (e eventStream) event(item *presencev1.WatchResponse) ([]byte, error) {
	var out bytes.Buffer
	if item.GetHeartbeat() != nil {
		// For people who read along, and for proxies that cut silent streams.
		out.WriteString(": heartbeat\n")
	}
	// An empty id would make EventSource forget the last one.
	if token := item.GetResumeToken(); token != "" && !strings.ContainsAny(token, "\r\n\x00") {
		fmt.Fprintf(&out, "id: %s\n", token)
	}
	message := item.ProtoReflect()
	kind := message.WhichOneof(message.Descriptor().Oneofs().ByName("item"))
	if kind == nil {
		// An item of a newer core: nothing this gateway can show, but the token moves on.
		return out.Bytes(), nil
	}
	data, err := e.JSONPb.Marshal(message.Get(kind).Message().Interface())
	if err != nil {
		return nil, err
	}
	// One line: JSON escapes line ends within strings, and the marshaler does not indent.
	fmt.Fprintf(&out, "event: %s\ndata: %s\n", strings.ReplaceAll(string(kind.Name()), "_", "-"), data)
	return out.Bytes(), nil
}

func (e eventStream) failure(failure *spb.Status) ([]byte, error) {
	data, err := e.JSONPb.Marshal(failure)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if delay := retryDelayOf(status.FromProto(failure)); delay > 0 {
		fmt.Fprintf(&out, "retry: %d\n", delay.Milliseconds())
	}
	// Without an id: the last item stays the one to resume after.
	fmt.Fprintf(&out, "event: failure\ndata: %s\n", data)
	return out.Bytes(), nil
}

// jsonLines marshals a stream as one JSON object a line: {"result": item} and at last, if it fails,
// {"error": status}. Everything but a stream it marshals as JSON.
type jsonLines struct {
	*runtime.JSONPb
}

// StreamContentType is that of a stream; a single message is application/json.
func (jsonLines) StreamContentType(any) string { return "application/x-ndjson" }
