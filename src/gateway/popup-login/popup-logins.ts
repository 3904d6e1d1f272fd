import { hash, randomBytes } from 'node:crypto'
import type { Seal } from '../../store/seal.js'
import { createSealedStore } from '../../store/sealed-store.js'
import type { Store } from '../../store/store.js'

/** What the frame has said when it began, for the window that it opens. */
export interface FrameLogin {
  /** As of a login link. */
  readonly query: string
  /** Where the session rests that the frame had before. */
  readonly formerSession?: string | undefined
  /** Of a step-up: who has to sign in, as `userHash` says. */
  readonly user?: string | undefined
}

export interface Ticket extends FrameLogin {
  /** Names the frame that began, and opens nothing: the hash of its secret. */
  readonly challenge: string
}

/**
 * Logins that a frame begins and a window completes. A browser keeps the cookies of the two apart, and an authorization
 * server's `Cross-Origin-Opener-Policy` takes the window's opener away, so that the only way back is through the server: the
 * session goes to who holds the secret whose hash the window's login has carried along (as PKCE does it, RFC 7636).
 */
export interface PopupLogins {
  /** The secret is for a cookie of the frame, the ticket for its page to post into the window. Nothing is kept. */
  begin(login: FrameLogin): { readonly secret: string; readonly ticket: string }
  /** Undefined for one that we have not made, or too long ago. */
  read(ticket: string): Ticket | undefined
  /** @param id of the session that was begun */
  handOver(challenge: string, id: string): Promise<void>
  /** The identifier of the frame's session. Undefined: not yet, or not any more. At most one caller gets it. */
  take(secret: string): Promise<string | undefined>
}

/** Seconds between the click in the frame and the login of its window, without and with a person who chooses where. */
const ticketLifetimes = { atOnce: 60, chosen: 300 }
/** Seconds for which a session waits for its frame, which asks every second. */
const handOverLifetime = 30

type Sealed = readonly [begun: number, query: string, formerSession: string | null, user: string | null]

export interface PopupLoginsOptions {
  /** Of the frontend. */
  readonly name: string
  readonly store: Store
  readonly seal: Seal
  readonly now: () => number
  /** Whether the window may have to ask where to sign in. */
  readonly asks: boolean
}

export function createPopupLogins({ name, store, seal, now, asks }: PopupLoginsOptions): PopupLogins {
  const ticketLifetime = asks ? ticketLifetimes.chosen : ticketLifetimes.atOnce
  const handOvers = createSealedStore<string>(store, seal, `popup-login ${name}`)
  const context = `popup-login ticket ${name}`
  const challengeOf = (secret: string): string => hash('sha256', secret, 'base64url')

  return {
    begin({ query, formerSession, user }) {
      const secret = randomBytes(32).toString('base64url')
      const challenge = challengeOf(secret)
      const sealed: Sealed = [Math.floor(now()), query, formerSession ?? null, user ?? null]
      return { secret, ticket: `${challenge}.${seal.seal(JSON.stringify(sealed), challenge, context)}` }
    },

    read(ticket) {
      const [, challenge = '', sealed = ''] = /^([\w-]{43})\.(.+)$/.exec(ticket) ?? []
      const opened = seal.unseal(sealed, challenge, context)
      if (opened === undefined) return undefined
      const [begun, query, formerSession, user] = JSON.parse(opened) as Sealed
      if (Math.abs(now() - begun) > ticketLifetime) return undefined
      return { challenge, query, formerSession: formerSession ?? undefined, user: user ?? undefined }
    },

    async handOver(challenge, id) {
      await handOvers.add(challenge, id, now() + handOverLifetime)
    },
    take: (secret) => handOvers.take(challengeOf(secret)),
  }
}
