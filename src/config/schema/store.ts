import { z } from 'zod'
import { redisStoreDefaults } from '../../store/redis-options.js'
import { lasting, secret, text } from './values.js'

const memory = z.strictObject({}).meta({
  description:
    'In this process, and gone with it: at most half of what its heap may grow to. For tries, and where no folder can be written to.',
})

const file = z
  .strictObject({
    Path: text.optional().meta({
      description:
        'Folder of the database, relative to this file, mode 0700; on a disk of this machine, not on a network file system. Default: `store` below `Server.StateDirectory`.',
      examples: ['/var/lib/sallyport/store'],
    }),
  })
  .meta({
    description:
      'A database of this machine, in a folder: survives a restart, a crash and the loss of power. All workers share it.',
  })

const sentinel = z
  .strictObject({
    Name: text.meta({ description: 'Of the primary, as the Sentinels call it.', examples: ['mymaster'] }),
    Username: secret.optional().meta({ description: 'User of the Sentinels themselves.', examples: ['sallyport'] }),
    Password: secret.optional().meta({
      description: 'Password of the Sentinels themselves.',
      examples: [{ Env: 'SENTINEL_PASSWORD' }],
    }),
    PrimaryTls: z.boolean().optional().meta({
      description: 'Whether the primary and its replicas speak TLS. Default: as the Sentinels do.',
    }),
  })
  .meta({ description: 'What the Sentinels are asked, with `Topology` `Sentinel`.' })

const redis = z
  .strictObject({
    Topology: z.enum(['Single', 'Sentinel', 'Cluster']).default('Single').meta({
      description:
        'One server at `Url`; one that the Sentinels in `Nodes` know; or a Redis Cluster, some of whose nodes are in `Nodes`.',
    }),
    Url: secret.optional().meta({
      description: '`redis://` or `rediss://` (TLS), with user, password and database when needed.',
      examples: ['redis://127.0.0.1:6379', { Env: 'REDIS_URL' }],
    }),
    Nodes: z
      .array(text)
      .default([])
      .meta({
        description:
          'Sentinels, or nodes of a cluster: two or more, so that one of them may be away. `rediss://` is TLS.',
        examples: [['redis://redis-1:26379', 'redis://redis-2:26379']],
      }),
    Sentinel: sentinel.optional(),
    Username: secret.optional().meta({
      description: 'User of the access control list. Default: the one in `Url`.',
      examples: ['sallyport'],
    }),
    Password: secret.optional().meta({
      description: 'Default: the one in `Url`.',
      examples: [{ Env: 'REDIS_PASSWORD' }],
    }),
    Database: z
      .int()
      .min(0)
      .optional()
      .meta({
        description: 'Number of the database; a cluster has one only. Default: the one in `Url`, or 0.',
        examples: [1],
      }),
    CaFile: text.optional().meta({
      description: 'PEM certificates to trust in place of those that Node.js trusts.',
      examples: ['./tls/redis-ca.pem'],
    }),
    CertFile: text.optional().meta({
      description: 'PEM certificate of this client, where the server asks for one.',
      examples: ['./tls/redis-client.pem'],
    }),
    KeyFile: text.optional().meta({ description: 'Its private key, PEM.', examples: ['./tls/redis-client.key'] }),
    Prefix: z
      .string()
      .default(redisStoreDefaults.prefix)
      .meta({
        description: 'Before every key, so that several installations can share one Redis.',
        examples: [redisStoreDefaults.prefix],
      }),
    Timeout: lasting(
      redisStoreDefaults.timeout,
      'How long one command may take before the store counts as unavailable.',
    ),
  })
  .meta({
    description: 'Redis 7 or Valkey, for several machines. Needs `Bff.SealingKeys`.',
    examples: [{ Url: 'redis://127.0.0.1:6379' }],
  })

/** One of them, or none. */
export const store = z
  .strictObject({ File: file.optional(), Memory: memory.optional(), Redis: redis.optional() })
  .meta({
    description: 'Where sessions and other short-lived records rest: one of these. Absent: `File`.',
    examples: [{ Redis: { Url: 'redis://127.0.0.1:6379' } }],
  })
