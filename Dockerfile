# syntax=docker/dockerfile:1

# Builds with everything; keeps what runs.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist

# The only folder that is ever written to, and only when keys are not given by the configuration: run with a read-only
# root (`docker run --read-only`) and mount a volume here, or give all keys by `{"Env": …}` or `{"File": …}`.
RUN mkdir -p /etc/sallyport /var/lib/sallyport && chown node:node /var/lib/sallyport
ENV Server__StateDirectory=/var/lib/sallyport
VOLUME /var/lib/sallyport

USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
  CMD ["node", "-e", "fetch(process.env.HEALTH_URL ?? 'http://127.0.0.1:9464/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# No shell and no npm in between: SIGTERM reaches the process, which drains.
ENTRYPOINT ["node", "dist/main.js"]
CMD ["start", "--config", "/etc/sallyport/frontends.json"]
