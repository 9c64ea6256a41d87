package main

import (
	"net/http"
	"strings"
	"testing"
)

const (
	friend   = "https://app.example.com"
	stranger = "https://elsewhere.example"
)

func TestPagesOfOtherOriginsMayNeitherReadNorChangeAnything(t *testing.T) {
	for name, origins := range map[string][]string{"by default": nil, "with another origin listed": {friend}} {
		t.Run(name, func(t *testing.T) {
			core := startFakeCore(t)
			web := startGateway(t, core, defaultLimits(), origins...)

			read, _ := web.ask(t, http.MethodGet, "/v1/presentities", "", "Origin", stranger)
			if got := read.Header.Get("Access-Control-Allow-Origin"); got != "" {
				t.Errorf("a stranger may read: %q", got)
			}

			core.mu.Lock()
			core.method = ""
			core.mu.Unlock()
			for _, headers := range [][]string{
				{"Origin", stranger, "Content-Type", "text/plain"},
				{"Sec-Fetch-Site", "cross-site", "Content-Type", "text/plain"},
			} {
				// What a browser sends without a preflight.
				change, body := web.ask(t, http.MethodPost, alice+":publish", `{"event":"presence"}`, headers...)

				if method, _, _ := core.lastCall(); change.StatusCode != http.StatusForbidden || method != "" {
					t.Errorf("%v: HTTP %d %s, the core was called for %q", headers, change.StatusCode, body, method)
				}
			}
		})
	}
}

func TestPagesOfAListedOriginMayReadAndChange(t *testing.T) {
	core := startFakeCore(t)
	web := startGateway(t, core, defaultLimits(), friend)

	preflight, _ := web.ask(t, http.MethodOptions, alice+":publish", "", "Origin", friend,
		"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type")
	change, body := web.ask(t, http.MethodPost, alice+":publish", `{"event":"presence"}`, "Origin", friend,
		"Sec-Fetch-Site", "cross-site")

	if got := preflight.Header.Get("Access-Control-Allow-Methods"); !strings.Contains(got, "POST") {
		t.Errorf("preflight allows %q", got)
	}
	if change.StatusCode != http.StatusOK || change.Header.Get("Access-Control-Allow-Origin") != friend {
		t.Errorf("HTTP %d, allows %q: %s", change.StatusCode, change.Header.Get("Access-Control-Allow-Origin"), body)
	}
	if got := change.Header.Values("Access-Control-Expose-Headers"); strings.Join(got, ",") != "Retry-After" {
		t.Errorf("exposes %q", got)
	}
}

func TestAnOriginThatIsNoneStopsTheStart(t *testing.T) {
	for _, origin := range []string{"*", "https://*.example.com", "app.example.com", "https://app.example.com/path"} {
		if _, err := crossOriginGuard([]string{origin}, http.NotFoundHandler()); err == nil ||
			!strings.Contains(err.Error(), origin) {
			t.Errorf("%q: %v", origin, err)
		}
	}
}
