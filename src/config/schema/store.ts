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

const redis = z
  .strictObject({
    Url: secret.meta({
      description: '`redis://` or `rediss://`, with user and password when needed.',
      examples: ['redis://127.0.0.1:6379', { Env: 'REDIS_URL' }],
    }),
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
  .meta({ description: 'Redis 7 or Valkey, for several replicas. Needs `Bff.SealingKeys`.' })

/** One of them, or none. */
export const store = z
  .strictObject({ File: file.optional(), Memory: memory.optional(), Redis: redis.optional() })
  .meta({
    description: 'Where sessions and other short-lived records rest: one of these. Absent: `File`.',
  })
