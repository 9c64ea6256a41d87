package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// coreTarget turns the value of --core, "HOST:PORT" or "unix:PATH", into a gRPC target.
func coreTarget(address string) (string, error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		if path == "" {
			return "", fmt.Errorf("--core %q: unix: needs the path of a socket", address)
		}
		return address, nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return "", fmt.Errorf("--core %q: want HOST:PORT or unix:PATH", address)
	}
	return "dns:///" + address, nil
}

// maxAnswerBytes admits the largest page of a list: 1000 publications of 32 KiB and what comes with them.
const maxAnswerBytes = 64 << 20

// dialer makes connections that are set up with their first call and again whenever they are lost. Calls fail at
// once while that cannot be.
func dialer(target string, l limits, options ...grpc.DialOption) func() (*grpc.ClientConn, error) {
	options = append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithNoProxy(), // HTTP_PROXY is for the way out, not for the core next door.
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswerBytes)),
		grpc.WithUnaryInterceptor(withDeadline(l.callTime)),
	}, options...)
	return func() (*grpc.ClientConn, error) { return grpc.NewClient(target, options...) }
}

// withDeadline gives unary calls a deadline where the client asked for none.
func withDeadline(limit time.Duration) grpc.UnaryClientInterceptor {
	return func(ctx context.Context, method string, request, reply any, connection *grpc.ClientConn,
		invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		if _, ok := ctx.Deadline(); !ok {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, limit)
			defer cancel()
		}
		return invoke(ctx, method, request, reply, connection, options...)
	}
}
