import { z } from 'zod'
import { gatewayDefaults, streamLimitDefaults } from '../../gateway/defaults.js'
import { listenerLimitDefaults } from '../../http/listener-limits.js'
import { forwardAuth } from './forward-auth.js'
import { counted, duration, httpUrl, lasting, listenAddress, secret, socketAddressText, text } from './values.js'

export const tls = z.strictObject({
  CertFile: text.meta({ description: 'PEM file with the certificate and its chain.', examples: ['./tls/cert.pem'] }),
  KeyFile: text.meta({ description: "PEM file with the certificate's private key.", examples: ['./tls/key.pem'] }),
})

/** One certificate, or several of which the host that the browser asks for chooses one. */
export const tlsOrList = z.union([tls, z.array(tls).min(1)]).meta({
  description:
    'Ends TLS here. A list: the host that the browser asks for chooses, and the first one is for all others. Absent: plain HTTP, for a loopback address or behind a proxy that ends TLS. Files that change are taken over while it runs.',
  examples: [{ CertFile: './tls/cert.pem', KeyFile: './tls/key.pem' }],
})

const limits = z
  .strictObject({
    Connections: counted(listenerLimitDefaults.connections, 'Connections open at once, of each process and listener.'),
    ConnectionsPerAddress: counted(
      listenerLimitDefaults.connectionsPerAddress,
      'Connections open at once from one address, or one /64 of IPv6; `TrustedProxies` have no such limit.',
    ),
    HeaderBytes: counted(
      listenerLimitDefaults.headerBytes,
      "Bytes of a request's line and header fields, 431 beyond. Each connection may hold as many.",
      8192,
      1_048_576,
    ),
    HeadTimeout: lasting(
      listenerLimitDefaults.headTimeout,
      "From a connection to the end of its first request's header.",
    ),
    KeepAliveTimeout: lasting(
      listenerLimitDefaults.keepAliveTimeout,
      'Between two requests on one connection. Longer than what stands in front keeps its connections (a minute, often), or it sends a request to one that is just closing.',
    ),
    ClientTimeout: lasting(
      listenerLimitDefaults.clientTimeout,
      'Until a client that has stopped sends more of its body, or takes more of its answer.',
    ),
    StreamsPerSession: counted(
      streamLimitDefaults.perSession,
      'WebSockets and event streams open at once in one session, 429 beyond.',
    ),
    StreamsPerAddress: counted(
      streamLimitDefaults.perAddress,
      'WebSockets and event streams open at once from one address, or one /64 of IPv6, 429 beyond.',
    ),
  })
  .meta({ description: 'What one caller may hold of a process, on every listener.' })

const disclosure = (of: string) =>
  z
    .enum(['Full', 'Masked', 'Hashed'])
    .default('Full')
    .meta({
      description: `How ${of}. \`Hashed\`: the same one is always the same text, which tells who it is only to those who have the key.`,
    })

const audit = z
  .strictObject({
    Log: z
      .boolean()
      .optional()
      .meta({
        description:
          'Whether records are lines of the log, with `msg` `audit`, whatever `LogLevel` is. Default: when neither `File` nor `Endpoint` is there.',
        examples: [true],
      }),
    File: text.optional().meta({
      description:
        'Records are appended to it, one JSON document a line, mode 0600. One that was renamed, as logrotate does, is opened anew by itself.',
      examples: ['./audit.jsonl'],
    }),
    Endpoint: z
      .strictObject({
        Url: httpUrl.optional().meta({
          description: 'https, or http on loopback. Required.',
          examples: ['https://siem.example.com/sallyport'],
        }),
        Token: secret.optional().meta({
          description: 'Sent as `Authorization: Bearer`. Absent: none.',
          examples: [{ Env: 'AUDIT_TOKEN' }],
        }),
      })
      .optional()
      .meta({
        description:
          'Records are posted there in batches, `application/x-ndjson`. No request waits for it: 10,000 records may wait, more are lost and counted.',
      }),
    Subject: disclosure('users are named'),
    Address: disclosure('addresses and networks are named. `Masked`: /24 and /48'),
    HashKey: secret.optional().meta({
      description:
        'For `Hashed`: at least 32 characters. Absent: made from the first of the sealing keys, so that another one makes other hashes.',
      examples: [{ Env: 'AUDIT_HASH_KEY' }],
    }),
  })
  .meta({
    description: 'Who did what, when: records for auditors. `{}` writes them into the log. Absent: there are none.',
  })

