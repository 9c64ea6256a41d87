// web-gateway serves presence to browsers and scripts: the contract in proto/presence/v1 as REST/JSON, Watch
// as Server-Sent Events or JSON lines. It keeps no state; presence-core has it all.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc/grpclog"
)

const usage = `Usage: web-gateway [flags]

Serves presence-core as REST/JSON; watching as Server-Sent Events or JSON lines.

Flags:
%s
Examples:
  web-gateway
  web-gateway --core unix:/run/presence/core.sock
  web-gateway --listen 127.0.0.1:8080 --cors-origin https://app.example.com
`

// stopTime is what requests get to finish after SIGTERM.
const stopTime = 5 * time.Second

type settings struct {
	listen  string
	core    string
	origins originList
	limits  limits
}

// originList collects --cors-origin, which may be repeated or hold a list.
type originList []string

func (l *originList) String() string { return strings.Join(*l, ",") }

func (l *originList) Set(value string) error {
	for _, origin := range strings.Split(value, ",") {
		*l = append(*l, strings.TrimSpace(origin))
	}
	return nil
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // A second signal ends the process the ordinary way.
	quietGRPC()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// quietGRPC silences the libraries' own log unless somebody asks for it: they call every client that goes away
// an error, and what they say of the core is in the answers anyway.
func quietGRPC() {
	if os.Getenv("GRPC_GO_LOG_SEVERITY_LEVEL") == "" {
		grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
	}
}

// run is the whole program: it serves until `ctx` is done. Returns the exit code: 0 stopped as asked, 1 failed,
// 2 wrong usage.
func run(ctx context.Context, arguments []string, out, errOut io.Writer) int {
	chosen, code, done := parse(arguments, out, errOut)
	if done {
		return code
	}
	log := slog.New(slog.NewTextHandler(errOut, nil))
	slog.SetDefault(log)
	if err := serve(ctx, chosen, log); err != nil {
		fmt.Fprintln(errOut, "web-gateway:", err)
		return 1
	}
	return 0
}

// parse reads the command line; `done` tells that nothing is left to do.
func parse(arguments []string, out, errOut io.Writer) (chosen settings, code int, done bool) {
	chosen.limits = defaultLimits()
	flags := flag.NewFlagSet("web-gateway", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&chosen.listen, "listen", "127.0.0.1:7462", "`ADDRESS` to serve HTTP on")
	flags.StringVar(&chosen.core, "core", "127.0.0.1:7460", "`ADDRESS` of presence-core: HOST:PORT or unix:PATH")
	flags.Var(&chosen.origins, "cors-origin",
		"`ORIGIN` whose pages may use this gateway, such as https://app.example.com;\nrepeatable, default none")
	flags.Int64Var(&chosen.limits.maxBodyBytes, "max-body-bytes", chosen.limits.maxBodyBytes,
		"largest request body in `BYTES`")
	flags.IntVar(&chosen.limits.maxWatches, "max-watches", chosen.limits.maxWatches,
		"most watch streams at once, a `NUMBER`")
	showVersion := flags.Bool("version", false, "print the version and exit")

	err := flags.Parse(arguments)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintf(out, usage, flagHelp(flags))
		return chosen, 0, true
	case err != nil:
	case flags.NArg() > 0:
		err = fmt.Errorf("%q is not a flag", flags.Arg(0))
	case chosen.limits.maxBodyBytes < 1:
		err = fmt.Errorf("--max-body-bytes %d: want at least 1", chosen.limits.maxBodyBytes)
	case chosen.limits.maxWatches < 1:
		err = fmt.Errorf("--max-watches %d: want at least 1", chosen.limits.maxWatches)
	}
	if err != nil {
		fmt.Fprintf(errOut, "web-gateway: %v; see web-gateway --help\n", err)
		return chosen, 2, true
	}
	if *showVersion {
		fmt.Fprintln(out, "web-gateway", version)
		return chosen, 0, true
	}
	return chosen, 0, false
}

// flagHelp is flag.PrintDefaults with the two dashes that the rest of the system has.
func flagHelp(flags *flag.FlagSet) string {
	var text strings.Builder
	flags.VisitAll(func(f *flag.Flag) {
		operand, help := flag.UnquoteUsage(f)
		fmt.Fprintf(&text, "  %-27s%s", "--"+f.Name+" "+operand, strings.ReplaceAll(help, "\n", "\n"+strings.Repeat(" ", 29)))
		if f.DefValue != "" && f.DefValue != "false" {
			fmt.Fprintf(&text, " (default %s)", f.DefValue)
		}
		text.WriteByte('\n')
	})
	return text.String()
}

// serve listens until `ctx` is done, then ends the streams and lets requests finish.
func serve(ctx context.Context, chosen settings, log *slog.Logger) error {
	target, err := coreTarget(chosen.core)
	if err != nil {
		return err
	}
	g, err := newGateway(dialer(target, chosen.limits), chosen.limits)
	if err != nil {
		return err
	}
	defer g.close()
	handler, err := g.handler(chosen.origins)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", chosen.listen)
	if err != nil {
		return fmt.Errorf("--listen %q: %w", chosen.listen, err)
	}

	// No WriteTimeout: it would cut every watch stream. limits.go bounds each write instead.
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	log.Info("serving", "url", "http://"+listener.Addr().String(), "core", chosen.core)
	if address, ok := listener.Addr().(*net.TCPAddr); ok && !address.IP.IsLoopback() {
		log.Warn("anybody who reaches this address may publish, watch and administer: there are no tokens yet",
			"address", address.String())
	}

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping")
	g.drain()
	grace, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		log.Warn("requests cut off", "error", err)
		return server.Close()
	}
	return nil
}
