# One image a process, all from the same sources:
#   docker build --target presence-core -t presence-core .      (sip-gateway, web-gateway, presencectl)
# Builder and images are the same Debian, so what was linked against is what is installed. The runtime packages
# are those whose libraries each program was linked with, found in the builder: the list cannot grow old.
ARG DEBIAN=debian:12-slim

# ---- Builders ----------------------------------------------------------------------------------------------
FROM ${DEBIAN} AS cpp
WORKDIR /src
COPY deploy/build-packages deploy/build-packages
RUN apt-get update \
 && grep -v '^#' deploy/build-packages | xargs apt-get install -y --no-install-recommends \
 && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cmake --preset release \
 && cmake --build build/release --target presence-core sip-gateway presencectl
RUN mkdir /packages \
 && for program in presence-core sip-gateway presencectl; do \
      deploy/runtime-packages.sh "build/release/bin/$program" >"/packages/$program" || exit 1; \
    done

FROM ${DEBIAN} AS go
WORKDIR /src
# A mirror of the Go module proxy, where there is one: --build-arg GOPROXY=...
ARG GOPROXY
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates golang-go libprotobuf-dev protobuf-compiler \
 && rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt CMakeLists.txt
COPY proto proto
COPY web-gateway web-gateway
RUN web-gateway/build.sh build/release/bin

# ---- What every image has ----------------------------------------------------------------------------------
FROM ${DEBIAN} AS runtime
RUN useradd --uid 7460 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin presence
COPY deploy/healthcheck.sh /usr/local/bin/healthcheck.sh

# ---- Images ------------------------------------------------------------------------------------------------
# The user is a number, so that a cluster which refuses root can see that it is none. A health check asks the
# default ports; a container that listens elsewhere states its own.
FROM runtime AS presence-core
COPY --from=cpp /packages/presence-core /tmp/packages
RUN apt-get update \
 && xargs -a /tmp/packages apt-get install -y --no-install-recommends \
 && rm -rf /var/lib/apt/lists/* /tmp/packages
COPY --from=cpp /src/build/release/bin/presence-core /usr/local/bin/presence-core
USER 7460:7460
EXPOSE 7460 7461
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s --retries=3 \
  CMD ["healthcheck.sh", "http", "7461", "/ready"]
ENTRYPOINT ["presence-core"]

FROM runtime AS sip-gateway
COPY --from=cpp /packages/sip-gateway /tmp/packages
RUN apt-get update \
 && xargs -a /tmp/packages apt-get install -y --no-install-recommends \
 && rm -rf /var/lib/apt/lists/* /tmp/packages
COPY --from=cpp /src/build/release/bin/sip-gateway /usr/local/bin/sip-gateway
USER 7460:7460
EXPOSE 5060/udp 5060/tcp 7463
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
  CMD ["healthcheck.sh", "sip", "5060"]
ENTRYPOINT ["sip-gateway"]

FROM runtime AS web-gateway
COPY --from=go /src/build/release/bin/web-gateway /usr/local/bin/web-gateway
USER 7460:7460
EXPOSE 7462
HEALTHCHECK --interval=5s --timeout=3s --start-period=5s --retries=3 \
  CMD ["healthcheck.sh", "http", "7462", "/ready"]
ENTRYPOINT ["web-gateway"]

FROM runtime AS presencectl
COPY --from=cpp /packages/presencectl /tmp/packages
RUN apt-get update \
 && xargs -a /tmp/packages apt-get install -y --no-install-recommends \
 && rm -rf /var/lib/apt/lists/* /tmp/packages
COPY --from=cpp /src/build/release/bin/presencectl /usr/local/bin/presencectl
USER 7460:7460
# No HEALTHCHECK: it runs a command and ends.
ENTRYPOINT ["presencectl"]
