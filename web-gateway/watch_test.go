package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"presence/web-gateway/gen/presencev1"
)

const (
	watchAlice   = alice + ":watch?event=presence&watcher=sip:bob@example.com"
	eventsMedia  = "text/event-stream"
	ndjsonMedia  = "application/x-ndjson"
	acceptHeader = "Accept"
)

func stateItem(token, text string) *presencev1.WatchResponse {
	return &presencev1.WatchResponse{
		ResumeToken: token,
		Item: &presencev1.WatchResponse_State{State: &presencev1.WatchedState{
			Presentity: "alice@example.com", Event: "presence",
			Revision: &presencev1.Revision{Epoch: 1, Seq: 7},
			Document: &presencev1.Document{ContentType: "application/pidf+xml", Text: text},
		}},
	}
}

func statusItem(token string) *presencev1.WatchResponse {
	return &presencev1.WatchResponse{ResumeToken: token, Item: &presencev1.WatchResponse_Status{
		Status: &presencev1.WatchedStatus{State: presencev1.SubscriptionState_SUBSCRIPTION_STATE_ACTIVE}}}
}

func snapshotDoneItem(token string) *presencev1.WatchResponse {
	return &presencev1.WatchResponse{ResumeToken: token,
		Item: &presencev1.WatchResponse_SnapshotDone{SnapshotDone: &presencev1.SnapshotDone{}}}
}

func resetItem(token string) *presencev1.WatchResponse {
	return &presencev1.WatchResponse{ResumeToken: token,
		Item: &presencev1.WatchResponse_Reset_{Reset_: &presencev1.Reset{}}}
}

func heartbeatItem(token string) *presencev1.WatchResponse {
	return &presencev1.WatchResponse{ResumeToken: token,
		Item: &presencev1.WatchResponse_Heartbeat{Heartbeat: &presencev1.Heartbeat{}}}
}

// sends makes a core that sends `items` and ends the stream with `end`.
func sends(end error, items ...*presencev1.WatchResponse) func(*presencev1.WatchRequest, watchStream) error {
	return func(_ *presencev1.WatchRequest, stream watchStream) error {
		for _, item := range items {
			if err := stream.Send(item); err != nil {
				return err
			}
		}
		return end
	}
}

// sendsAndStays makes a core that sends `items` and keeps the stream open; `gone` is closed when it is freed.
func sendsAndStays(items ...*presencev1.WatchResponse) (
	serve func(*presencev1.WatchRequest, watchStream) error, gone chan struct{}) {
	gone = make(chan struct{})
	return func(request *presencev1.WatchRequest, stream watchStream) error {
		defer close(gone)
		if err := sends(nil, items...)(request, stream); err != nil {
			return err
		}
		<-stream.Context().Done()
		return stream.Context().Err()
	}, gone
}

// event is one event as EventSource reads it.
type event struct{ id, name, retry, data string }

func readEvents(t *testing.T, text string) []event {
	t.Helper()
	var events []event
	blocks := strings.Split(text, "\n\n")
	if blocks[len(blocks)-1] != "" {
		t.Errorf("the last event is not ended by an empty line, so EventSource drops it: %q", text)
	}
	for _, block := range blocks[:len(blocks)-1] {
		var e event
		for _, line := range strings.Split(block, "\n") {
			name, value, _ := strings.Cut(line, ": ")
			switch name {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "retry":
				e.retry = value
			case "data":
				e.data = value
			}
		}
		events = append(events, e)
	}
	return events
}

