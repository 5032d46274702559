# Two images from one file:
#   docker build -t log-export-gateway .                      the service, for production
#   docker build -t log-export-emulator --target emulator .   the emulator of AWS, for tests only
#
# The final images have no shell, no package manager and no npm. For a repeatable build, pin both base
# images by digest with --build-arg.
ARG BUILD_IMAGE=node:24-trixie-slim
ARG RUNTIME_IMAGE=gcr.io/distroless/cc-debian13:nonroot

FROM ${BUILD_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --workspaces=false --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

# The bundler alone, in the version of the lock file, which also has the hash of its content.
FROM ${BUILD_IMAGE} AS bundler
WORKDIR /bundler
COPY package.json package-lock.json ./
RUN npm pkg set "dependencies={\"rolldown\":$(npm pkg get devDependencies.rolldown)}" --json \
 && npm pkg delete devDependencies optionalDependencies workspaces \
 && npm install --ignore-scripts --no-audit --no-fund

# The code of the service and of its packages in few files, because finding and linking 1,700 files takes most
# of a start.
FROM packages AS bundle
COPY --from=bundler /bundler/node_modules /node_modules
COPY rolldown.config.ts ./
COPY src src
RUN npm run bundle

# The bundle, with the compile cache of V8. The build makes it because the running service cannot write.
# V8 uses it only with the same version, options, kind of processor and user id. Otherwise the start is slower.
# An import of the other doors would run them.
FROM packages AS gateway-files
USER 65532:65532
COPY --from=bundle --chown=65532:65532 /app/dist dist
RUN NODE_COMPILE_CACHE=dist/.compiled node --optimize-for-size -e "fs.globSync('dist/*.js', { exclude: ['dist/migrate.js', 'dist/verify.js', 'dist/log-export.js'] }).forEach((file) => import('./' + file))"

# An empty directory, because the final image has no shell to make one. Its group has the rights of its
# user: OpenShift runs containers as any user of group 0.
FROM ${BUILD_IMAGE} AS empty
WORKDIR /data
RUN chmod g=u .

# The runtime uses the Node of the build, so that the compile cache fits.
FROM ${RUNTIME_IMAGE} AS runtime
WORKDIR /app
COPY --from=packages /usr/local/bin/node /usr/local/bin/node
ENV NODE_ENV=production HOST=0.0.0.0
# A number, so that Kubernetes can check that it is not root.
USER 65532:65532
STOPSIGNAL SIGTERM

FROM runtime AS emulator
LABEL org.opencontainers.image.title="log-export-emulator" \
      org.opencontainers.image.description="An emulator of CloudWatch Logs export tasks, for trying out log-export-gateway." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
ENV EMULATOR_PORT=4566
# The emulator has no dependencies, so the image has no node_modules.
COPY emulator/package.json ./
COPY emulator/src src
EXPOSE 4566
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
  CMD ["node", "-e", "http.get({ host: '127.0.0.1', port: process.env.EMULATOR_PORT, path: '/_emulator/clock' }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1))"]
ENTRYPOINT ["node", "src/bin/main.ts"]

FROM runtime AS gateway
LABEL org.opencontainers.image.title="log-export-gateway" \
      org.opencontainers.image.description="HTTP service in front of CloudWatch Logs export tasks: one service role, REST for its callers." \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
# Half of the memory limit is for long-lived objects, and at most 12 MB for short-lived ones. The rest is
# for memory outside of the heap: Node itself, sockets, TLS. The limit must be 192 MiB or more.
# With --optimize-for-size V8 collects garbage sooner: 30 MiB less memory, and a tenth more CPU per create.
ENV PORT=8080 \
    DATA_DIR=/data \
    NODE_COMPILE_CACHE=dist/.compiled \
    NODE_OPTIONS="--max-old-space-size-percentage=50 --max-semi-space-size=4"
COPY --from=packages /app ./
COPY --from=gateway-files --chown=0:0 /app/dist dist
# The only directory that the service writes to. With DATABASE_URL or EXPORT_JOBS=off it writes nothing.
COPY --from=empty --chown=65532:0 /data /data
VOLUME ["/data"]
EXPOSE 8080
# Liveness, not readiness: a restart does not end an outage of AWS.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
  CMD ["node", "-e", "(process.env.TLS_CERT_FILE ? https : http).get({ host: '127.0.0.1', port: process.env.PORT, path: '/health/live', rejectUnauthorized: false }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1))"]
ENTRYPOINT ["node", "--optimize-for-size", "dist/main.js"]
