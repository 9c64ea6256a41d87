package main

import (
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/anypb"

	"presence/web-gateway/gen/presencev1"
)

// What the comment of one ErrorReason promises.
type promise struct {
	code codes.Code
	http int
}

// readPromises reads "gRPC code / HTTP code / SIP code" from the comments of the contract, which no descriptor
// carries.
func readPromises(t *testing.T) map[presencev1.ErrorReason]promise {
	t.Helper()
	source, err := os.ReadFile("../proto/presence/v1/errors.proto")
	if err != nil {
		t.Fatal(err)
	}
	promises := map[presencev1.ErrorReason]promise{}
	entry := regexp.MustCompile(`// ([A-Z_]+) / (\d{3}) / \d{3}\.[^\n]*\n(?:\s*//[^\n]*\n)*\s*ERROR_REASON_(\w+) = (\d+)`)
	for _, match := range entry.FindAllStringSubmatch(string(source), -1) {
		var code codes.Code
		if err := code.UnmarshalJSON([]byte(strconv.Quote(match[1]))); err != nil {
			t.Fatalf("%s: %v", match[3], err)
		}
		httpCode, _ := strconv.Atoi(match[2])
		number, _ := strconv.Atoi(match[4])
		promises[presencev1.ErrorReason(number)] = promise{code, httpCode}
	}
	return promises
}

func everyReason() []presencev1.ErrorReason {
	var reasons []presencev1.ErrorReason
	values := presencev1.ErrorReason(0).Descriptor().Values()
	for i := range values.Len() {
		if number := values.Get(i).Number(); number != 0 {
			reasons = append(reasons, presencev1.ErrorReason(number))
		}
	}
	return reasons
}

func errorOfCore(code codes.Code, reason string) error {
	st, err := status.New(code, "as the core says").WithDetails(
		&errdetails.ErrorInfo{Domain: "presence", Reason: reason, Metadata: map[string]string{"field": "expiry"}})
	if err != nil {
		panic(err)
	}
	return st.Err()
}

func readStatus(t *testing.T, body string) *status.Status {
	t.Helper()
	st := &spb.Status{}
	if err := protojson.Unmarshal([]byte(body), st); err != nil {
		t.Fatalf("not a google.rpc.Status: %v: %s", err, body)
	}
	return status.FromProto(st)
}

// O09
func TestEveryErrorReasonHasItsDocumentedHTTPCode(t *testing.T) {
	promises := readPromises(t)
	for _, reason := range everyReason() {
		t.Run(reason.String(), func(t *testing.T) {
			want, ok := promises[reason]
			if !ok {
				t.Fatal("its comment in errors.proto does not begin with gRPC / HTTP / SIP code")
			}
			if _, ok := httpStatusOf[reason]; !ok {
				t.Fatal("no row in httpStatusOf")
			}
			core := startFakeCore(t)
			core.fail = errorOfCore(want.code, strings.TrimPrefix(reason.String(), "ERROR_REASON_"))
			web := startGateway(t, core, defaultLimits())

			response, body := web.ask(t, http.MethodGet, alice+":hasSubscribers", "")

			if response.StatusCode != want.http {
				t.Errorf("HTTP %d, want %d", response.StatusCode, want.http)
			}
			st := readStatus(t, body)
			if st.Code() != want.code || reasonOf(st) != reason || st.Message() != "as the core says" {
				t.Errorf("answered %s", body)
			}
			if !strings.Contains(body, `"field"`) {
				t.Errorf("metadata is lost: %s", body)
			}
		})
	}
}

func TestAReasonNewerThanThisGatewayGoesByItsGRPCCode(t *testing.T) {
	core := startFakeCore(t)
	core.fail = errorOfCore(codes.FailedPrecondition, "INVENTED_TOMORROW")
	web := startGateway(t, core, defaultLimits())

	response, body := web.ask(t, http.MethodGet, alice+":hasSubscribers", "")

	if response.StatusCode != http.StatusBadRequest || !strings.Contains(body, "INVENTED_TOMORROW") {
		t.Errorf("HTTP %d: %s", response.StatusCode, body)
	}
}

func TestADetailOfAnUnknownTypeIsLeftOutAndTheRestKept(t *testing.T) {
	unknown := &anypb.Any{TypeUrl: "type.googleapis.com/presence.v9.Invented", Value: []byte{1}}
	known := status.Convert(errorOfCore(codes.Aborted, "ETAG_MISMATCH")).Proto().Details[0]
	for name, details := range map[string][]*anypb.Any{
		"before": {unknown, known}, "after": {known, unknown}, "around": {unknown, known, unknown},
	} {
		t.Run(name, func(t *testing.T) {
			core := startFakeCore(t)
			core.fail = status.ErrorProto(&spb.Status{Code: int32(codes.Aborted), Message: "m", Details: details})
			web := startGateway(t, core, defaultLimits())

			response, body := web.ask(t, http.MethodGet, alice+":hasSubscribers", "")

			if response.StatusCode != http.StatusPreconditionFailed || len(readStatus(t, body).Details()) != 1 {
				t.Errorf("HTTP %d: %s", response.StatusCode, body)
			}
		})
	}
}