// O09
func TestAStreamOfEventsKeepsOrderTokensAndText(t *testing.T) {
	core := startFakeCore(t)
	core.watch = sends(nil, statusItem("t1"), stateItem("t2", "<presence>\n</presence>"), snapshotDoneItem("t3"),
		heartbeatItem("t4"), resetItem("t5"))
	web := startGateway(t, core, defaultLimits())

	response, body := web.ask(t, http.MethodGet, watchAlice, "", acceptHeader, eventsMedia)

	for name, want := range map[string]string{
		"Content-Type": eventsMedia, "Cache-Control": "no-cache", "X-Accel-Buffering": "no", "Vary": acceptHeader,
	} {
		if got := response.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	events := readEvents(t, body)
	var order []string
	for _, e := range events {
		order = append(order, e.id+" "+e.name)
	}
	if got := strings.Join(order, ", "); got != "t1 status, t2 state, t3 snapshot-done, t4 heartbeat, t5 reset" {
		t.Fatalf("events: %s", got)
	}
	var state struct {
		Presentity string
		Revision   struct{ Epoch, Seq string }
		Document   struct{ Text string }
	}
	if err := json.Unmarshal([]byte(events[1].data), &state); err != nil {
		t.Fatal(err)
	}
	if state.Presentity != "alice@example.com" || state.Revision.Seq != "7" ||
		state.Document.Text != "<presence>\n</presence>" {
		t.Errorf("state %+v", state)
	}
	if !strings.Contains(body, ": heartbeat\nid: t4\n") {
		t.Errorf("no comment marks the heartbeat: %q", body)
	}
}

func TestJSONLinesCarryOneItemEachInOrder(t *testing.T) {
	core := startFakeCore(t)
	core.watch = sends(nil, statusItem("t1"), stateItem("t2", "a\nb"), snapshotDoneItem("t3"))
	web := startGateway(t, core, defaultLimits())

	response, body := web.ask(t, http.MethodGet, watchAlice, "")

	if got := response.Header.Get("Content-Type"); got != ndjsonMedia {
		t.Errorf("Content-Type %q", got)
	}
	lines := strings.Split(body, "\n")
	if len(lines) != 4 || lines[3] != "" {
		t.Fatalf("want three lines: %q", body)
	}
	for i, line := range lines[:3] {
		var chunk struct{ Result map[string]any }
		if err := json.Unmarshal([]byte(line), &chunk); err != nil {
			t.Fatalf("line %d: %v", i, err)
		}
		if got, want := chunk.Result["resumeToken"], []string{"t1", "t2", "t3"}[i]; got != want {
			t.Errorf("line %d has token %v, want %s", i, got, want)
		}
	}
}

// O09
func TestTheRequestOfAWatchArrivesWhole(t *testing.T) {
	for name, c := range map[string]struct {
		method, path, body, lastEventID string
		want                            *presencev1.WatchRequest
	}{
		"one target by GET": {http.MethodGet, watchAlice + "&heartbeat=5s&resumeToken=t1", "", "",
			&presencev1.WatchRequest{
				Targets: []*presencev1.WatchTarget{{Presentity: "domains/example.com/users/alice", Event: "presence"}},
				Watcher: "sip:bob@example.com", ResumeToken: "t1",
			}},
		"many by POST": {http.MethodPost, "/v1/watch",
			`{"targets":[{"presentity":"alice@example.com"},{"presentity":"carol@example.com","event":"dialog"}],
			  "watcher":"sip:bob@example.com","resumeToken":"t1"}`, "",
			&presencev1.WatchRequest{
				Targets: []*presencev1.WatchTarget{
					{Presentity: "alice@example.com"}, {Presentity: "carol@example.com", Event: "dialog"}},
				Watcher: "sip:bob@example.com", ResumeToken: "t1",
			}},
		"Last-Event-ID before the older token of the URL": {http.MethodGet, watchAlice + "&resume_token=t1", "", "t9",
			&presencev1.WatchRequest{
				Targets: []*presencev1.WatchTarget{{Presentity: "domains/example.com/users/alice", Event: "presence"}},
				Watcher: "sip:bob@example.com", ResumeToken: "t9",
			}},
	} {
		t.Run(name, func(t *testing.T) {
			got := make(chan *presencev1.WatchRequest, 1)
			core := startFakeCore(t)
			core.watch = func(request *presencev1.WatchRequest, stream watchStream) error {
				got <- request
				return stream.Send(snapshotDoneItem("t"))
			}
			web := startGateway(t, core, defaultLimits())

			web.ask(t, c.method, c.path, c.body, "Last-Event-ID", c.lastEventID)

			request := <-got
			if name == "one target by GET" {
				if request.GetHeartbeat().AsDuration() != 5*time.Second {
					t.Errorf("heartbeat %v", request.GetHeartbeat())
				}
				request.Heartbeat = nil
			}
			if !proto.Equal(request, c.want) {
				t.Errorf("the core got %v, want %v", request, c.want)
			}
		})
	}
}

func TestItemsArriveWhileTheStreamLastsAndAGoneClientFreesIt(t *testing.T) {
	for _, media := range []string{eventsMedia, ndjsonMedia} {
		t.Run(media, func(t *testing.T) {
			core := startFakeCore(t)
			serve, gone := sendsAndStays(stateItem("t1", "open"))
			core.watch = serve
			web := startGateway(t, core, defaultLimits())
			ctx, leave := context.WithCancel(t.Context())
			defer leave()

			response := web.open(t, ctx, http.MethodGet, watchAlice, "", acceptHeader, media)
			line, err := bufio.NewReader(response.Body).ReadString('\n')
			if err != nil || !strings.Contains(line, "t1") {
				t.Fatalf("first line %q, %v", line, err)
			}
			leave()

			await(t, "the end of the stream at the core", gone)
		})
	}
}

func TestARefusedWatchIsAnOrdinaryErrorInJSON(t *testing.T) {
	core := startFakeCore(t)
	core.watch = sends(errorOfCore(codes.PermissionDenied, "WATCHER_BLOCKED"))
	web := startGateway(t, core, defaultLimits())

	for _, request := range [][2]string{{http.MethodGet, watchAlice}, {http.MethodPost, "/v1/watch"}} {
		response, body := web.ask(t, request[0], request[1], "", acceptHeader, eventsMedia)

		if response.StatusCode != http.StatusForbidden || response.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: HTTP %d, %s", request[0], response.StatusCode, response.Header.Get("Content-Type"))
		}
		if reasonOf(readStatus(t, body)) != presencev1.ErrorReason_ERROR_REASON_WATCHER_BLOCKED {
			t.Errorf("%s: %s", request[0], body)
		}
	}
}

