# An image of one static program and the certificates that it needs: no shell, nobody's root, and
# nothing to write to but the volume. How it is used: docs/container.md.

# The toolchain of `rust-version` in Cargo.toml, pinned by its tag. What the tag stands for is pinned
# by `--build-arg RUST=rust@sha256:…`, with the digest that your registry gives.
ARG RUST=rust:1.95.0-slim-bookworm

FROM ${RUST} AS build
# `dev` is built in a quarter of the time, for who tries the image out.
ARG PROFILE=release
WORKDIR /src
COPY . .
# With the C library within. It looks names up by itself where there is no nsswitch.conf, so it needs
# no file of the system's. `--target` keeps the flag away from what runs while building.
RUN RUSTFLAGS="-C target-feature=+crt-static" \
    cargo build --locked --profile "$PROFILE" --target host-tuple \
 && mkdir -p /image/etc/ssl/certs /image/tmp /image/usr/local/bin /volume \
 && cp target/*/*/codexway /image/usr/local/bin/ \
 && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
 && echo 'codexway:x:65532:65532::/var/lib/codexway:/sbin/nologin' >/image/etc/passwd \
 && echo 'codexway:x:65532:' >/image/etc/group \
 && chmod 1777 /image/tmp && chmod 0700 /volume

FROM scratch
LABEL org.opencontainers.image.title="codexway" \
      org.opencontainers.image.description="Your own ChatGPT plan or API key as an OpenAI-compatible endpoint" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /image/ /
COPY --from=build --chown=65532:65532 /volume/ /var/lib/codexway/
# Logins, the local key and what is kept between turns lie in the volume; settings are read from
# /etc/codexway/config.toml, where one is mounted.
ENV HOME=/var/lib/codexway \
    XDG_CONFIG_HOME=/etc \
    XDG_DATA_HOME=/var/lib \
    CODEXWAY_KEY_FILE=/var/lib/codexway/key \
    CODEXWAY__SERVER__LISTEN=0.0.0.0:7531
USER 65532:65532
VOLUME /var/lib/codexway
EXPOSE 7531
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=15s --start-period=5s CMD ["codexway", "health"]
ENTRYPOINT ["codexway"]
CMD ["serve"]