func TestRetryInfoBecomesRetryAfterRoundedUp(t *testing.T) {
	core := startFakeCore(t)
	core.fail = reasonedError(codes.ResourceExhausted, presencev1.ErrorReason_ERROR_REASON_OVERLOADED,
		1200*time.Millisecond, "busy").Err()
	web := startGateway(t, core, defaultLimits())

	response, _ := web.ask(t, http.MethodGet, alice+":hasSubscribers", "")

	if got := response.Header.Get("Retry-After"); response.StatusCode != http.StatusTooManyRequests || got != "2" {
		t.Errorf("HTTP %d, Retry-After %q", response.StatusCode, got)
	}
}

func TestA401NamesItsScheme(t *testing.T) {
	core := startFakeCore(t)
	core.fail = errorOfCore(codes.Unauthenticated, "TOKEN_EXPIRED")
	web := startGateway(t, core, defaultLimits())

	response, _ := web.ask(t, http.MethodGet, alice+":hasSubscribers", "")

	if got := response.Header.Get("WWW-Authenticate"); got != "Bearer" {
		t.Errorf("WWW-Authenticate %q", got)
	}
}

func TestACoreThatIsAwayIsA503WithReasonAndRetryAfter(t *testing.T) {
	nobody := dialer("unix:"+t.TempDir()+"/nobody.sock", defaultLimits())
	web := startGatewayTo(t, nobody, defaultLimits())

	for _, path := range []string{alice + ":hasSubscribers", alice + ":watch?watcher=sip:bob@example.com"} {
		response, body := web.ask(t, http.MethodGet, path, "")

		if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") != "1" {
			t.Errorf("%s: HTTP %d, Retry-After %q", path, response.StatusCode, response.Header.Get("Retry-After"))
		}
		if reasonOf(readStatus(t, body)) != presencev1.ErrorReason_ERROR_REASON_CORE_UNREACHABLE {
			t.Errorf("%s: %s", path, body)
		}
	}
}

func TestWhatTheGatewayItselfRefusesSaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		method, path, body string
		http               int
		code               codes.Code
		says               string
	}{
		"malformed JSON":              {http.MethodPost, alice + ":publish", `{"event":`, 400, codes.InvalidArgument, "unexpected"},
		"an unknown field":            {http.MethodPost, alice + ":publish", `{"evnet":"presence"}`, 400, codes.InvalidArgument, "evnet"},
		"a wrong type":                {http.MethodGet, "/v1/presentities?pageSize=many", "", 400, codes.InvalidArgument, "many"},
		"an unknown path":             {http.MethodGet, "/v1/watchers", "", 404, codes.NotFound, "/openapi.json"},
		"a wrong watch":               {http.MethodPost, "/v1/watch", `{"targets":1}`, 400, codes.InvalidArgument, "token"},
		"a wrong heartbeat":           {http.MethodGet, alice + ":watch?heartbeat=soon", "", 400, codes.InvalidArgument, "soon"},
		"a wrong method":              {http.MethodPut, alice + ":publish", "", 405, codes.Unimplemented, "PUT"},
		"a slash in a name":           {http.MethodGet, "/v1/domains/example.com/users/a%2Fb:hasSubscribers", "", 404, codes.NotFound, ""},
		"an escaped colon is no verb": {http.MethodPost, alice + "%3Apublish", "", 404, codes.NotFound, ""},
		"a form as a GET": {http.MethodPost, "/v1/presentities", "domain=example.com", 405, codes.Unimplemented,
			"POST"},
	} {
		t.Run(name, func(t *testing.T) {
			web := startGateway(t, startFakeCore(t), defaultLimits())

			response, body := web.ask(t, c.method, c.path, c.body, "Content-Type", contentTypeOf(c.body))

			st := readStatus(t, body)
			if response.StatusCode != c.http || st.Code() != c.code || !strings.Contains(st.Message(), c.says) {
				t.Errorf("HTTP %d: %s", response.StatusCode, body)
			}
			if c.http == http.StatusBadRequest &&
				reasonOf(st) != presencev1.ErrorReason_ERROR_REASON_INVALID_FIELD {
				t.Errorf("no reason INVALID_FIELD: %s", body)
			}
		})
	}
}

func contentTypeOf(body string) string {
	if strings.HasPrefix(body, "{") {
		return "application/json"
	}
	return "application/x-www-form-urlencoded"
}
