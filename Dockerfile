# syntax=docker/dockerfile:1

# Builds with everything; keeps what runs. Dependabot's `docker` updates raise the version and the digest of all platforms together.
FROM node:24.21.0-bookworm-slim@sha256:d6aa754f16b3197301076f047b5def2f02ea1dbbc2ca920407d46d7ec7f87b20 AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/bundle.mjs ./scripts/
COPY src ./src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:24.21.0-bookworm-slim@sha256:d6aa754f16b3197301076f047b5def2f02ea1dbbc2ca920407d46d7ec7f87b20
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist

# The only folder that is ever written to: run with a read-only root (`docker run --read-only`), and mount a volume here.
RUN mkdir -p /etc/sallyport /var/lib/sallyport && chown 1000:1000 /var/lib/sallyport && chmod 700 /var/lib/sallyport
VOLUME /var/lib/sallyport

# In a container these say where it listens, whatever the file says. Admin listener and health check belong together.
ENV Server__Listen=0.0.0.0:3000 \
    Server__AdminListen=127.0.0.1:9464 \
    Server__StateDirectory=/var/lib/sallyport

# By number: `runAsNonRoot` of Kubernetes cannot tell who a name is.
USER 1000:1000
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --start-interval=1s \
  CMD ["node", "-e", "fetch(`http://${process.env.Server__AdminListen.replace('0.0.0.0', '127.0.0.1')}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# No shell and no npm in between: as process 1 it takes SIGTERM itself and drains. It needs no init: it starts no process that it does not wait for.
ENTRYPOINT ["node", "dist/main.js"]
CMD ["start", "--config", "/etc/sallyport/frontends.json"]
