# One image for what runs in a cluster: the Job that migrates, init containers that wait, the exporter of metrics.
# The engine and this repository's domains; no embedded server, no tools of development, no compiler, no pip.
#   docker build -t registry.example.org/migrations:1.4.0 .
ARG BASE=python:3.12-slim

FROM ${BASE} AS build
# Of the engine, with commas between them: metrics, otel, routing.
ARG EXTRAS=metrics
WORKDIR /src
# What there is to copy, .dockerignore says.
COPY . .
RUN python3 -m venv --without-pip /opt/bgce-migrate \
 && python3 -m pip --python /opt/bgce-migrate/bin/python install --no-cache-dir ".[${EXTRAS}]" ./plugins

FROM ${BASE}
WORKDIR /srv/migrations
ENV PATH=/opt/bgce-migrate/bin:$PATH
COPY --from=build /opt/bgce-migrate /opt/bgce-migrate
# Read, never written: the container may have a read-only root.
COPY bgce.toml bgce.lock ./
COPY migrations migrations
USER 10001:10001
ENTRYPOINT ["bgce-migrate"]
CMD ["--help"]
