import type { Configuration } from '../config/load.js'
import { needsSession } from '../gateway/frontend/login-problems.js'
import { noted, type Trial } from './probe/probe.js'

/** Where a logout leads to, when that is a place for users who are signed in. */
export function landings({ gateway, plan }: Configuration): readonly Trial[] {
  return (gateway?.frontends ?? []).flatMap((frontend, index) => {
    const { postLogoutRedirectPath: path, clientUrl } = frontend
    if (clientUrl !== undefined || !needsSession(frontend, path)) return []
    const isWritten = plan.frontends[index]?.settings.PostLogoutRedirectPath !== undefined
    return [
      noted(
        `/Bff/Frontends/${index}/PostLogoutRedirectPath`,
        `${isWritten ? 'is' : 'is left out, and then it is'} "${path}", which needs a session: who signs out is at a sign-in page at once, and may not know that they are signed out`,
        'Write the path of a page that says goodbye, below a route with "TokenType": "None".',
      ),
    ]
  })
}
