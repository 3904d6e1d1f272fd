import type { Configuration } from '../../config/load.js'
import type { Trial } from '../probe/probe.js'
import { callRequirements } from './browser-apps-calls.js'
import { sessionRequirements } from './browser-apps-session.js'
import { clientRequirements } from './fapi-client.js'
import { networkRequirements } from './fapi-network.js'
import { serverRequirements } from './fapi-server.js'
import { messageSigningOfClients, messageSigningOfServers } from './message-signing.js'
import { type Assessment, type Requirement, subjectOf } from './requirement.js'

/** What a configuration does about each rule of the standards. */
export interface Conformance {
  readonly standards: readonly AssessedStandard[]
  readonly summary: Readonly<Record<Assessment['status'], number>>
}

export interface AssessedStandard {
  readonly name: string
  /** For a narrow column. */
  readonly short: string
  readonly url: string
  readonly groups: readonly AssessedGroup[]
}

export interface AssessedGroup {
  readonly name: string
  readonly rules: readonly AssessedRule[]
}

export interface AssessedRule extends Assessment {
  readonly section: string
  readonly level: Requirement['level']
  readonly requirement: string
  /** What `check` has tried about it just now. */
  readonly evidence: readonly Trial[]
  /** What stays with the people who run it. */
  readonly duty?: string
  /** Files of Sallyport's own tests. */
  readonly tests: readonly string[]
}

/** Every rule, as data. */
export const standards = [
  {
    name: 'FAPI 2.0 Security Profile',
    short: 'FAPI 2.0',
    url: 'https://openid.net/specs/fapi-security-profile-2_0-final.html',
    groups: [
      { name: 'Client: the gateway', requirements: clientRequirements },
      { name: 'Authorization server', requirements: serverRequirements },
      { name: 'Network, cryptography and APIs', requirements: networkRequirements },
    ],
  },
  {
    name: 'OAuth 2.0 for Browser-Based Applications',
    short: 'Browser apps',
    url: 'https://datatracker.ietf.org/doc/draft-ietf-oauth-browser-based-apps/',
    groups: [
      { name: 'Session and cookies', requirements: sessionRequirements },
      { name: 'Calls and page', requirements: callRequirements },
    ],
  },
  {
    name: 'FAPI 2.0 Message Signing',
    short: 'Message Signing',
    url: 'https://openid.net/specs/fapi-message-signing-2_0-final.html',
    groups: [
      { name: 'Client: the gateway, and APIs', requirements: messageSigningOfClients },
      { name: 'Authorization server', requirements: messageSigningOfServers },
    ],
  },
] as const satisfies readonly {
  readonly name: string
  readonly short: string
  readonly url: string
  readonly groups: readonly { readonly name: string; readonly requirements: readonly Requirement[] }[]
}[]

/** @param trials What `check` has tried. Empty: nothing, then there is no evidence. */
export function conformanceOf(configuration: Configuration, trials: readonly Trial[]): Conformance {
  const subject = subjectOf(configuration)
  const assessed = standards.map(({ name, short, url, groups }) => ({
    name,
    short,
    url,
    groups: groups.map((group) => ({
      name: group.name,
      rules: group.requirements.map(({ assess, trials: shown, tests, ...rule }: Requirement) => ({
        ...rule,
        ...assess(subject),
        evidence: shown === undefined ? [] : trials.filter((trial) => shown.test(trial.subject)),
        tests: tests.map((test) => `test/${test}.test.ts`),
      })),
    })),
  }))
  const count = (status: Assessment['status']): number =>
    assessed.flatMap(({ groups }) => groups.flatMap(({ rules }) => rules)).filter((rule) => rule.status === status)
      .length
  return {
    standards: assessed,
    summary: {
      met: count('met'),
      deviates: count('deviates'),
      operator: count('operator'),
      elsewhere: count('elsewhere'),
      absent: count('absent'),
    },
  }
}
