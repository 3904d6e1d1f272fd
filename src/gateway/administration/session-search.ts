import type { Seal } from '../../store/seal.js'
import type { ProvisionedFrontend } from '../request.js'
import { partsOfRoll } from '../session/session-roll.js'

/** Which sessions. What is left out does not matter. */
export interface SessionQuery {
  /** Name of the frontend. */
  readonly frontend?: string
  /** `sub` of the user. */
  readonly subject?: string
  /**
   * Their authorization server: its issuer identifier or, of several, its name in the frontend. Sessions of which that is not
   * known are not meant.
   */
  readonly authority?: string
  /** The authorization server's name for its own session. */
  readonly sid?: string
  /** Begun at least so many seconds ago. Sessions of which that is not known are not meant. */
  readonly olderThan?: number
}

/** A session that is perhaps still alive. */
export interface Found {
  readonly frontend: ProvisionedFrontend
  readonly part: number
  readonly key: string
}

/**
 * Sessions in an order that stays: by the indexes where a user or a server session is named, otherwise part by part.
 * @param after Those that come after this one. Default: all.
 */
export async function* searchSessions(
  frontends: readonly ProvisionedFrontend[],
  query: SessionQuery,
  after?: Position,
): AsyncGenerator<Found> {
  const meant = frontends.filter(({ name }) => query.frontend === undefined || name === query.frontend)
  const first = after === undefined ? 0 : meant.findIndex(({ name }) => name === after.frontend)
  if (first === -1) throw new RangeError('the frontend of the page before is gone')
  for (const frontend of meant.slice(first)) {
    const begin = frontend.name === after?.frontend ? after : undefined
    for (let part = begin?.part ?? 0; part < partsOf(query); part++)
      for (const key of await keysOf(frontend, part, query))
        if (part !== begin?.part || key > begin.key) yield { frontend, part, key }
  }
}

function isNamed({ subject, sid }: SessionQuery): boolean {
  return subject !== undefined || sid !== undefined
}

function partsOf(query: SessionQuery): number {
  return isNamed(query) ? 1 : partsOfRoll
}

async function keysOf(
  { sessions }: ProvisionedFrontend,
  part: number,
  { subject, sid }: SessionQuery,
): Promise<readonly string[]> {
  if (subject === undefined && sid === undefined) return sessions.roll.part(part)
  const [ofSubject, ofSid] = await Promise.all([
    subject === undefined ? undefined : sessions.ownKeysOf({ subject }),
    sid === undefined ? undefined : sessions.ownKeysOf({ sid }),
  ])
  const keys = ofSubject === undefined ? ofSid : ofSid === undefined ? ofSubject : both(ofSubject, ofSid)
  return [...(keys ?? [])].sort()
}

function both(keys: readonly string[], others: readonly string[]): readonly string[] {
  return keys.filter((key) => others.includes(key))
}

/** Where a page ended. */
export interface Position {
  readonly frontend: string
  readonly part: number
  readonly key: string
}

const context = 'page of sessions'

/** Sealed: where sessions rest is no reader's business. */
export function sealPosition(seal: Seal, { frontend, part, key }: Found): string {
  return seal.seal(JSON.stringify({ frontend: frontend.name, part, key } satisfies Position), '', context)
}

/** @throws RangeError */
export function unsealPosition(seal: Seal, text: string): Position {
  const position = seal.unseal(text, '', context)
  if (position === undefined) throw new RangeError('no page has ended there')
  return JSON.parse(position) as Position
}