export const server = z
  .strictObject({
    Listen: socketAddressText.optional().meta({
      description:
        "Host and port that the frontends are served on, or `unix:` and the path of a socket for a proxy on this machine. Default: 127.0.0.1 with the port of a loopback `Bff.PublicUrl`, otherwise '127.0.0.1:3000'.",
      examples: ['127.0.0.1:3000', 'unix:/run/sallyport/gateway.sock'],
    }),
    Tls: tlsOrList.optional(),
    TrustedProxies: z
      .array(text)
      .default([])
      .meta({
        description:
          'CIDR ranges of your own proxies. Only what they say in `X-Forwarded-For` is believed: the client is the last address in it that is none of theirs. `Forwarded` is never read. Default: none.',
        examples: [['10.0.0.0/8']],
      }),
    ProxyProtocol: z.enum(['None', 'V2']).default('None').meta({
      description:
        'Whether each connection of `TrustedProxies` to `Listen` begins with a header of the PROXY protocol, version 2, that says who the client is, before TLS. Without one it is closed.',
    }),
    TrustForwardedHost: z.boolean().default(gatewayDefaults.trustForwardedHost).meta({
      description:
        'Whether `X-Forwarded-Host` of `TrustedProxies` chooses the frontend in place of `Host`. Each of them has to set that field or to remove it: most pass on what the client sent, and then a client chooses whose page a cache in between keeps.',
    }),
    AdminListen: listenAddress.optional().meta({
      description:
        'Host and port of `/healthz`, `/readyz` and `/metrics`, and with `AdminToken` of `/admin` and `/console`. Absent: they are not served.',
      examples: ['127.0.0.1:9464'],
    }),
    AdminToken: secret.optional().meta({
      description:
        'Opens the admin API and the console on `AdminListen`, for who has it: at least 32 characters, of chance. Absent: there is neither.',
      examples: [{ Env: 'ADMIN_TOKEN' }],
    }),
    ForwardAuth: forwardAuth.optional(),
    StateDirectory: text.default('.sallyport').meta({
      description:
        'Folder for the keys that are made at first start and kept, and for the file store: relative to this file, mode 0700. Not used for what the file gives itself.',
      examples: ['.sallyport'],
    }),
    DrainDelay: lasting(
      5,
      'After SIGTERM: how long readiness is red before new connections are refused. Requests are still served meanwhile, so that what is in front can notice. SIGINT does without.',
    ),
    DrainTimeout: lasting(30, 'How long requests in flight may take to finish after that.'),
    StoreGrace: duration.optional().meta({
      description:
        'How long the store may be gone before readiness turns red. Absent: it stays green, and requests are answered with 503 and `Retry-After`.',
      examples: ['00:01:00'],
    }),
    Limits: limits.prefault({}),
    Workers: z
      .int()
      .min(1)
      .max(64)
      .default(1)
      .meta({
        description:
          'How many processes share the listeners, one per core at most. They share a file store or Redis; `Store.Memory` they cannot.',
        examples: [2],
      }),
    AccessLog: z.boolean().default(true).meta({
      description:
        'One line of level `info` per forwarded call: method, path without its query, status, times, bytes, frontend, route, and the handle of the session. Paths of your APIs may hold personal data.',
    }),
    Watch: z.boolean().default(true).meta({
      description:
        'Whether a change of this file, or of a file that it names, is taken over by itself. false: with SIGHUP only.',
    }),
    Audit: audit.optional(),
    LogLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').meta({
      description: 'The least important thing that is logged.',
    }),
  })
  .meta({ description: 'The process: where it listens and what it trusts.' })
