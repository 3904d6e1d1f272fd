import type { Seal } from '../../store/seal.js'
import { issuersOf } from '../authorities/authorities.js'
import type { FrontendOptions } from '../options.js'
import type { ProvisionedFrontend } from '../request.js'
import type { SessionOwner } from '../session/session-roll.js'
import { createSessionCensus } from './session-census.js'
import { type Found, type SessionQuery, sealPosition, searchSessions, unsealPosition } from './session-search.js'

/** A session, as an administrator sees it: neither tokens nor anything that leads to the cookie. */
export interface AdministeredSession {
  /** Names it: here, in the log and in the user's own list. */
  readonly handle: string
  /** Its name. */
  readonly frontend: string
  /** Name of its authorization server, where the frontend has several. As `subject`: with `administered` only. */
  readonly authority?: string
  /** `sub`. Absent without OpenID Connect, and for sessions that were begun without `administered`. */
  readonly subject?: string
  /** Seconds since the epoch. Absent for sessions that were begun without `administered`. */
  readonly begunAt?: number
  /** Seconds since the epoch, to within a minute. */
  readonly lastUsedAt?: number
  /** Masked. */
  readonly address?: string
  /** As the browser says. */
  readonly userAgent?: string
}

/** Which part of a list. */
export interface SessionPaging {
  /** `next` of the page before. */
  readonly after?: string
  /** Sessions on a page. Default: 50. */
  readonly limit?: number
}

/** A part of a list, in no particular order. */
export interface SessionPage {
  /** Those of this page. */
  readonly sessions: readonly AdministeredSession[]
  /** For `after`. Absent: this is the last page. */
  readonly next?: string
}

/** The sessions of all frontends, for an administrator. All of it throws `UpstreamError` while the store does not answer. */
export interface SessionAdministration {
  /**
   * One page. It may hold few sessions, or none, and still have a `next`: a page looks at no more than 500.
   * @throws RangeError for an `after` that is no `next` of a page
   */
  list(query: SessionQuery, paging?: SessionPaging): Promise<SessionPage>
  /** Ends all that are meant, in all processes. Resolves with how many it has ended. */
  end(query: SessionQuery): Promise<number>
  /** Ends one. False when there is none. With the `frontend` it is found sooner. */
  endOne(handle: string, frontend?: string): Promise<boolean>
  /** How many sessions each frontend has, by its name: an estimate, at most a minute old. */
  estimate(): Promise<ReadonlyMap<string, number>>
}

/** What is administered, as it is served at the moment. */
export interface Administered {
  readonly frontends: readonly ProvisionedFrontend[]
  readonly options: { readonly seal: Seal }
}

/** Sessions that a page looks at: a query that few fit must not read a whole store for one answer. */
const mostLooked = 500
/** Sessions that are looked at, or ended, together. */
const abreast = 16

export function createSessionAdministration(current: () => Administered, now: () => number): SessionAdministration {
  const census = createSessionCensus(now)

  const look = async ({ frontend, key }: Found, query: SessionQuery): Promise<AdministeredSession | undefined> => {
    const { sessions, name } = frontend
    const [isAlive, owner] = await Promise.all([sessions.isAlive(key), sessions.roll.ownerOf(key)])
    if (!isAlive) {
      await sessions.roll.leave(key)
      return undefined
    }
    if (query.authority !== undefined && !isOf(query.authority, owner, frontend.options)) return undefined
    const subject = owner?.subject ?? query.subject
    const activity = subject === undefined ? undefined : await sessions.activityOf(key, subject)
    const begunAt = owner?.createdAt ?? activity?.createdAt
    if (query.olderThan !== undefined && (begunAt === undefined || begunAt > now() - query.olderThan)) return undefined
    return {
      handle: sessions.handleOf(key),
      frontend: name,
      ...(owner?.authority !== undefined && { authority: owner.authority }),
      ...(subject !== undefined && { subject }),
      ...(begunAt !== undefined && { begunAt }),
      ...(activity && { lastUsedAt: activity.lastSeen, address: activity.address, userAgent: activity.userAgent }),
    }
  }
  const endFound = ({ frontend, key }: Found): Promise<boolean> => frontend.sessions.end({ key }, 'administrator')

  return {
    async list(query, { after, limit = 50 }: SessionPaging = {}) {
      const { frontends, options } = current()
      const position = after === undefined ? undefined : unsealPosition(options.seal, after)
      const sessions: AdministeredSession[] = []
      let looked = 0
      for await (const batch of batches(searchSessions(frontends, query, position))) {
        const seen = await Promise.all(batch.map((found) => look(found, query)))
        for (const [index, session] of seen.entries()) {
          if (session !== undefined) sessions.push(session)
          looked++
          const last = batch[index]
          if (last !== undefined && (sessions.length === limit || looked === mostLooked))
            return { sessions, next: sealPosition(options.seal, last) }
        }
      }
      return { sessions }
    },

    async end(query) {
      let ended = 0
      for await (const batch of batches(searchSessions(current().frontends, query))) {
        const meant = await Promise.all(
          batch.map(async (found) => saysKeysAlone(query) || (await look(found, query)) !== undefined),
        )
        const done = await Promise.all(batch.filter((_, index) => meant[index]).map(endFound))
        ended += done.filter((wasThere) => wasThere).length
      }
      return ended
    },

    async endOne(handle, frontend) {
      const query = frontend === undefined ? {} : { frontend }
      for await (const found of searchSessions(current().frontends, query))
        if (found.frontend.sessions.hasHandle(found.key, handle)) return endFound(found)
      return false
    },

    estimate: () => census(current().frontends),
  }
}

/** Whether no session has to be looked at: those that are found are meant. */
function saysKeysAlone({ olderThan, authority }: SessionQuery): boolean {
  return olderThan === undefined && authority === undefined
}

/** @param authority a name in the frontend, or an issuer identifier, which no name can be taken for */
function isOf(authority: string, owner: SessionOwner | undefined, options: FrontendOptions): boolean {
  const [only, ...others] = issuersOf(options)
  const issuer = owner?.issuer ?? (others.length === 0 ? only : undefined)
  return authority === issuer || authority === owner?.authority
}

async function* batches(found: AsyncIterable<Found>): AsyncGenerator<readonly Found[]> {
  let batch: Found[] = []
  for await (const one of found) {
    batch.push(one)
    if (batch.length < abreast) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
