// Pins the Go that install-go.sh fetches where the machine has none that is new enough: its go.sum holds the
// checksums. No code belongs to this module.
module presence/web-gateway/toolchain

go 1.19
