# The image is the binary, the certificates of authorities, the licences, and
# nothing else: no shell, no packages, nobody's account. GoReleaser puts the binary
# and the licences beside this file.
FROM gcr.io/distroless/static-debian12:nonroot AS certificates

FROM scratch
ARG TARGETPLATFORM
COPY --from=certificates /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY LICENSE bin/THIRD-PARTY-NOTICES.txt /usr/share/doc/edrctl/
COPY ${TARGETPLATFORM}/edrctl /usr/bin/edrctl
# An empty folder of nobody's, for the record of changes, for sessions and for what
# the mock servers need. Mount a volume there to keep it; the rest may be read-only.
COPY --from=certificates --chown=65534:65534 /home/nonroot /var/lib/edrctl
# The configuration is expected in /etc/edrctl/config.yaml.
ENV XDG_CONFIG_HOME=/etc XDG_STATE_HOME=/var/lib/edrctl XDG_CACHE_HOME=/var/lib/edrctl/cache TMPDIR=/var/lib/edrctl
USER 65534:65534
VOLUME ["/var/lib/edrctl"]
ENTRYPOINT ["/usr/bin/edrctl"]
