package main

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/durationpb"

	"presence/web-gateway/gen/presencev1"
)

// httpStatusOf maps each ErrorReason to the HTTP code that the comments of errors.proto document; the SIP and
// gRPC tables are in sip-gateway/translate and presence-core/rpc. A test compares it with those comments.
var httpStatusOf = map[presencev1.ErrorReason]int{
	presencev1.ErrorReason_ERROR_REASON_INVALID_URI:           http.StatusBadRequest,
	presencev1.ErrorReason_ERROR_REASON_INVALID_FIELD:         http.StatusBadRequest,
	presencev1.ErrorReason_ERROR_REASON_BAD_DOCUMENT:          http.StatusBadRequest,
	presencev1.ErrorReason_ERROR_REASON_DOCUMENT_TOO_LARGE:    http.StatusRequestEntityTooLarge,
	presencev1.ErrorReason_ERROR_REASON_UNKNOWN_EVENT:         http.StatusBadRequest,
	presencev1.ErrorReason_ERROR_REASON_UNSUPPORTED_CONTENT:   http.StatusUnsupportedMediaType,
	presencev1.ErrorReason_ERROR_REASON_NOT_ACCEPTABLE:        http.StatusNotAcceptable,
	presencev1.ErrorReason_ERROR_REASON_INTERVAL_TOO_BRIEF:    http.StatusBadRequest,
	presencev1.ErrorReason_ERROR_REASON_ETAG_MISMATCH:         http.StatusPreconditionFailed,
	presencev1.ErrorReason_ERROR_REASON_SUBSCRIPTION_UNKNOWN:  http.StatusNotFound,
	presencev1.ErrorReason_ERROR_REASON_USER_UNKNOWN:          http.StatusNotFound,
	presencev1.ErrorReason_ERROR_REASON_CSEQ_TOO_OLD:          http.StatusConflict,
	presencev1.ErrorReason_ERROR_REASON_WATCHER_BLOCKED:       http.StatusForbidden,
	presencev1.ErrorReason_ERROR_REASON_SCOPE_MISSING:         http.StatusForbidden,
	presencev1.ErrorReason_ERROR_REASON_TOKEN_EXPIRED:         http.StatusUnauthorized,
	presencev1.ErrorReason_ERROR_REASON_TOKEN_INVALID:         http.StatusUnauthorized,
	presencev1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED:     http.StatusConflict,
	presencev1.ErrorReason_ERROR_REASON_QUOTA_EXCEEDED:        http.StatusTooManyRequests,
	presencev1.ErrorReason_ERROR_REASON_OVERLOADED:            http.StatusTooManyRequests,
	presencev1.ErrorReason_ERROR_REASON_STORAGE_UNAVAILABLE:   http.StatusServiceUnavailable,
	presencev1.ErrorReason_ERROR_REASON_DRAINING:              http.StatusServiceUnavailable,
	presencev1.ErrorReason_ERROR_REASON_NOT_SERVED_YET:        http.StatusNotImplemented,
	presencev1.ErrorReason_ERROR_REASON_BAD_TOKEN:             http.StatusBadRequest,
	presencev1.ErrorReason_ERROR_REASON_PUBLICATION_UNKNOWN:   http.StatusNotFound,
	presencev1.ErrorReason_ERROR_REASON_INTERNAL:              http.StatusInternalServerError,
	presencev1.ErrorReason_ERROR_REASON_CORE_UNREACHABLE:      http.StatusServiceUnavailable,
	presencev1.ErrorReason_ERROR_REASON_DIALOG_EVENT_MISMATCH: http.StatusConflict,
}

const (
	errorDomain  = "presence"
	reasonPrefix = "ERROR_REASON_"
	// How soon a client should try again after a failure that is this gateway's to report.
	retryDelay = time.Second
)

// reasonedError makes the status that the contract promises for `reason`: one ErrorInfo, and RetryInfo if
// `retry` is not 0.
func reasonedError(code codes.Code, reason presencev1.ErrorReason, retry time.Duration, message string) *status.Status {
	plain := status.New(code, message)
	info := &errdetails.ErrorInfo{
		Domain: errorDomain,
		Reason: strings.TrimPrefix(reason.String(), reasonPrefix),
	}
	detailed, err := plain.WithDetails(info)
	if err == nil && retry > 0 {
		detailed, err = detailed.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(retry)})
	}
	if err != nil { // Only an OK status cannot carry details.
		return plain
	}
	return detailed
}

// reasonOf returns the ErrorReason a status carries; UNSPECIFIED if it has none or one newer than this gateway.
func reasonOf(st *status.Status) presencev1.ErrorReason {
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == errorDomain {
			return presencev1.ErrorReason(presencev1.ErrorReason_value[reasonPrefix+info.GetReason()])
		}
	}
	return presencev1.ErrorReason_ERROR_REASON_UNSPECIFIED
}

