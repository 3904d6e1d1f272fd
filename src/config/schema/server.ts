import { z } from 'zod'
import { duration, listenAddress, secret, text } from './values.js'

export const tls = z
  .strictObject({
    CertFile: text.meta({ description: 'PEM file with the certificate and its chain.', examples: ['./tls/cert.pem'] }),
    KeyFile: text.meta({ description: "PEM file with the certificate's private key.", examples: ['./tls/key.pem'] }),
  })
  .meta({ description: 'Ends TLS here. Absent: plain HTTP, for a loopback address or behind a proxy that ends TLS.' })

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
