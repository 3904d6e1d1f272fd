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
}
