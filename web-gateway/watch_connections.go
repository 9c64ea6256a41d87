package main

import (
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"presence/web-gateway/gen/presencev1"
)

// streamsPerConnection stays below what HTTP/2 servers allow one connection; the core allows 128. A call above
// that would wait without a word until another stream ends.
const streamsPerConnection = 100

// watchConnections lends connections to watch streams, as many as it takes, up to `limit` streams in all. Unary
// calls have a connection of their own, so that watchers cannot hold them up. Safe for concurrent use; owns the
// connections.
type watchConnections struct {
	dial  func() (*grpc.ClientConn, error)
	limit int

	mu    sync.Mutex // guards what follows, and `streams` of each
	total int
	open  []*watchConnection
}

type watchConnection struct {
	*grpc.ClientConn
	streams int
}

// acquire lends a connection for one stream; `release` gives it back and is called once.
// Errors: OVERLOADED   there are `limit` streams already.
func (c *watchConnections) acquire() (connection *grpc.ClientConn, release func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.total >= c.limit {
		return nil, nil, reasonedError(codes.ResourceExhausted, presencev1.ErrorReason_ERROR_REASON_OVERLOADED,
			retryDelay, "this gateway serves no more watch streams (--max-watches)").Err()
	}
	// The first with room, so that the later ones become empty and can be closed.
	at := slices.IndexFunc(c.open, func(w *watchConnection) bool { return w.streams < streamsPerConnection })
	if at < 0 {
		dialled, err := c.dial()
		if err != nil {
			return nil, nil, err
		}
		at = len(c.open)
		c.open = append(c.open, &watchConnection{ClientConn: dialled})
	}
	chosen := c.open[at]
	chosen.streams++
	c.total++
	return chosen.ClientConn, func() { c.release(chosen) }, nil
}

func (c *watchConnections) release(connection *watchConnection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total--
	connection.streams--
	if connection.streams == 0 {
		c.open = slices.DeleteFunc(c.open, func(w *watchConnection) bool { return w == connection })
		_ = connection.Close() // Nothing is on it any more that could fail.
	}
}

// size returns how many connections are open.
func (c *watchConnections) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open)
}
