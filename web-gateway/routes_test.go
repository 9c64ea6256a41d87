package main

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"os"
	"regexp"
	"sort"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	"presence/web-gateway/gen/presencev1"
)

const alice = "/v1/domains/example.com/users/alice"

// A request over HTTP and what the core must get.
type routeCase struct {
	method, path, body string
	rpc                string
	want               proto.Message
}

// One case a route at least. Watch has tests of its own.
var routeCases = map[string]routeCase{
	"publishes": {
		http.MethodPost, alice + ":publish",
		`{"event":"presence","expiry":"600s","priority":2,"requestId":"r1",
		  "document":{"contentType":"application/pidf+xml","text":"<presence/>"}}`,
		"PresenceService/Publish", &presencev1.PublishRequest{
			Presentity: "domains/example.com/users/alice", Event: "presence", RequestId: "r1", Priority: 2,
			Expiry:   durationpb.New(600e9),
			Document: &presencev1.Document{ContentType: "application/pidf+xml", Text: "<presence/>"},
		},
	},
	"gets the state of an event package": {
		http.MethodGet, alice + "/states/dialog;sla?watcher=sip:bob@example.com", "",
		"PresenceService/GetState", &presencev1.GetStateRequest{
			Presentity: "domains/example.com/users/alice", Event: "dialog;sla", Watcher: "sip:bob@example.com",
		},
	},
	"looks a state up by URI": {
		http.MethodGet, "/v1/states:lookup?presentity=sip:alice@example.com&event=presence&etag=e1", "",
		"PresenceService/GetState", &presencev1.GetStateRequest{Presentity: "sip:alice@example.com", Event: "presence", Etag: "e1"},
	},
	"lists publications": {
		http.MethodGet, "/v1/presentities?domain=example.com&view=VIEW_FULL&pageSize=10&page_token=p2", "",
		"PresenceService/ListPresentities", &presencev1.ListPresentitiesRequest{
			Domain: "example.com", View: presencev1.View_VIEW_FULL, PageSize: 10, PageToken: "p2",
		},
	},
	"lists subscriptions": {
		http.MethodGet, "/v1/subscriptions?presentity=alice@example.com&state=SUBSCRIPTION_STATE_PENDING", "",
		"PresenceService/ListSubscriptions", &presencev1.ListSubscriptionsRequest{
			Presentity: "alice@example.com", State: presencev1.SubscriptionState_SUBSCRIPTION_STATE_PENDING,
		},
	},
	"ends a subscription": {
		http.MethodDelete, "/v1/subscriptions/8f3a", "",
		"PresenceService/Unsubscribe", &presencev1.UnsubscribeRequest{Id: "8f3a"},
	},
	"lists watchers": {
		http.MethodGet, alice + "/watchers?event=presence&page_size=5", "",
		"PresenceService/ListWatchers", &presencev1.ListWatchersRequest{
			Presentity: "domains/example.com/users/alice", Event: "presence", PageSize: 5,
		},
	},
	"approves a watcher": {
		http.MethodPost, alice + "/watchers/bob@example.com:approve", `{"event":"presence"}`,
		"PresenceService/ApproveWatcher", &presencev1.ApproveWatcherRequest{
			Presentity: "domains/example.com/users/alice", Event: "presence", Watcher: "bob@example.com",
		},
	},
	"blocks a watcher": {
		http.MethodPost, alice + "/watchers/sip%3Abob%40example.com:block", "",
		"PresenceService/BlockWatcher", &presencev1.BlockWatcherRequest{
			Presentity: "domains/example.com/users/alice", Watcher: "sip:bob@example.com",
		},
	},
	"gets the authorization of a watcher": {
		http.MethodGet, alice + ":authorization?watcher=sip:bob@example.com", "",
		"PresenceService/GetAuthorization", &presencev1.GetAuthorizationRequest{
			Presentity: "domains/example.com/users/alice", Watcher: "sip:bob@example.com",
		},
	},
	"asks whether anybody watches": {
		http.MethodGet, alice + ":hasSubscribers?event=presence", "",
		"PresenceService/HasSubscribers", &presencev1.HasSubscribersRequest{
			Presentity: "domains/example.com/users/alice", Event: "presence",
		},
	},
	"refreshes watchers": {
		http.MethodPost, alice + ":refreshWatchers", `{"event":"presence","kind":"KIND_STATE"}`,
		"PresenceService/RefreshWatchers", &presencev1.RefreshWatchersRequest{
			Presentity: "domains/example.com/users/alice", Event: "presence",
			Kind: presencev1.RefreshWatchersRequest_KIND_STATE,
		},
	},
	"updates watchers": {
		http.MethodPost, alice + ":updateWatchers", `{"event":"presence"}`,
		"PresenceService/UpdateWatchers", &presencev1.UpdateWatchersRequest{
			Presentity: "domains/example.com/users/alice", Event: "presence",
		},
	},
	"cleans up": {
		http.MethodPost, "/v1/admin:cleanup", `{"kinds":["CLEANUP_KIND_PUBLICATIONS"],"dryRun":true}`,
		"AdminService/Cleanup", &presencev1.CleanupRequest{
			Kinds: []presencev1.CleanupKind{presencev1.CleanupKind_CLEANUP_KIND_PUBLICATIONS}, DryRun: true,
		},
	},
	"tells which server this is": {
		http.MethodGet, "/v1/admin:serverInfo", "",
		"AdminService/GetServerInfo", &presencev1.GetServerInfoRequest{},
	},
	"leaves escapes of a resource name to the core": {
		http.MethodPost, "/v1/domains/example.com/users/a~2Fb:updateWatchers", `{"event":"presence"}`,
		"PresenceService/UpdateWatchers", &presencev1.UpdateWatchersRequest{
			Presentity: "domains/example.com/users/a~2Fb", Event: "presence",
		},
	},
	"takes the escapes of encodeURIComponent": {
		http.MethodGet, "/v1/domains/example.com/users/%2B1001%3Ba%40x:hasSubscribers", "",
		"PresenceService/HasSubscribers", &presencev1.HasSubscribersRequest{Presentity: "domains/example.com/users/+1001;a@x"},
	},
	"takes a user with a colon": {
		http.MethodGet, "/v1/domains/example.com/users/sip:alice:hasSubscribers", "",
		"PresenceService/HasSubscribers", &presencev1.HasSubscribersRequest{Presentity: "domains/example.com/users/sip:alice"},
	},
}

