package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
)

//go:embed gen/openapi/presence.swagger.json
var generatedOpenAPI []byte

// What the generator cannot know: titles, the GET form of Watch, the types a stream comes in.
//
//go:embed openapi_overlay.json
var openAPIOverlay []byte

// version is set by build.sh.
var version = "unknown"

// openAPIDocument returns the description of every route, as OpenAPI 2.
func openAPIDocument() ([]byte, error) {
	var document, overlay map[string]any
	if err := json.Unmarshal(generatedOpenAPI, &document); err != nil {
		return nil, fmt.Errorf("generated OpenAPI document: %w", err)
	}
	if err := json.Unmarshal(openAPIOverlay, &overlay); err != nil {
		return nil, fmt.Errorf("openapi_overlay.json: %w", err)
	}
	lay(document, overlay)
	lay(document, map[string]any{"info": map[string]any{"version": version}})
	return json.MarshalIndent(document, "", "  ")
}

// lay puts `overlay` over `base`: objects merge by name, everything else is replaced.
func lay(base, overlay map[string]any) {
	for name, value := range overlay {
		inner, isObject := value.(map[string]any)
		if existing, ok := base[name].(map[string]any); ok && isObject {
			lay(existing, inner)
			continue
		}
		base[name] = value
	}
}

func serveOpenAPI(document []byte) runtime.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request, _ map[string]string) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(document) // A client that has gone cannot be told.
	}
}
