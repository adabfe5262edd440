# The processor as a container image: docker build -t semantic-router:0.1.0 .
# How it is run: docs/docker.md. Why it is built so: docs/decisions/0016-image.md.

# The Node.js that the tests run on (devDependencies of package.json).
ARG NODE_VERSION=24.21.0

# TypeScript to JavaScript: the same for every target, so it runs as the machine that builds.
FROM --platform=$BUILDPLATFORM node:${NODE_VERSION}-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build

# The packages that run. They carry ONNX Runtime for every platform; what stays is the target's.
FROM --platform=$BUILDPLATFORM node:${NODE_VERSION}-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
COPY scripts/image/prune.ts ./
ARG TARGETARCH
RUN node prune.ts node_modules "$TARGETARCH"

# Node.js for the target, without npm and what it is built upon.
FROM node:${NODE_VERSION}-bookworm-slim AS node

# glibc, the C++ library, certificates and the user nonroot; no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot AS program
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/LICENSE /usr/local/share/doc/node/LICENSE
WORKDIR /app
COPY LICENSE package.json ./
COPY --from=packages /app/node_modules node_modules
COPY models models
COPY proto proto
COPY envoy/envoy.yaml envoy/envoy.yaml
COPY --from=build /app/dist dist

# One start and one health check on the target's processor: an image that does not start is not built, and what Node.js
# compiles meanwhile need not be compiled at every start in a read-only file system.
FROM program AS compiled
COPY examples/config/quickstart.yaml scripts/image/warm.ts /tmp/
USER 65532:65532
ENV NODE_COMPILE_CACHE=/tmp/compiled
RUN ["node", "--min-semi-space-size=16", "--max-semi-space-size=16", "--max-old-space-size=2048", "/tmp/warm.ts", "/tmp/quickstart.yaml"]

FROM program AS image
# Node.js finds what it compiled under the name of the user who did; under any other it compiles anew.
COPY --from=compiled --chown=65532:65532 /tmp/compiled compiled
ENV NODE_COMPILE_CACHE=/app/compiled
USER 65532:65532
EXPOSE 50051 9190
STOPSIGNAL SIGTERM
# It asks the port that server.listen of the configuration names.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --start-interval=1s --retries=3 CMD ["node", "dist/main.js", "health"]
# The flags are processor_flags of package.json.
ENTRYPOINT ["node", "--min-semi-space-size=16", "--max-semi-space-size=16", "--max-old-space-size=2048", "dist/main.js"]
ARG VERSION=0.1.0
ARG REVISION
ARG CREATED
LABEL org.opencontainers.image.title="semantic-router" \
      org.opencontainers.image.description="Traced, semantic routing of LLM traffic behind Envoy: an ext_proc external processor." \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="gcr.io/distroless/cc-debian12:nonroot" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
