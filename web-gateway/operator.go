package main

import (
	"context"
	"io"
	"net/http"
	"time"

	"google.golang.org/grpc/health/grpc_health_v1"
)

// How long /ready waits for the core. Less than the second that probes commonly allow.
const readyTime = 800 * time.Millisecond

// live answers while the process can answer at all.
func (g *gateway) live(w http.ResponseWriter, _ *http.Request, _ map[string]string) {
	writeText(w, http.StatusOK, "live\n")
}

// ready answers 200 only while the core says SERVING and this gateway is not stopping. It asks the core each
// time: an answer cannot be older than the question.
func (g *gateway) ready(w http.ResponseWriter, r *http.Request, _ map[string]string) {
	if g.draining.Err() != nil {
		writeText(w, http.StatusServiceUnavailable, "not ready: stopping\n")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), readyTime)
	defer cancel()
	answer, err := g.health.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	switch {
	case err != nil:
		writeText(w, http.StatusServiceUnavailable, "not ready: core: "+err.Error()+"\n")
	case answer.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING:
		writeText(w, http.StatusServiceUnavailable, "not ready: core: "+answer.GetStatus().String()+"\n")
	default:
		writeText(w, http.StatusOK, "ready\n")
	}
}

func writeText(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text) // A prober that has gone cannot be told.
}
