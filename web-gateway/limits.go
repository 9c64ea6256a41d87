package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"presence/web-gateway/gen/presencev1"
)

// limits bound what one client may cost.
type limits struct {
	// Largest request body. The core's own limit is on the document, which JSON may write up to six times
	// longer (\u00e9 for a byte).
	maxBodyBytes int64
	// How long a client may take over its request body.
	bodyTime time.Duration
	// How long a client may leave a write blocked before it is cut off. This and no limit on the whole answer:
	// a watch stream lasts for days.
	stallTime time.Duration
	// Deadline of a unary call whose client set none (Grpc-Timeout).
	callTime time.Duration
	// Silence of the core after which a watch stream is given up; three of its longest heartbeat intervals.
	coreSilence time.Duration
	// Watch streams at once, of all clients.
	maxWatches int
}

func defaultLimits() limits {
	return limits{
		maxBodyBytes: 256 << 10,
		bodyTime:     10 * time.Second,
		stallTime:    30 * time.Second,
		callTime:     5 * time.Second,
		coreSilence:  45 * time.Second,
		maxWatches:   10_000,
	}
}

// limited reads the body of every request before `next` sees it and puts a deadline on each write.
// Every request here is one message, so nothing is lost by reading it whole, and a body that is too large is
// refused as such instead of as malformed JSON.
func limited(l limits, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		connection := http.NewResponseController(w)
		writer := &stallingWriter{ResponseWriter: w, connection: connection, stallTime: l.stallTime}
		if r.ContentLength != 0 {
			_ = connection.SetReadDeadline(time.Now().Add(l.bodyTime)) // A recorder in tests has none.
			body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, l.maxBodyBytes))
			_ = connection.SetReadDeadline(time.Time{})
			if err != nil {
				writer.Header().Set("Connection", "close") // The rest of the body is still on its way.
				st := bodyError(err, l)
				writeStatus(writer, httpStatus(st), st)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
		}
		next.ServeHTTP(writer, r)
	})
}

func bodyError(err error, l limits) *status.Status {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return reasonedError(codes.InvalidArgument, presencev1.ErrorReason_ERROR_REASON_DOCUMENT_TOO_LARGE, 0,
			fmt.Sprintf("the request body is larger than %d bytes (--max-body-bytes)", l.maxBodyBytes))
	}
	return reasonedError(codes.InvalidArgument, presencev1.ErrorReason_ERROR_REASON_INVALID_FIELD, 0,
		"the request body did not arrive whole: "+err.Error())
}

// stallingWriter gives each write its own deadline. Used by the goroutine of its request only.
type stallingWriter struct {
	http.ResponseWriter
	connection *http.ResponseController
	stallTime  time.Duration
}

// WriteHeader also clears the deadline that the last answer on this connection left.
func (w *stallingWriter) WriteHeader(code int) {
	w.extend()
	w.ResponseWriter.WriteHeader(code)
}

func (w *stallingWriter) Write(p []byte) (int, error) {
	w.extend()
	return w.ResponseWriter.Write(p)
}

// FlushError is what http.ResponseController.Flush looks for.
func (w *stallingWriter) FlushError() error {
	w.extend()
	return w.connection.Flush()
}

// Unwrap lets http.ResponseController reach the connection.
func (w *stallingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *stallingWriter) extend() {
	_ = w.connection.SetWriteDeadline(time.Now().Add(w.stallTime)) // A recorder in tests has none.
}