func TestEveryRouteCallsItsMethodWithWhatTheRequestSays(t *testing.T) {
	for name, c := range routeCases {
		t.Run(name, func(t *testing.T) {
			core := startFakeCore(t)
			web := startGateway(t, core, defaultLimits())

			response, body := web.ask(t, c.method, c.path, c.body)

			if response.StatusCode != http.StatusOK {
				t.Fatalf("HTTP %d: %s", response.StatusCode, body)
			}
			method, request, _ := core.lastCall()
			if want := "/presence.v1." + c.rpc; method != want {
				t.Errorf("called %s, want %s", method, want)
			}
			if !proto.Equal(request, c.want) {
				t.Errorf("the core got %v, want %v", request, c.want)
			}
		})
	}
}

// A route that is added to proto/presence_http.yaml shows in the generated document and then needs a case here.
func TestEveryRouteOfTheOpenAPIDocumentHasATestAndNoOtherIsServed(t *testing.T) {
	tested := map[string]bool{
		// watch_test.go
		"POST /v1/watch": true, "GET /v1/{presentity}:watch": true,
	}
	variables := []struct {
		pattern *regexp.Regexp
		name    string
	}{
		{regexp.MustCompile(`\?.*`), ""},
		{regexp.MustCompile(`domains/[^/]+/users/[^/:]+`), "{presentity}"},
		{regexp.MustCompile(`states/[^/:]+$`), "states/{event}"},
		{regexp.MustCompile(`watchers/[^/:]+:`), "watchers/{watcher}:"},
		{regexp.MustCompile(`subscriptions/.+`), "subscriptions/{id}"},
	}
	for _, c := range routeCases {
		path := strings.Replace(c.path, "sip:alice:", "alice:", 1)
		for _, v := range variables {
			path = v.pattern.ReplaceAllLiteralString(path, v.name)
		}
		tested[c.method+" "+path] = true
	}

	documented := map[string]bool{}
	for path, methods := range readOpenAPI(t).Paths {
		for method := range methods {
			documented[strings.ToUpper(method)+" "+path] = true
		}
	}

	if got, want := sortedKeys(documented), sortedKeys(tested); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("documented:\n%s\ntested:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestEveryMethodHasARouteButSubscribe(t *testing.T) {
	routed := map[string]bool{"PresenceService/Watch": true}
	for _, c := range routeCases {
		routed[c.rpc] = true
	}

	methods := presenceService().Methods()
	for i := range methods.Len() {
		name := string(methods.Get(i).Name())
		// It would make the core send NOTIFYs to any address a web page names.
		if got, want := routed["PresenceService/"+name], name != "Subscribe"; got != want {
			t.Errorf("%s: routed %v, want %v", name, got, want)
		}
	}
}

func TestTheFirstExampleOfTheREADMEPublishes(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile(`curl -s http://127\.0\.0\.1:7462(\S+) -d '(.*)'`).FindSubmatch(readme)
	if example == nil {
		t.Fatal("no example")
	}
	core := startFakeCore(t)
	web := startGateway(t, core, defaultLimits())

	// curl -d says so, too.
	response, body := web.ask(t, http.MethodPost, string(example[1]), string(example[2]),
		"Content-Type", "application/x-www-form-urlencoded")

	_, request, _ := core.lastCall()
	publish, ok := request.(*presencev1.PublishRequest)
	if !ok || response.StatusCode != http.StatusOK {
		t.Fatalf("HTTP %d: %s", response.StatusCode, body)
	}
	var document struct {
		XMLName xml.Name `xml:"urn:ietf:params:xml:ns:pidf presence"`
		Basic   string   `xml:"tuple>status>basic"`
	}
	err = xml.Unmarshal([]byte(publish.GetDocument().GetText()), &document)
	if err != nil || document.Basic != "open" || publish.GetEvent() != "presence" {
		t.Errorf("%v: published %v", err, publish)
	}
}

func TestAnswersShowDefaultsAndTextButNoAbsentMessages(t *testing.T) {
	core := startFakeCore(t)
	core.answer = &presencev1.GetStateResponse{
		Document: &presencev1.Document{ContentType: "application/pidf+xml", Body: []byte("<p/>"), Text: "<p/>"},
	}
	web := startGateway(t, core, defaultLimits())

	response, body := web.ask(t, http.MethodGet, alice+"/states/presence", "")

	if got := response.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if document := got["document"].(map[string]any); document["text"] != "<p/>" || document["body"] != "PHAvPg==" {
		t.Errorf("document %v", document)
	}
	if got["state"] != "SUBSCRIPTION_STATE_UNSPECIFIED" {
		t.Errorf("state %v: a default must show", got["state"])
	}
	if _, ok := got["revision"]; ok {
		t.Error("an absent message must not show as null")
	}
}

func TestPassesOnlyChosenHeadersToTheCoreAndNoneBack(t *testing.T) {
	core := startFakeCore(t)
	web := startGateway(t, core, defaultLimits())

	response, _ := web.ask(t, http.MethodGet, "/v1/presentities", "",
		"Authorization", "Bearer t", "X-Request-Id", "r7", "Traceparent", "00-1", "TE", "trailers",
		"Grpc-Metadata-Role", "admin", "Cookie", "c=1")

	_, _, md := core.lastCall()
	for name, want := range map[string]string{"authorization": "Bearer t", "x-request-id": "r7", "traceparent": "00-1"} {
		if got := md.Get(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s arrived as %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"role", "grpc-metadata-role", "cookie", "grpcgateway-cookie"} {
		if got := md.Get(name); len(got) != 0 {
			t.Errorf("%s arrived as %q", name, got)
		}
	}
	for name := range response.Header {
		if strings.Contains(strings.ToLower(name), "grpc-") || strings.Contains(strings.ToLower(name), "secret") {
			t.Errorf("answer header %s", name)
		}
	}
	if len(response.Trailer) != 0 {
		t.Errorf("answer trailers %v", response.Trailer)
	}
}

func sortedKeys(set map[string]bool) []string {
	keys := make([]string, 0, len(set))
	for key := range set {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
