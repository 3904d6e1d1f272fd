import { hash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { cookiesNamed, cookieValue, removeCookie, setCookie } from '../../http/cookie.js'
import type { Seal } from '../../store/seal.js'
import type { Store } from '../../store/store.js'
import type { Frontend } from '../frontend/frontend.js'
import type { Requirements } from '../step-up/requirements.js'
import { safeReturnUrl } from './return-url.js'

/** One attempt to log in. It rests in a cookie of the browser that began it, sealed under its `state`. */
export interface LoginTransaction {
  readonly state: string
  /** What nonce, code verifier and proof key are derived from. */
  readonly seed: string
  readonly returnUrl: string
  /** `prompt=none`: a refusal is an answer, not an error. */
  readonly silent: boolean
  /** Where the session rests that this browser had before. */
  readonly formerSession: string | undefined
  /** Of the request that began it. */
  readonly requestId: string
  /** What the server was asked for, and has to have done. */
  readonly asked?: Requirements | undefined
  /** Whose session it is to be the next of, as `userHash` says. Undefined: anybody may sign in. */
  readonly user?: string | undefined
  /** Of a window that a frame has opened: the challenge of that frame. */
  readonly popup?: string | undefined
  /** Which of several authorization servers was asked, by its name; of one, its issuer where answers need not say it. */
  readonly authority?: string | undefined
}

/** As it comes back. */
export interface BegunTransaction extends LoginTransaction {
  /** Seconds since the epoch. */
  readonly begunAt: number
}

export type FoundTransaction =
  | {
      readonly kind: 'open'
      readonly transaction: BegunTransaction
      /** True once. */
      use(): Promise<boolean>
    }
  /** So many others were begun since that only the page its tab wanted is left of it. */
  | { readonly kind: 'displaced'; readonly returnUrl: string }
  | { readonly kind: 'absent' }

export interface LoginTransactions {
  /** Gives the attempt to the browser to keep. The server keeps nothing: beginning a login is free to anybody. */
  begin(cookieHeader: string | undefined, response: ServerResponse, transaction: LoginTransaction): void
  find(cookieHeader: string | undefined, state: string): FoundTransaction
  /** Takes all of the frontend's transaction cookies away from the browser. */
  forget(cookieHeader: string | undefined, response: ServerResponse): void
}

/** Seconds for which the user may take to sign in. */
export const transactionLifetime = 600
/** Attempts at the same time in one browser. Of the oldest beyond it only the return URL is kept. */
const maxTransactions = 20
/** Bytes of all of them together, names included: many servers take 8 KB in one header field. */
const maxBytes = 8000
/** Cookies changed by one response: what another one's cookie header holds must not cost more. */
const maxChanges = 30
/** Seconds by which the clocks of two replicas may differ. */
const clockTolerance = 60

/** Second of its beginning, return URL, and what is sealed. Displaced: without the last. */
const cookieFormat = /^([0-9a-z]{1,9})\.([A-Za-z0-9_-]{1,2736})(?:\.([A-Za-z0-9_.-]+))?$/

/** The last four only where there is something. */
type Sealed = readonly [
  seed: string,
  requestId: string,
  silent: 0 | 1,
  formerSession: string | null,
  asked?: Requirements | null,
  user?: string | null,
  popup?: string | null,
  authority?: string | null,
]

export function createLoginTransactions(
  store: Store,
  seal: Seal,
  frontend: Frontend,
  now: () => number,
): LoginTransactions {
  const { transactionCookie, name, cookieReach } = frontend
  const cookieOf = (state: string): string => transactionCookie + hash('sha256', state, 'base64url').slice(0, 8)
  // What lies open in the cookie is sealed along.
  const contextOf = (open: string): string => `login ${name} ${hash('sha256', open, 'base64url')}`

  return {
    begin(cookieHeader, response, { state, seed, returnUrl, silent, formerSession, requestId, ...rare }) {
      const { asked, user, popup, authority } = rare
      const usual = [seed, requestId, silent ? 1 : 0, formerSession ?? null] as const
      const sealed: Sealed =
        asked === undefined && popup === undefined && authority === undefined
          ? usual
          : [...usual, asked ?? null, user ?? null, popup ?? null, authority ?? null]
      const open = `${Math.floor(now()).toString(36)}.${Buffer.from(returnUrl).toString('base64url')}`
      const value = `${open}.${seal.seal(JSON.stringify(sealed), state, contextOf(open))}`
      makeRoom(cookieHeader, response, bytesOf(cookieOf(state), value))
      setCookie(response, cookieOf(state), value, { ...cookieReach.login, maxAge: transactionLifetime })
    },

    find(cookieHeader, state) {
      const kept = read(cookieValue(cookieHeader, cookieOf(state)))
      if (kept === undefined || kept.left <= 0) return { kind: 'absent' }
      // Only a sealed one is certainly what we wrote.
      const returnUrl = safeReturnUrl(kept.returnUrl, frontend) ?? frontend.home
      if (kept.sealed === undefined) return { kind: 'displaced', returnUrl }
      const opened = seal.unseal(kept.sealed, state, contextOf(kept.open))
      if (opened === undefined) return { kind: 'absent' }
      const [seed, requestId, silent, formerSession, asked, user, popup, authority] = JSON.parse(opened) as Sealed
      return {
        kind: 'open',
        transaction: {
          state,
          seed,
          returnUrl,
          silent: silent === 1,
          formerSession: formerSession ?? undefined,
          requestId,
          asked: asked ?? undefined,
          user: user ?? undefined,
          popup: popup ?? undefined,
          authority: authority ?? undefined,
          begunAt: kept.begunAt,
        },
        // One atomic operation: of any number of callbacks at most one goes on. The others still know the return URL.
        use: () =>
          store.addIfAbsent(
            `login-used:${name}:${hash('sha256', state, 'base64url')}`,
            '1',
            now() + kept.left + clockTolerance,
          ),
      }
    },

    forget(cookieHeader, response) {
      for (const [old] of ownCookies(cookieHeader).slice(0, maxChanges)) removeCookie(response, old, cookieReach.login)
    },
  }

  /** Newest first: those that fit stay, then those of which only the return URL fits. */
  function makeRoom(cookieHeader: string | undefined, response: ServerResponse, taken: number): void {
    let bytes = taken
    let transactions = 1
    let changes = 0
    const newestFirst = ownCookies(cookieHeader)
      .map(([old, value]) => ({ old, value, kept: read(value) }))
      .sort((a, b) => (b.kept?.left ?? 0) - (a.kept?.left ?? 0))
    for (const { old, value, kept } of newestFirst) {
      const alive = kept !== undefined && kept.left > 0
      const choices = !alive ? [] : transactions < maxTransactions ? [value, kept.open] : [kept.open]
      const stays = choices.find((text) => bytes + bytesOf(old, text) <= maxBytes)
      if (stays !== undefined) bytes += bytesOf(old, stays)
      if (stays !== undefined && stays !== kept?.open) transactions += 1
      if (stays === value) continue
      if (++changes > maxChanges) return
      if (stays === undefined) removeCookie(response, old, cookieReach.login)
      else setCookie(response, old, stays, { ...cookieReach.login, maxAge: kept?.left ?? 0 })
    }
  }

  function read(value: string | undefined) {
    const [, begun = '', returnUrl = '', sealed] = cookieFormat.exec(value ?? '') ?? []
    if (begun === '') return undefined
    const begunAt = Number.parseInt(begun, 36)
    const age = now() - begunAt
    return {
      begunAt,
      open: `${begun}.${returnUrl}`,
      returnUrl: Buffer.from(returnUrl, 'base64url').toString(),
      sealed,
      /** Seconds. */
      left: age < -clockTolerance ? 0 : transactionLifetime - age,
    }
  }

  /** Only what we could have named ourselves is written back into a header. */
  function ownCookies(cookieHeader: string | undefined): [string, string][] {
    return [...cookiesNamed(cookieHeader, transactionCookie)].filter(([candidate]) =>
      /^[A-Za-z0-9_-]{8}$/.test(candidate.slice(transactionCookie.length)),
    )
  }
}

/** With the separators around it. */
function bytesOf(name: string, value: string): number {
  return name.length + value.length + 3
}