// retryDelayOf returns the delay of the status's RetryInfo, or 0.
func retryDelayOf(st *status.Status) time.Duration {
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration()
		}
	}
	return 0
}

func hasErrorInfo(st *status.Status) bool {
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == errorDomain {
			return true
		}
	}
	return false
}

// statusOf turns any error of a call into the status to show: details that JSON cannot express are left out,
// and errors that did not come from the core get their reason here.
func statusOf(err error) *status.Status {
	st := withoutUnknownDetails(status.Convert(err))
	if hasErrorInfo(st) {
		return st
	}
	switch st.Code() {
	case codes.Unavailable: // The core gives a reason; only the transport to it does not.
		return reasonedError(codes.Unavailable, presencev1.ErrorReason_ERROR_REASON_CORE_UNREACHABLE, retryDelay,
			"the presence core cannot be reached: "+st.Message())
	case codes.InvalidArgument: // Routes and JSON are read here, before the core sees anything.
		return reasonedError(codes.InvalidArgument, presencev1.ErrorReason_ERROR_REASON_INVALID_FIELD, 0, st.Message())
	}
	return st
}

// withoutUnknownDetails drops details whose type is not linked in. protojson refuses the whole message for one
// of them, and the answer would be a bare 500.
func withoutUnknownDetails(st *status.Status) *status.Status {
	var known *spb.Status
	for i, detail := range st.Proto().GetDetails() {
		_, err := detail.UnmarshalNew()
		if err != nil && known == nil {
			known = &spb.Status{Code: int32(st.Code()), Message: st.Message(), Details: st.Proto().GetDetails()[:i]}
		} else if err == nil && known != nil {
			known.Details = append(known.Details, detail)
		}
	}
	if known == nil {
		return st
	}
	return status.FromProto(known)
}

// httpStatus returns the HTTP code of a status: by its reason, or by its gRPC code where it has none.
func httpStatus(st *status.Status) int {
	if code, ok := httpStatusOf[reasonOf(st)]; ok {
		return code
	}
	return runtime.HTTPStatusFromCode(st.Code())
}

// writeStatus answers with `st` as JSON. It is always JSON: a browser's EventSource reads nothing but the code
// of a refused stream, and everybody else prefers to see why.
func writeStatus(w http.ResponseWriter, httpCode int, st *status.Status) {
	body, err := protojson.Marshal(st.Proto())
	if err != nil {
		slog.Error("an error status cannot be written as JSON", "code", st.Code(), "error", err)
		body = []byte(`{"code":13,"message":"failed to marshal error message"}`)
		httpCode = http.StatusInternalServerError
	}
	header := w.Header()
	header.Del("Trailer")
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	if delay := retryDelayOf(st); delay > 0 {
		// RFC 9110 section 10.2.3: whole seconds. Rounded up, or clients come back too early.
		header.Set("Retry-After", strconv.FormatInt(int64(math.Ceil(delay.Seconds())), 10))
	}
	if httpCode == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", "Bearer") // RFC 9110 section 15.5.2: a 401 must name a scheme.
	}
	w.WriteHeader(httpCode)
	_, _ = w.Write(body) // A client that has gone cannot be told.
}

// handleError is the mux's error handler.
func handleError(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter,
	r *http.Request, err error) {
	var malformed *runtime.HTTPStatusError
	if errors.As(err, &malformed) {
		st := reasonedError(codes.InvalidArgument, presencev1.ErrorReason_ERROR_REASON_INVALID_FIELD, 0,
			malformed.Err.Error())
		writeStatus(w, malformed.HTTPStatus, st)
		return
	}
	st := statusOf(err)
	httpCode := httpStatus(st)
	if httpCode == http.StatusInternalServerError {
		slog.Error("call failed", "method", r.Method, "path", r.URL.Path, "code", st.Code(), "error", st.Message())
	}
	writeStatus(w, httpCode, st)
}

// handleRoutingError answers requests that no route takes. 405 and not the mux's own 501: the method is known,
// only not here.
func handleRoutingError(_ context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter,
	r *http.Request, httpCode int) {
	code, message := codes.NotFound, "no such path: "+r.URL.Path+"; /openapi.json lists them all"
	switch httpCode {
	case http.StatusMethodNotAllowed:
		code, message = codes.Unimplemented, r.URL.Path+" does not take "+r.Method
	case http.StatusBadRequest:
		code, message = codes.InvalidArgument, "the path does not start with /"
	}
	writeStatus(w, httpCode, status.New(code, message))
}
