# You can use a base image from your own registry; it needs Node >= 22.18 and npm.
ARG NODE_IMAGE=node:24-bookworm-slim

# Both stages build the same for every architecture: better-sqlite3 includes its binaries for all of them.
FROM --platform=${BUILDPLATFORM} ${NODE_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# Runs no install scripts: the image has its own Node, and better-sqlite3 includes its binaries.
RUN npm ci --ignore-scripts
COPY . .
RUN node scripts/build.ts

FROM --platform=${BUILDPLATFORM} ${NODE_IMAGE} AS dependencies
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# Removes the sources of SQLite, which are needed only to compile it.
RUN npm ci --omit=dev --ignore-scripts \
  && rm -r node_modules/better-sqlite3/deps node_modules/better-sqlite3/src

FROM ${NODE_IMAGE}
ARG NODE_IMAGE
LABEL org.opencontainers.image.title="azure-lattice-sync" \
      org.opencontainers.image.description="Keeps a company's Lattice accounts equal to its Entra ID directory." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="${NODE_IMAGE}"
# "container" tells the program that it runs in a container, where no other users are, even if the platform leaves no sign of it.
ENV NODE_ENV=production \
    container=oci \
    ALS_STATE_DEFAULT=/app/state/azure-lattice-sync.db
WORKDIR /app
COPY --from=dependencies /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY --from=build /build/src/state/sqlite/migrations ./src/state/sqlite/migrations
COPY --from=build /build/src/state/postgres/schema/migrations ./src/state/postgres/schema/migrations
COPY --from=build /build/src/report/page ./src/report/page
COPY --from=build /build/src/daemon/http/page ./src/daemon/http/page
COPY --from=build /build/config ./config
COPY --from=build /build/package.json /build/LICENSE ./
# Only the state folder is written to; everything else may be mounted read-only. The link makes
# "docker exec CONTAINER azure-lattice-sync status" work.
RUN mkdir state && chown 10001:10001 state && chmod 0700 state \
  && ln -s /app/dist/start.cjs /usr/local/bin/azure-lattice-sync
VOLUME /app/state
USER 10001:10001
EXPOSE 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9464/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--disable-sigusr1", "/app/dist/start.cjs"]
CMD ["daemon"]
