import { z } from 'zod'
import { loginLimitDefaults, rateLimitDefaults, sessionsPerUserDefaults } from '../../gateway/defaults.js'
import { counted, duration, lasting } from './values.js'

const rateLimit = z
  .strictObject({
    Requests: z
      .int()
      .min(1)
      .optional()
      .meta({ description: 'How many. The next one is answered with 429 and `Retry-After`.', examples: [100] }),
    Per: duration.optional().meta({
      description: 'Within which time. The window slides: no span of this length has more.',
      examples: ['00:01:00'],
    }),
    By: z.enum(['Session', 'Address']).default(rateLimitDefaults.by).meta({
      description:
        'Whose calls are counted together: those of a session (of an address, where there is no session), or those of one IPv4 address or one IPv6 /64.',
    }),
  })
  .meta({ required: ['Requests', 'Per'] })

export const rateLimits = z.array(rateLimit).default([])

export const sessionsPerUser = z
  .strictObject({
    Max: z
      .int()
      .min(1)
      .optional()
      .meta({ description: 'Sessions of this frontend that one user may have at once.', examples: [3] }),
    WhenFull: z.enum(['EndOldest', 'RefuseNew']).default(sessionsPerUserDefaults.whenFull).meta({
      description:
        'What happens to a login beyond: it ends the session that was begun first, or it is refused (`bff.login.too_many_sessions`).',
    }),
  })
  .meta({ description: 'Default: no limit. Needs `openid` in `Scopes`.', required: ['Max'] })

export const loginLimits = z
  .strictObject({
    PerAddress: counted(
      loginLimitDefaults.perAddress,
      'Logins begun from one IPv4 address or one IPv6 /64; a /56 has twice as many, a /48 four times.',
    ),
    Window: lasting(loginLimitDefaults.window, 'Within this time.'),
  })
  .meta({
    description:
      'How many logins may be begun, signed in or not, before the answer is 429. Raise it where thousands of people share one address.',
  })
