import type { Configuration } from '../../config/load.js'
import { clientsOf, issuersOf } from '../../gateway/authorities/authorities.js'
import type { FrontendOptions } from '../../gateway/options.js'

/** A rule of a standard, and how to find out what a configuration does about it. */
export interface Requirement {
  /** The standard's own number: `5.3.3.1-1`. */
  readonly section: string
  readonly level: 'shall' | 'should' | 'may'
  /** In our words. */
  readonly requirement: string
  readonly assess: Assess
  /** Files below `test/` that prove it: without the folder and the ending. */
  readonly tests: readonly string[]
  /** Trials of `check` that show it, by their subject. */
  readonly trials?: RegExp
  /** What stays with the people who run it. */
  readonly duty?: string
}

export type Assess = (subject: Subject) => Assessment

export interface Assessment {
  /**
   * `met`: by the program, as it is configured. `deviates`: the configuration says otherwise. `operator`: people have to see to it.
   * `elsewhere`: another server has to. `absent`: there is nothing here that it is about.
   */
  readonly status: 'met' | 'deviates' | 'operator' | 'elsewhere' | 'absent'
  readonly how: string
  /** The settings that decide it. */
  readonly pointers?: readonly string[]
}

/** What is assessed. */
export interface Subject {
  readonly configuration: Configuration
  readonly frontends: readonly AssessedFrontend[]
}

export interface AssessedFrontend {
  readonly pointer: string
  readonly options: FrontendOptions
}

export function subjectOf(configuration: Configuration): Subject {
  return {
    configuration,
    frontends: (configuration.gateway?.frontends ?? []).map((options, index) => ({
      pointer: `/Bff/Frontends/${index}`,
      options,
    })),
  }
}

/** What no setting changes. */
export function always(how: string): Assess {
  return () => ({ status: 'met', how })
}

/** What no setting changes, of the gateway. */
export function ofGateway(how: string): Assess {
  return ({ frontends }) => (frontends.length === 0 ? noGateway : { status: 'met', how })
}

export const noGateway: Assessment = { status: 'absent', how: 'This configuration has no frontends.' }

/** What the embedded server does, whatever is configured. Of other servers their operators know. */
export function ofServer(how: string | ((subject: Subject) => string)): Assess {
  return (subject) => {
    const foreign = foreignServers(subject)
    const elsewhere = foreign.length === 0 ? '' : `${foreign.join(', ')}: its operator has to show it.`
    if (subject.configuration.authorizationServer === undefined)
      return foreign.length === 0
        ? { status: 'absent', how: 'This configuration has no authorization server.' }
        : { status: 'elsewhere', how: elsewhere }
    const own = typeof how === 'string' ? how : how(subject)
    return { status: 'met', how: elsewhere === '' ? own : `The embedded server: ${own} ${elsewhere}` }
  }
}

export function foreignServers({ configuration, frontends }: Subject): readonly string[] {
  const own = configuration.plan.authorizationServer?.settings.Issuer
  return [...new Set(frontends.flatMap(({ options }) => issuersOf(options)))].filter((authority) => authority !== own)
}

/** Whether one of its authorization servers knows it by a secret. */
export function hasClientSecret(options: FrontendOptions): boolean {
  return clientsOf(options).some((client) => 'secret' in client.options.clientAuthentication)
}

/** Whether one of its authorization servers knows it by signed assertions. */
export function hasClientKey(options: FrontendOptions): boolean {
  return clientsOf(options).some((client) => client.options.clientAuthentication.method === 'private_key_jwt')
}

/** A setting that is off for some frontends: a member, and what that means. */
export interface Breach {
  readonly pointer: string
  readonly what: string
}

/** What holds unless a frontend says otherwise. */
export function eachFrontend(
  how: string,
  breachesOf: (frontend: AssessedFrontend, subject: Subject) => readonly Breach[],
  status: 'deviates' | 'operator' = 'deviates',
): Assess {
  return (subject) => {
    if (subject.frontends.length === 0) return noGateway
    const breaches = subject.frontends.flatMap((frontend) => breachesOf(frontend, subject))
    if (breaches.length === 0) return { status: 'met', how }
    return {
      status,
      how: [...new Set(breaches.map(({ what }) => what))].join(' '),
      pointers: breaches.map(({ pointer }) => pointer),
    }
  }
}

/** One breach, or none. */
export function breach(isBroken: boolean, pointer: string, what: string): readonly Breach[] {
  return isBroken ? [{ pointer, what }] : []
}
