import { frontendName } from '../frontend/frontend-grammar.js'
import { type MemberProblem, wrong } from '../frontend/member-problem.js'
import type { FrontendOptions } from '../options.js'
import { clientsOf } from './authorities.js'
import type { AuthorityOptions } from './authority-options.js'

/** Characters of what users choose by: it is a button on a small screen. */
const longestDisplayName = 80

/** @param problemsOf what is wrong with a frontend as the client of one authorization server */
export function* authorityProblems(
  options: FrontendOptions,
  problemsOf: (options: FrontendOptions) => Iterable<MemberProblem>,
): Generator<MemberProblem> {
  const { authorities } = options
  const told = new Set<string>()
  for (const [index, client] of clientsOf(options).entries()) {
    const own = authorities?.[index] ?? {}
    for (const found of problemsOf(client.options)) {
      const isOwn = Object.hasOwn(own, found.member.split('/')[0] ?? '')
      const member = isOwn ? `authorities/${index}/${found.member}` : found.member
      // What they leave out is wrong in one place.
      if (told.has(`${member} ${found.problem}`)) continue
      told.add(`${member} ${found.problem}`)
      yield { ...found, member }
    }
  }
  if (authorities !== undefined) yield* listProblems(options, authorities)
}

function* listProblems(options: FrontendOptions, authorities: readonly AuthorityOptions[]): Generator<MemberProblem> {
  if (authorities.length === 0)
    yield wrong('authorities', 'is empty, so that there is nowhere to sign in', 'Leave it out, or name them.')
  if (authorities.length > 1 && !options.requireIssuer)
    yield wrong(
      'requireIssuer',
      'is false beside several authorities: without "iss" one of them could pass its answer off as that of another (RFC 9207)',
      'Leave it out, or give each server that says no "iss" a frontend of its own.',
    )
  const servers = new Map<string, string>()
  const seen = { name: new Set<string>(), displayName: new Set<string>(), client: new Set<string>() }
  for (const [index, { options: client, authority }] of clientsOf(options).entries()) {
    const at = `authorities/${index}`
    const { name = '', displayName = '' } = authority ?? {}
    if (!frontendName.test(name))
      yield wrong(`${at}/name`, 'is not a name for a link', 'Use 1 to 32 letters, digits, "-" or "_".')
    if (isTaken(seen.name, name.toLowerCase()))
      yield wrong(`${at}/name`, 'is the name of another one of this frontend', 'Choose another.')
    if (displayName === '' || displayName.length > longestDisplayName || /\p{Cc}/u.test(displayName))
      yield wrong(
        `${at}/displayName`,
        `is empty, longer than ${longestDisplayName} characters, or has control characters`,
        'Write what users know it by.',
      )
    if (isTaken(seen.displayName, displayName))
      yield wrong(
        `${at}/displayName`,
        'is that of another one, so that users cannot tell them apart',
        'Choose another.',
      )
    const { authority: issuer, clientId, authorizationParameters = {}, clientAuthentication } = client
    const secret = 'secret' in clientAuthentication ? clientAuthentication.secret : undefined
    const knownAt = secret === undefined ? undefined : servers.get(secret)
    if (secret !== undefined && knownAt === undefined) servers.set(secret, issuer)
    if (knownAt !== undefined && knownAt !== issuer)
      yield wrong(
        `${at}/clientAuthentication/secret`,
        'is that of the client at another server, so that each of the two could pass itself off there as this client',
        'Give each server a secret of its own, in its entry.',
      )
    if (isTaken(seen.client, JSON.stringify([issuer, clientId, Object.entries(authorizationParameters).sort()])))
      yield wrong(at, 'is what another one is: the same server, client and parameters', 'Leave out one of the two.')
    if (client.scopes.includes('openid') !== options.scopes.includes('openid'))
      yield wrong(
        `${at}/scopes`,
        'has "openid", or has it not, unlike the others: rules about users would hold for some of them only',
        'Have it everywhere, or nowhere.',
      )
  }
}

function isTaken(seen: Set<string>, value: string): boolean {
  const taken = seen.has(value)
  seen.add(value)
  return taken
}
