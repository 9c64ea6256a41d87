package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/rs/cors"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// crossOriginGuard keeps pages of other sites out, except those of `origins` ("https://app.example.com").
//
// CORS alone lets a foreign page send a POST and only hides the answer from it. On a loopback address that
// would let any page publish for the person who opens it, so unsafe methods are refused by Origin and
// Sec-Fetch-Site as well. Programs send neither header and are not affected.
func crossOriginGuard(origins []string, next http.Handler) (http.Handler, error) {
	protection := http.NewCrossOriginProtection()
	for _, origin := range origins {
		if strings.Contains(origin, "*") {
			return nil, fmt.Errorf("--cors-origin %q: name each origin, wildcards would admit strangers", origin)
		}
		if err := protection.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("--cors-origin %q: %w", origin, err)
		}
	}
	protection.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeStatus(w, http.StatusForbidden, status.New(codes.PermissionDenied,
			"pages of "+r.Header.Get("Origin")+" may not change anything here; see --cors-origin"))
	}))
	guarded := protection.Handler(next)
	if len(origins) == 0 {
		return guarded, nil // An empty list would mean "every origin" to cors.
	}
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{http.MethodGet, http.MethodPost, http.MethodDelete},
		AllowedHeaders: []string{"Authorization", "Content-Type", "Last-Event-ID", "X-Request-Id"},
		ExposedHeaders: []string{"Retry-After"},
		MaxAge:         600, // seconds a browser may remember the answer to a preflight
	}).Handler(guarded), nil
}
