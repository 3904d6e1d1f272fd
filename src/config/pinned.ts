import { isDeepStrictEqual } from 'node:util'
import type { ConfigurationProblem } from '../errors.js'
import type { Configuration } from './configuration.js'
import { addressText } from './listen-address.js'
import { isWithin } from './pointer.js'
import type { Settings } from './schema/schema.js'

/** What a process cannot change while it runs. */
export interface Pinned {
  /** With what the running process has in its place. */
  readonly settings: Settings
  /** What was to be different. */
  readonly kept: readonly ConfigurationProblem[]
}

interface Fixed {
  /** For a section that has two names, that which it has in the file. */
  readonly pointer: string
  /** What it comes to. Equal: nothing was to change. */
  of(configuration: Configuration): unknown
  put(settings: Settings, running: Configuration): Settings
}

/**
 * Sockets are bound, processes forked, and sessions are in the store: what these depend on needs a restart. The rest of the
 * settings is taken over around it.
 */
export function pinned(next: Configuration, running: Configuration): Pinned {
  let { settings } = next.plan
  const kept: ConfigurationProblem[] = []
  for (const { pointer, of, put } of fixedIn(
    serverSection(settings) ?? serverSection(running.plan.settings) ?? 'OpenIddict',
  )) {
    if (isDeepStrictEqual(of(next), of(running)) || kept.some((section) => isWithin(pointer, section.pointer))) continue
    settings = put(settings, running)
    kept.push({
      pointer,
      problem: 'cannot change while the process runs: what it was stays',
      remedy: 'Restart the process to take it over.',
    })
  }
  return { settings, kept }
}

/** By which of its two names it is there. */
function serverSection({ OpenIddict, AuthorizationServer }: Settings): ServerSection | undefined {
  if (OpenIddict !== undefined) return 'OpenIddict'
  return AuthorizationServer === undefined ? undefined : 'AuthorizationServer'
}

function fixedIn(server: ServerSection): readonly Fixed[] {
  return [
    section('Bff', ({ gateway }) => gateway !== undefined),
    {
      pointer: `/${server}`,
      of: ({ authorizationServer }) => authorizationServer !== undefined,
      put: ({ OpenIddict: _one, AuthorizationServer: _other, ...settings }, { plan }) => ({
        ...settings,
        OpenIddict: plan.settings.OpenIddict,
        AuthorizationServer: plan.settings.AuthorizationServer,
      }),
    },
    section('Authentication', ({ sampleApi }) => sampleApi !== undefined),
    // Where a file store lies follows from the state directory.
    section('Store', ({ store, plan }) => (store.kind === 'file' ? plan.settings.Store : store)),
    ofServer(
      'Listen',
      ({ server: { listen } }) => listen,
      ({ server: { listen } }) => addressText(listen),
    ),
    ofServer('AdminListen', ({ server: { adminListen } }) => adminListen),
    ofServer('Audit', ({ plan }) => plan.settings.Server.Audit),
    ofServer('AdminToken', ({ server: { adminToken } }) => adminToken),
    // As it is written: how its validator gets to the authorization server follows from settings that can change.
    ofServer('ForwardAuth', ({ plan }) => plan.settings.Server.ForwardAuth),
    ofServer('Tls', ({ server: { tls } }) => tls === undefined),
    ofServer('StoreGrace', ({ server: { storeGrace } }) => storeGrace),
    ofServer('ProxyProtocol', ({ server: { proxyProtocol } }) => proxyProtocol),
    ofServer('Workers', ({ server: { workers } }) => workers),
    ofServer('Limits', ({ plan }) => plan.settings.Server.Limits),
    ofServer(
      'StateDirectory',
      ({ stateDirectory }) => stateDirectory,
      ({ stateDirectory }) => stateDirectory,
    ),
    {
      pointer: `/${server}/Listen`,
      of: ({ authorizationServer }) => authorizationServer?.listen,
      put: (settings, { authorizationServer }) =>
        withListen(settings, server, authorizationServer?.listen && addressText(authorizationServer.listen)),
    },
    {
      pointer: `/${server}/Tls`,
      of: ({ authorizationServer }) => authorizationServer?.tls === undefined,
      put: (settings, { plan }) => withTls(settings, server, plan.settings),
    },
    {
      pointer: `/${server}/MutualTls/Listen`,
      of: ({ authorizationServer }) => authorizationServer?.mutualTls?.listen,
      put: (settings, { plan }) => withMutualTls(settings, server, plan.settings),
    },
    {
      pointer: '/Authentication/OpenIddict/Listen',
      of: ({ sampleApi }) => sampleApi?.listen,
      put: (settings, { sampleApi }) =>
        settings.Authentication === undefined || sampleApi === undefined
          ? settings
          : {
              ...settings,
              Authentication: {
                ...settings.Authentication,
                OpenIddict: { ...settings.Authentication.OpenIddict, Listen: addressText(sampleApi.listen) },
              },
            },
    },
  ]
}

function section(name: 'Bff' | 'Authentication' | 'Store', of: Fixed['of']): Fixed {
  return { pointer: `/${name}`, of, put: (settings, { plan }) => ({ ...settings, [name]: plan.settings[name] }) }
}

/** @param resolved What it came to, where the file may have said nothing. */
function ofServer(
  name: keyof Settings['Server'],
  of: Fixed['of'],
  resolved: (running: Configuration) => unknown = ({ plan }) => plan.settings.Server[name],
): Fixed {
  return {
    pointer: `/Server/${name}`,
    of,
    put: (settings, running) => ({ ...settings, Server: { ...settings.Server, [name]: resolved(running) } }),
  }
}

type ServerSection = 'OpenIddict' | 'AuthorizationServer'

function withListen(settings: Settings, name: ServerSection, Listen: string | undefined): Settings {
  const section = settings[name]
  return section === undefined ? settings : { ...settings, [name]: { ...section, Listen } }
}

function withTls(settings: Settings, name: ServerSection, running: Settings): Settings {
  const section = settings[name]
  const { Tls } = running.OpenIddict ?? running.AuthorizationServer ?? {}
  return section === undefined ? settings : { ...settings, [name]: { ...section, Tls } }
}

/** All of it: what else is in it is for the listener that stays. */
function withMutualTls(settings: Settings, name: ServerSection, running: Settings): Settings {
  const section = settings[name]
  const { MutualTls } = running.OpenIddict ?? running.AuthorizationServer ?? {}
  return section === undefined ? settings : { ...settings, [name]: { ...section, MutualTls } }
}
