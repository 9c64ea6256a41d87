package main

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/health/grpc_health_v1"
)

func TestReadyFollowsTheHealthOfTheCoreAndLiveDoesNot(t *testing.T) {
	core := startFakeCore(t)
	web := startGateway(t, core, defaultLimits())

	for _, c := range []struct {
		health grpc_health_v1.HealthCheckResponse_ServingStatus
		ready  int
		says   string
	}{
		{grpc_health_v1.HealthCheckResponse_SERVING, http.StatusOK, "ready"},
		{grpc_health_v1.HealthCheckResponse_NOT_SERVING, http.StatusServiceUnavailable, "NOT_SERVING"},
		{grpc_health_v1.HealthCheckResponse_SERVING, http.StatusOK, "ready"},
	} {
		core.health.SetServingStatus("", c.health)

		ready, body := web.ask(t, http.MethodGet, "/ready", "")
		live, _ := web.ask(t, http.MethodGet, "/live", "")

		if ready.StatusCode != c.ready || !strings.Contains(body, c.says) {
			t.Errorf("core %v: /ready %d %q", c.health, ready.StatusCode, body)
		}
		if live.StatusCode != http.StatusOK {
			t.Errorf("core %v: /live %d", c.health, live.StatusCode)
		}
	}
}

func TestNotReadyWithoutACoreOrWhileStopping(t *testing.T) {
	nobody := dialer("unix:"+t.TempDir()+"/nobody.sock", defaultLimits())
	alone := startGatewayTo(t, nobody, defaultLimits())
	stopping := startGateway(t, startFakeCore(t), defaultLimits())
	stopping.gateway.drain()

	for says, web := range map[string]*webServer{"core": alone, "stopping": stopping} {
		response, body := web.ask(t, http.MethodGet, "/ready", "")

		if response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, says) {
			t.Errorf("HTTP %d %q, want a word of %q", response.StatusCode, body, says)
		}
	}
}
