package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

type openAPI struct {
	Swagger string
	Info    struct{ Title, Version string }
	Paths   map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Produces    []string
	}
	Definitions map[string]any
}

func readOpenAPI(t *testing.T) openAPI {
	t.Helper()
	web := startGateway(t, startFakeCore(t), defaultLimits())
	response, body := web.ask(t, http.MethodGet, "/openapi.json", "")
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("HTTP %d, %s", response.StatusCode, response.Header.Get("Content-Type"))
	}
	var document openAPI
	if err := json.Unmarshal([]byte(body), &document); err != nil {
		t.Fatal(err)
	}
	return document
}

func TestTheOpenAPIDocumentNamesTheProjectAndBothFormsOfWatch(t *testing.T) {
	document := readOpenAPI(t)

	if document.Swagger != "2.0" || document.Info.Title != "Presence" || document.Info.Version != version {
		t.Errorf("swagger %q, info %+v", document.Swagger, document.Info)
	}
	for path, method := range map[string]string{"/v1/watch": "post", "/v1/{presentity}:watch": "get"} {
		operation, ok := document.Paths[path][method]
		if !ok || operation.OperationID == "" {
			t.Errorf("%s %s is missing", method, path)
		}
		if got := strings.Join(operation.Produces, " "); got != "application/x-ndjson text/event-stream" {
			t.Errorf("%s %s produces %q", method, path, got)
		}
	}
}

func TestEveryReferenceOfTheOpenAPIDocumentIsDefined(t *testing.T) {
	raw, err := openAPIDocument()
	if err != nil {
		t.Fatal(err)
	}
	definitions := readOpenAPI(t).Definitions

	references := 0
	for _, part := range strings.Split(string(raw), `"#/definitions/`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		references++
		if _, ok := definitions[name]; !ok {
			t.Errorf("%s is not defined", name)
		}
	}
	if references == 0 {
		t.Error("no reference found: the document is not what this test reads")
	}
}
