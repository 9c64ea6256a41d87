package main

import (
	"bufio"
	"context"
	"net/http"
	"testing"

	"presence/web-gateway/gen/presencev1"
)

// openWatch opens a stream, reads its first item and returns what closes it.
func (s *webServer) openWatch(t *testing.T) (leave func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	response := s.open(t, ctx, http.MethodGet, watchAlice, "")
	if _, err := bufio.NewReader(response.Body).ReadString('\n'); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("HTTP %d, %v", response.StatusCode, err)
	}
	return cancel
}

// serveForever makes a core whose streams last until they are freed.
func serveForever(_ *presencev1.WatchRequest, stream watchStream) error {
	if err := stream.Send(snapshotDoneItem("t")); err != nil {
		return err
	}
	<-stream.Context().Done()
	return stream.Context().Err()
}

func TestMoreWatchersThanAConnectionCarriesHoldNobodyUp(t *testing.T) {
	core := startFakeCore(t)
	core.watch = serveForever
	web := startGateway(t, core, defaultLimits())

	leave := make([]func(), 0, streamsPerConnection+1)
	for range cap(leave) {
		leave = append(leave, web.openWatch(t))
	}

	if got := web.gateway.watches.size(); got != 2 {
		t.Errorf("%d connections for %d streams", got, len(leave))
	}
	response, body := web.ask(t, http.MethodGet, alice+":hasSubscribers", "")
	if response.StatusCode != http.StatusOK {
		t.Errorf("a call beside them: HTTP %d: %s", response.StatusCode, body)
	}
	for _, end := range leave {
		end()
	}
	web.Close() // Returns when every stream has ended.
	if got := web.gateway.watches.size(); got != 0 {
		t.Errorf("%d connections without a stream", got)
	}
}

func TestAWatchAboveTheLimitIsA429(t *testing.T) {
	core := startFakeCore(t)
	core.watch = serveForever
	l := defaultLimits()
	l.maxWatches = 1
	web := startGateway(t, core, l)
	defer web.openWatch(t)()

	response, body := web.ask(t, http.MethodGet, watchAlice, "", acceptHeader, eventsMedia)

	if response.StatusCode != http.StatusTooManyRequests || response.Header.Get("Retry-After") != "1" ||
		reasonOf(readStatus(t, body)) != presencev1.ErrorReason_ERROR_REASON_OVERLOADED {
		t.Errorf("HTTP %d: %s", response.StatusCode, body)
	}
}

func TestAStreamThatEndsMakesRoomUnderTheLimit(t *testing.T) {
	core := startFakeCore(t)
	pool := watchConnections{dial: dialer("passthrough:///core", defaultLimits(), core.dial), limit: 1}
	_, release, err := pool.acquire()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := pool.acquire(); err == nil {
		t.Fatal("one more than the limit")
	}

	release()

	if _, release, err = pool.acquire(); err != nil {
		t.Fatal(err)
	}
	release()
}

func TestAConnectionIsSharedAndClosedWithItsLastStream(t *testing.T) {
	core := startFakeCore(t)
	pool := watchConnections{dial: dialer("passthrough:///core", defaultLimits(), core.dial), limit: 10}

	first, releaseFirst, err := pool.acquire()
	if err != nil {
		t.Fatal(err)
	}
	second, releaseSecond, err := pool.acquire()
	if err != nil || second != first {
		t.Fatalf("the second stream got another connection (%v)", err)
	}
	releaseFirst()
	if pool.size() != 1 {
		t.Error("closed under the second stream")
	}
	releaseSecond()
	if pool.size() != 0 {
		t.Error("kept without a stream")
	}
}
