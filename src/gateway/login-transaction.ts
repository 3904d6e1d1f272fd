import { createHash, randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { cookiesNamed, cookieValue, removeCookie, setCookie } from '../http/cookie.js'
import type { Jwk } from '../keys.js'
import type { Seal } from '../store/seal.js'
import { createSealedStore } from '../store/sealed-store.js'
import type { Store } from '../store/store.js'
import type { Frontend } from './frontend.js'

/** One attempt to log in. It rests sealed under a cookie of the browser that began it. */
export interface LoginTransaction {
  readonly state: string
  readonly nonce: string | undefined
  readonly codeVerifier: string
  readonly proofKey: Jwk | undefined
  readonly returnUrl: string
  /** `prompt=none`: a refusal is an answer, not an error. */
  readonly silent: boolean
  /** Where the session rests that this browser had before. */
  readonly formerSession: string | undefined
}

/** What is left of it once it was used: where its tab wanted to go. */
interface SpentTransaction {
  readonly spent: true
  readonly returnUrl: string
}

export type FoundTransaction =
  | { readonly kind: 'open'; readonly transaction: LoginTransaction; use(): Promise<boolean> }
  | { readonly kind: 'spent'; readonly returnUrl: string }
  /** `cookie`: whether the browser sent the transaction's cookie. */
  | { readonly kind: 'absent'; readonly cookie: 'sent' | 'missing' }

export interface LoginTransactions {
  /** Keeps the attempt and gives the browser its cookie. */
  begin(cookieHeader: string | undefined, response: ServerResponse, transaction: LoginTransaction): Promise<void>
  find(cookieHeader: string | undefined, state: string): Promise<FoundTransaction>
  /** Takes all of the frontend's transaction cookies away from the browser. */
  forget(cookieHeader: string | undefined, response: ServerResponse): void
}

/** Seconds for which the user may take to sign in. */
export const transactionLifetime = 600
/** Attempts at the same time in one browser. With more, the oldest gives way: cookies never pile up to a 431. */
const maxTransactions = 5

const cookieFormat = /^([A-Za-z0-9_-]{43})\.([0-9a-z]{1,9})$/

export function createLoginTransactions(
  store: Store,
  seal: Seal,
  frontend: Frontend,
  now: () => number,
): LoginTransactions {
  const { transactionCookie, name } = frontend
  const records = createSealedStore<LoginTransaction | SpentTransaction>(store, seal, `login ${name}`)
  const cookieOf = (state: string): string =>
    transactionCookie + createHash('sha256').update(state).digest('base64url').slice(0, 8)

  return {
    async begin(cookieHeader, response, transaction) {
      const secret = randomBytes(32).toString('base64url')
      await records.add(secret, transaction, now() + transactionLifetime)
      const oldestFirst = [...cookiesNamed(cookieHeader, transactionCookie)].sort(
        (a, b) => begunAt(a[1]) - begunAt(b[1]),
      )
      for (const [old] of oldestFirst.slice(0, Math.max(0, oldestFirst.length - (maxTransactions - 1)))) {
        if (isCookieName(old)) removeCookie(response, old)
      }
      // Lax: it has to come back on the redirect from the authorization server's site.
      const value = `${secret}.${Math.floor(now()).toString(36)}`
      setCookie(response, cookieOf(transaction.state), value, { sameSite: 'Lax', maxAge: transactionLifetime })
    },

    async find(cookieHeader, state) {
      const secret = cookieFormat.exec(cookieValue(cookieHeader, cookieOf(state)) ?? '')?.[1]
      if (secret === undefined) return { kind: 'absent', cookie: 'missing' }
      const found = await records.get(secret)
      if (found === undefined) return { kind: 'absent', cookie: 'sent' }
      const { value, revision } = found
      if ('spent' in value) return { kind: 'spent', returnUrl: value.returnUrl }
      // The cookie's name holds only a part of the state's hash.
      if (value.state !== state) return { kind: 'absent', cookie: 'sent' }
      return {
        kind: 'open',
        transaction: value,
        // Compare-and-set: of any number of callbacks at most one goes on, and the others still learn the return URL.
        use: () =>
          records.replace(secret, revision, { spent: true, returnUrl: value.returnUrl }, now() + transactionLifetime),
      }
    },

    forget(cookieHeader, response) {
      for (const old of cookiesNamed(cookieHeader, transactionCookie).keys()) {
        if (isCookieName(old)) removeCookie(response, old)
      }
    },
  }

  /** Only what we could have set ourselves is written back into a header. */
  function isCookieName(candidate: string): boolean {
    return /^[A-Za-z0-9_-]{8}$/.test(candidate.slice(transactionCookie.length))
  }
}

function begunAt(value: string): number {
  return Number.parseInt(cookieFormat.exec(value)?.[2] ?? '0', 36)
}
