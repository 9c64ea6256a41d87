package main

import (
	"testing"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"

	"presence/web-gateway/gen/presencev1"
)

func marshalItem(t *testing.T, item *presencev1.WatchResponse) string {
	t.Helper()
	text, err := eventStream{&runtime.JSONPb{}}.Marshal(map[string]any{"result": item})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestNoItemIsNamedLikeAnEventOfEventSourceItself(t *testing.T) {
	fields := (&presencev1.WatchResponse{}).ProtoReflect().Descriptor().Oneofs().ByName("item").Fields()
	if fields.Len() == 0 {
		t.Fatal("no kinds of item")
	}
	for i := range fields.Len() {
		switch name := fields.Get(i).Name(); name {
		case "error", "open", "message":
			t.Errorf("an item is named %s", name)
		}
	}
}

func TestAnItemOfANewerCoreOnlyMovesTheToken(t *testing.T) {
	if got := marshalItem(t, &presencev1.WatchResponse{ResumeToken: "t1"}); got != "id: t1\n" {
		t.Errorf("got %q", got)
	}
}

func TestATokenThatWouldBreakTheFramingIsLeftOut(t *testing.T) {
	for _, token := range []string{"", "a\nevent: forged", "a\rb", "a\x00b"} {
		got := marshalItem(t, &presencev1.WatchResponse{ResumeToken: token})
		if got != "" {
			t.Errorf("%q became %q", token, got)
		}
	}
}

func TestWhatIsNoChunkOfAStreamIsRefused(t *testing.T) {
	if _, err := (eventStream{&runtime.JSONPb{}}).Marshal(&presencev1.WatchResponse{}); err == nil {
		t.Error("a bare message was taken")
	}
}
