import { z } from 'zod'
import { duration } from './values.js'

/** What all frontends have, and each may have otherwise. */
export const session = {
  duration: duration.meta({
    description: 'Ends a session that has made no request for so long.',
    examples: ['08:00:00'],
  }),
  absolute: duration.meta({
    description: 'Ends a session so long after login, whatever happens. Checked on every request.',
    examples: ['08:00:00'],
  }),
  sliding: z.boolean().meta({ description: 'Whether each request restarts `SessionDuration`.' }),
  grace: duration.meta({
    description: 'An access token that expires within this time is refreshed before it is used.',
    examples: ['00:01:00'],
  }),
  revoke: z.boolean().meta({
    description:
      "Whether the refresh token of a session is revoked as well when the session is ended without its browser: by back-channel logout, by an administrator, from another device, by `SessionsPerUser`. The store then holds it so that `SealingKeys` open it without the browser's cookie.",
  }),
}
