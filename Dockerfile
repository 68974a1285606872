# The image is the binary, the certificates of authorities, and nothing else: no
# shell, no packages, nobody's account. GoReleaser puts the binary beside this file.
FROM gcr.io/distroless/static-debian12:nonroot AS certificates

FROM scratch
ARG TARGETPLATFORM
COPY --from=certificates /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY ${TARGETPLATFORM}/edrctl /usr/bin/edrctl
# An empty folder of nobody's, for the record of changes and for sessions. Mount a
# volume there to keep them.
COPY --from=certificates --chown=65534:65534 /home/nonroot /var/lib/edrctl
USER 65534:65534
ENV XDG_STATE_HOME=/var/lib/edrctl XDG_CACHE_HOME=/var/lib/edrctl/cache
VOLUME ["/var/lib/edrctl"]
ENTRYPOINT ["/usr/bin/edrctl"]
