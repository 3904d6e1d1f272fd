import { z } from 'zod'
import { duration, listenAddress, secret, text } from './values.js'

export const tls = z
  .strictObject({
    CertFile: text.meta({ description: 'PEM file with the certificate and its chain.', examples: ['./tls/cert.pem'] }),
    KeyFile: text.meta({ description: "PEM file with the certificate's private key.", examples: ['./tls/key.pem'] }),
  })
  .meta({ description: 'Ends TLS here. Absent: plain HTTP, for a loopback address or behind a proxy that ends TLS.' })

const count = z.int().min(1)

const limits = z
  .strictObject({
    Connections: count.optional().meta({
      description: 'Connections open at once, of each process and listener. Default: 20000.',
      examples: [20_000],
    }),
    ConnectionsPerAddress: count.optional().meta({
      description:
        'Connections open at once from one address, or one /64 of IPv6; `TrustedProxies` have no such limit. Default: 4000.',
      examples: [4000],
    }),
    HeaderBytes: z
      .int()
      .min(8192)
      .max(1_048_576)
      .optional()
      .meta({
        description:
          "Bytes of a request's line and header fields, 431 beyond. Each connection may hold as many. Default: 32768.",
        examples: [32_768],
      }),
    HeadTimeout: duration.optional().meta({
      description: "From a connection to the end of its first request's header. Default: `00:00:30`.",
      examples: ['00:00:30'],
    }),
    KeepAliveTimeout: duration.optional().meta({
      description:
        'Between two requests on one connection. Longer than what stands in front keeps its connections (a minute, often), or it sends a request to one that is just closing. Default: `00:01:15`.',
      examples: ['00:01:15'],
    }),
    ClientTimeout: duration.optional().meta({
      description:
        'Until a client that has stopped sends more of its body, or takes more of its answer. Default: `00:01:00`.',
      examples: ['00:01:00'],
    }),
    StreamsPerSession: count.optional().meta({
      description: 'WebSockets and event streams open at once in one session, 429 beyond. Default: 64.',
      examples: [64],
    }),
    StreamsPerAddress: count.optional().meta({
      description:
        'WebSockets and event streams open at once from one address, or one /64 of IPv6, 429 beyond. Default: 1024.',
      examples: [1024],
    }),
  })
  .meta({ description: 'What one caller may hold of a process, on every listener.' })

export const server = z
  .strictObject({
    Listen: listenAddress.optional().meta({
      description:
        "Host and port that the frontends are served on. Default: 127.0.0.1 with the port of a loopback `Bff.PublicUrl`, otherwise '127.0.0.1:3000'.",
      examples: ['127.0.0.1:3000'],
    }),
    Tls: tls.optional(),
    TrustedProxies: z
      .array(text)
      .default([])
      .meta({
        description:
          'CIDR ranges of your own proxies. Only what they say in `X-Forwarded-For` is believed: the client is the last address in it that is none of theirs. `Forwarded` is never read. Default: none.',
        examples: [['10.0.0.0/8']],
      }),
    TrustForwardedHost: z.boolean().default(false).meta({
      description:
        'Whether `X-Forwarded-Host` of `TrustedProxies` chooses the frontend in place of `Host`. Each of them has to set that field or to remove it: most pass on what the client sent, and then a client chooses whose page a cache in between keeps.',
    }),
    AdminListen: listenAddress.optional().meta({
      description: 'Host and port of `/healthz`, `/readyz` and `/metrics`. Absent: they are not served.',
      examples: ['127.0.0.1:9464'],
    }),
    StateDirectory: text.default('.sallyport').meta({
      description:
        'Folder for the keys that are made at first start and kept: relative to this file, mode 0700. Not used for what the file gives itself.',
      examples: ['.sallyport'],
    }),
    DrainTimeout: duration.default('00:00:30').meta({
      description: 'How long requests in flight may take to finish after SIGTERM.',
      examples: ['00:00:30'],
    }),
    Limits: limits.optional(),
    Workers: z
      .int()
      .min(1)
      .max(64)
      .default(1)
      .meta({
        description:
          'How many processes share the listeners, one per core at most. More than one needs `Store.Redis` and `Bff.SealingKeys`.',
        examples: [2],
      }),
    AccessLog: z.boolean().default(true).meta({
      description:
        'One line of level `info` per forwarded call: method, path without its query, status, times, bytes, frontend, route, and the handle of the session. Paths of your APIs may hold personal data.',
    }),
    LogLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').meta({
      description: 'The least important thing that is logged.',
    }),
  })
  .meta({ description: 'The process: where it listens and what it trusts.' })

export const store = z
  .strictObject({
    Redis: z
      .strictObject({
        Url: secret.meta({
          description: '`redis://` or `rediss://`, with user and password when needed.',
          examples: ['redis://127.0.0.1:6379', { Env: 'REDIS_URL' }],
        }),
        Prefix: z
          .string()
          .default('sallyport:')
          .meta({
            description: 'Before every key, so that several installations can share one Redis.',
            examples: ['sallyport:'],
          }),
        Timeout: duration.default('00:00:02').meta({
          description: 'How long one command may take before the store counts as unavailable.',
          examples: ['00:00:02'],
        }),
      })
      .optional()
      .meta({ description: 'Redis 7 or Valkey, for several replicas. Needs `Bff.SealingKeys`.' }),
  })
  .meta({
    description:
      'Where sessions and other short-lived records are kept. Absent: in this process, and at most half of what its heap may grow to.',
  })
