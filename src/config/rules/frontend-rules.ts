import { longestGracePeriod, sameAddress } from '../../gateway/frontend/check-frontends.js'
import { hasEndpointSegment, isHeaderText, landsOnEndpoint } from '../../gateway/frontend/frontend-grammar.js'
import { isScope } from '../../http/scope.js'
import { seconds } from '../duration.js'
import { addressText } from '../listen-address.js'
import type { FrontendPlan } from '../resolve/frontend-plan.js'
import { problem, type Rule, repeated } from './rule.js'

export const frontendRules: readonly Rule[] = [
  function* frontendsAreComplete({ frontends, clients, listen }) {
    for (const { pointer, settings, authority, clientId } of clients) {
      if (authority === undefined)
        yield problem(
          '/Bff/Authority',
          'is missing, and there is no embedded authorization server in this file',
          "Write your authorization server's issuer identifier, as in its discovery document.",
        )
      if (clientId === undefined && settings.Name !== undefined)
        yield problem(
          `${pointer}/ClientId`,
          'is missing',
          'Write the client identifier that the authorization server gave this frontend.',
        )
    }
    for (const { publicUrl, publicUrlPointer } of frontends)
      if (publicUrl === undefined)
        yield problem(
          publicUrlPointer,
          `is missing, and cannot be told from listening on ${addressText(listen)}`,
          'Write the origin that browsers see, as in "https://app.example.com".',
        )
  },

  function* frontendsDoNotCollide({ frontends }) {
    const named = frontends.filter(({ name }) => name !== '')
    // Cookie names differ by case, but people and file systems do not.
    for (const [later, earlier] of repeated(named, ({ name }) => name.toLowerCase()))
      yield problem(
        `${later.pointer}/Name`,
        `is the name of ${earlier.pointer} too`,
        'Give each frontend a name of its own: sessions and cookies are kept under it.',
      )
    for (const [later, earlier] of sameAddress(frontends, addressOf))
      yield problem(
        `${later.pointer}/PathPrefix`,
        `answers to the same host and path as ${earlier.pointer}, so that one of the two is never reached`,
        'Give one of them another PathPrefix or other Hosts.',
      )
  },

  function* prefixesLeaveTheEndpointsAlone({ frontends }) {
    for (const { pointer, settings } of frontends)
      if (hasEndpointSegment(settings.PathPrefix))
        yield problem(
          `${pointer}/PathPrefix`,
          'contains the segment "bff", which the endpoints of frontends are named with',
          'Use another word.',
        )
  },

  function* namesAreWrittenPlainly({ frontends, clients }) {
    for (const { pointer, settings } of clients)
      if (settings.ClientId !== undefined && settings.ClientId !== settings.ClientId.trim())
        yield problem(`${pointer}/ClientId`, 'begins or ends with a space', `Write "${settings.ClientId.trim()}".`)
    for (const { pointer, settings } of frontends) {
      const policy = settings.ContentSecurityPolicy ?? undefined
      if (policy !== undefined && !isHeaderText(policy))
        yield problem(
          `${pointer}/ContentSecurityPolicy`,
          'has line breaks, or characters that a header cannot carry',
          'Write it in one line, in ASCII.',
        )
    }
  },

  function* landingsAreOfTheApplication({ frontends }) {
    for (const { pointer, settings } of frontends)
      for (const member of ['PostLoginRedirectPath', 'PostLogoutRedirectPath', 'ErrorRedirectPath'] as const)
        if (landsOnEndpoint(settings[member] ?? '', settings.PathPrefix))
          yield problem(
            `${pointer}/${member}`,
            'is an endpoint of the gateway: browsers would go round in circles',
            `Write a page of the application, such as "${settings.PathPrefix}/".`,
          )
  },

  function* sessionsEndInOrder({ bff, frontends }) {
    if (bff === undefined) return
    if (seconds(bff.SessionDuration) > seconds(bff.SessionAbsoluteMaxDuration))
      yield problem(
        '/Bff/SessionDuration',
        'is longer than SessionAbsoluteMaxDuration, which ends the session before',
        `Write "${bff.SessionAbsoluteMaxDuration}" at most.`,
      )
    for (const member of ['SessionDuration', 'SessionAbsoluteMaxDuration'] as const)
      if (seconds(bff[member]) < 60)
        yield problem(`/Bff/${member}`, 'is less than a minute', 'Write it as in "08:00:00" (hours, minutes, seconds).')
    if (seconds(bff.RefreshGracePeriod) > longestGracePeriod)
      yield problem(
        '/Bff/RefreshGracePeriod',
        'is more than ten minutes, so that many a token would be refreshed on every call',
        'Write it as in "00:01:00".',
      )
    for (const { pointer, settings } of frontends) {
      if (settings.SessionDuration === undefined && settings.SessionAbsoluteMaxDuration === undefined) continue
      const idle = settings.SessionDuration ?? bff.SessionDuration
      const absolute = settings.SessionAbsoluteMaxDuration ?? bff.SessionAbsoluteMaxDuration
      if (seconds(idle) > seconds(absolute))
        yield problem(
          `${pointer}/${settings.SessionDuration === undefined ? 'SessionAbsoluteMaxDuration' : 'SessionDuration'}`,
          `makes the idle time ${idle} longer than the absolute limit ${absolute}`,
          'Make the idle time the shorter one.',
        )
    }
  },

  function* scopesAreNames({ clients }) {
    for (const { pointer, scopes } of clients) {
      for (const [index, scope] of scopes.entries())
        if (!isScope(scope))
          yield problem(
            `${pointer}/Scopes/${index}`,
            'is not the name of one scope',
            'Write each scope as an entry of its own, without spaces.',
          )
    }
  },
]

function addressOf({ publicUrl, hosts, settings }: FrontendPlan) {
  return publicUrl === undefined ? undefined : { hosts, pathPrefix: settings.PathPrefix }
}
