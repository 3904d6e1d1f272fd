import type { FrontendOptions } from '../options.js'
import { isSameClient, type SessionRecord } from '../session/session-record.js'

/** Names an authorization server among those of a frontend. */
export interface AuthorityName {
  readonly name: string
  /** What users choose by. */
  readonly displayName: string
}

/** A frontend as the client of one of its authorization servers. `authority` is undefined where there is one. */
export interface AuthorityClient {
  readonly options: FrontendOptions
  readonly authority?: AuthorityName | undefined
}

/** The authorization servers of a frontend that has several. */
export interface Authorities<Client extends AuthorityClient> {
  /** The first one is for what has no user. */
  readonly all: readonly Client[]
  /** Undefined: there is none of that name. */
  named(name: string | undefined): Client | undefined
  /** The one that a session is of. @throws TypeError for one that `sessions.open` would not have opened */
  of(record: SessionRecord): Client
  /** Those that this issuer signs for with this audience, which may be several. Neither of the two is to be believed yet. */
  addressed(issuer: unknown, audience: unknown): readonly Client[]
}

/** For an event: which of several it was. */
export function ofAuthority({ authority }: Pick<AuthorityClient, 'authority'>): { readonly authority?: string } {
  return authority === undefined ? {} : { authority: authority.name }
}

/** Each once. */
export function issuersOf({
  authority,
  authorities,
}: {
  readonly authority: string
  readonly authorities?: FrontendOptions['authorities'] | undefined
}): readonly string[] {
  return [...new Set(authorities?.map((one) => one.authority ?? authority) ?? [authority])]
}

/** What a frontend is to each of its authorization servers: one or, with `authorities`, as many as it has. */
export function clientsOf(options: FrontendOptions): readonly AuthorityClient[] {
  const { authorities, ...common } = options
  if (authorities === undefined) return [{ options }]
  return authorities.map(({ name, displayName = name, ...own }) => ({
    options: { ...common, ...own },
    authority: { name, displayName },
  }))
}

/**
 * The client that a session is of. Undefined: the configuration has it no longer. Issuer and client identifier decide, so that
 * no server is ever shown a token of another; the name tells apart what has the same. A session that does not say it is of the
 * issuer of its ID token.
 */
export function clientOf<Client extends AuthorityClient>(
  clients: readonly Client[],
  { server, claims }: Pick<SessionRecord, 'server' | 'claims'>,
): Client | undefined {
  if (server === undefined) {
    const [only] = clients
    return clients.length === 1 && claims.iss === undefined
      ? only
      : clients.find(({ options }) => options.authority === claims.iss)
  }
  const same = clients.filter(({ options }) => isSameClient(server, options))
  return same.find(({ authority }) => authority?.name === server.name) ?? same[0]
}

export function createAuthorities<Client extends AuthorityClient>(all: readonly Client[]): Authorities<Client> {
  return {
    all,
    named: (name) => all.find(({ authority }) => authority?.name === name),
    of(record) {
      const client = clientOf(all, record)
      if (client === undefined) throw new TypeError('a session is of an authorization server that is not configured')
      return client
    },
    addressed: (issuer, audience) =>
      all.filter(
        ({ options: { authority, clientId } }) => authority === issuer && [audience].flat().includes(clientId),
      ),
  }
}