func TestAnErrorInMidStreamIsTheLastChunk(t *testing.T) {
	failure := reasonedError(codes.ResourceExhausted, presencev1.ErrorReason_ERROR_REASON_OVERLOADED,
		1500*time.Millisecond, "you do not read").Err()
	core := startFakeCore(t)
	core.watch = sends(failure, stateItem("t1", "open"))
	web := startGateway(t, core, defaultLimits())

	t.Run("as an event that EventSource does not mistake for its own", func(t *testing.T) {
		_, body := web.ask(t, http.MethodGet, watchAlice, "", acceptHeader, eventsMedia)

		events := readEvents(t, body)
		last := events[len(events)-1]
		if len(events) != 2 || last.name != "failure" || last.retry != "1500" || last.id != "" {
			t.Fatalf("events %+v", events)
		}
		if reasonOf(readStatus(t, last.data)) != presencev1.ErrorReason_ERROR_REASON_OVERLOADED {
			t.Errorf("failure %s", last.data)
		}
	})
	t.Run("as a line", func(t *testing.T) {
		_, body := web.ask(t, http.MethodGet, watchAlice, "")

		lines := strings.Split(body, "\n")
		if len(lines) != 3 || lines[2] != "" {
			t.Fatalf("want two whole lines: %q", body)
		}
		var chunk struct{ Error json.RawMessage }
		if err := json.Unmarshal([]byte(lines[1]), &chunk); err != nil {
			t.Fatal(err)
		}
		if reasonOf(readStatus(t, string(chunk.Error))) != presencev1.ErrorReason_ERROR_REASON_OVERLOADED {
			t.Errorf("error %s", chunk.Error)
		}
	})
}

func TestAStoppingGatewayEndsItsStreamsWithDraining(t *testing.T) {
	core := startFakeCore(t)
	serve, gone := sendsAndStays(stateItem("t1", "open"))
	core.watch = serve
	web := startGateway(t, core, defaultLimits())
	response := web.open(t, t.Context(), http.MethodGet, watchAlice, "", acceptHeader, eventsMedia)
	reader := bufio.NewReader(response.Body)
	if _, err := reader.ReadString('\n'); err != nil {
		t.Fatal(err)
	}

	web.gateway.drain()

	await(t, "the end of the stream at the core", gone)
	rest, err := io.ReadAll(reader)
	if err != nil || !strings.Contains(string(rest), "event: failure") || !strings.Contains(string(rest), "DRAINING") {
		t.Errorf("%v: %s", err, rest)
	}
}

func TestServerSentEventsAreForThoseWhoNameThem(t *testing.T) {
	for accept, want := range map[string]bool{
		"":                                    false,
		"*/*":                                 false,
		"application/json":                    false,
		"text/event-stream":                   true,
		"text/event-stream, */*;q=0.1":        true,
		"Text/Event-Stream; charset=utf-8":    true,
		"application/json, text/event-stream": true,
		"text/event-stream;q=0.5, application/json":           false,
		"application/x-ndjson;q=0.5, text/event-stream;q=0.9": true,
		"text/event-stream;q=0":                               false,
		"text/event-stream;q=often":                           false,
		";;;":                                                 false,
	} {
		if got := prefersEventStream([]string{accept}); got != want {
			t.Errorf("Accept %q: %v, want %v", accept, got, want)
		}
	}
}
