import { createTrustedPeers, isNetwork } from '../../http/trusted-peers.js'
import { seconds } from '../duration.js'
import { fileKind } from '../file-kind.js'
import { type ListenAddress, listenAddress } from '../listen-address.js'
import { socketAddress } from '../socket-address.js'
import { repeatsItself } from './guessable.js'
import { networkProblems } from './network-problems.js'
import { problem, type Rule, repeated } from './rule.js'
import { socketProblems } from './socket-problems.js'

export const serverRules: readonly Rule[] = [
  function* somethingToRun({ settings }) {
    const parts = [settings.Bff, settings.OpenIddict, settings.AuthorizationServer, settings.Authentication]
    if (parts.every((part) => part === undefined))
      yield problem(
        '',
        'describes nothing to run',
        'Write "Bff", "OpenIddict" or both. `npx --no-install sallyport init` makes a start.',
      )
  },

  function* aGatewayHasFrontends({ settings, bff, authorizationServer, sampleApi }) {
    if (bff === undefined || bff.FrontendsFolder !== undefined || settings.Bff?.Frontends.length !== 0) return
    // The sealing keys stand there also for an authorization server by itself.
    const isOnlyForKeys = bff.Authority === undefined && bff.PublicUrl === undefined
    if (!isOnlyForKeys || (authorizationServer === undefined && sampleApi === undefined))
      yield problem(
        '/Bff/Frontends',
        'is missing, so that there is nothing to serve',
        'Write one entry per browser application, as in [{ "Name": "app" }].',
      )
  },

  function* oneNameForTheAuthorizationServer({ settings }) {
    if (settings.OpenIddict !== undefined && settings.AuthorizationServer !== undefined)
      yield problem(
        '/AuthorizationServer',
        'is the same section as "OpenIddict", which is there too',
        'Keep one of the two.',
      )
  },

  function* trustedProxiesAreRanges({ settings }) {
    yield* networkProblems('/Server/TrustedProxies', settings.Server.TrustedProxies)
  },

  function* aSocketIsForAProxy({ settings, listen }) {
    yield* socketProblems('/Server/Listen', listen)
    const isTrusted = createTrustedPeers(settings.Server.TrustedProxies.filter(isNetwork))
    if (listen.path !== undefined && !isTrusted('127.0.0.1'))
      yield problem(
        '/Server/Listen',
        'is a Unix socket, which a proxy connects to, and no proxy is trusted there: every client would count as one',
        'Write "127.0.0.1/32" into Server.TrustedProxies: who connects by the socket counts as that address.',
      )
  },

  function* headersOfConnectionsNeedAProxy({ settings, listen }) {
    if (settings.Server.ProxyProtocol === 'None') return
    if (settings.Server.TrustedProxies.length === 0)
      yield problem(
        '/Server/ProxyProtocol',
        'changes nothing, because no proxy is trusted',
        'Name your proxies in Server.TrustedProxies, or leave it out.',
      )
    if (listen.path !== undefined && settings.Server.Tls !== undefined)
      yield problem(
        '/Server/ProxyProtocol',
        'goes with a Unix socket or with Tls, not with both',
        'Listen on a port, or end TLS in the proxy.',
      )
  },

  function* aForwardedHostNeedsAProxy({ settings }) {
    if (settings.Server.TrustForwardedHost && settings.Server.TrustedProxies.length === 0)
      yield problem(
        '/Server/TrustForwardedHost',
        'changes nothing, because no proxy is trusted',
        'Name your proxies in Server.TrustedProxies, or leave it out and let them keep Host.',
      )
  },

  function* listenersAreApart({ settings, listen, frontends, authorizationServer, sampleApi, directory }) {
    const own = 'Give it a port of its own, such as "127.0.0.1:9464".'
    const { AdminListen, ForwardAuth } = settings.Server
    const listeners = [
      ...(frontends.length === 0 ? [] : [{ pointer: '/Server/Listen', address: listen }]),
      ...(AdminListen === undefined ? [] : [{ pointer: '/Server/AdminListen', address: listenAddress(AdminListen) }]),
      ...(authorizationServer?.listen === undefined
        ? []
        : [{ pointer: `${authorizationServer.pointer}/Listen`, address: authorizationServer.listen }]),
      ...(authorizationServer?.mutualTls?.listen === undefined
        ? []
        : [
            {
              pointer: `${authorizationServer.mutualTls.pointer}/Listen`,
              address: authorizationServer.mutualTls.listen,
            },
          ]),
      ...(sampleApi === undefined ? [] : [{ pointer: '/Authentication/OpenIddict/Listen', address: sampleApi.listen }]),
      ...(ForwardAuth === undefined
        ? []
        : [{ pointer: '/Server/ForwardAuth/Listen', address: socketAddress(ForwardAuth.Listen, directory) }]),
    ]
    for (const [index, later] of listeners.entries())
      for (const earlier of listeners.slice(0, index))
        if (clash(later.address, earlier.address))
          yield later.pointer.endsWith('AdminListen')
            ? problem(later.pointer, 'is the address that browsers use', own)
            : earlier.pointer === '/Server/Listen' && later.pointer === `${authorizationServer?.pointer}/Listen`
              ? problem(
                  later.pointer,
                  'is where the frontends are served',
                  'Leave it out to serve both there, told apart by host and path, or give it a port of its own.',
                )
              : problem(later.pointer, 'is taken by another listener of this file', own)
  },

  function* anAdminTokenCannotBeGuessed({ settings, adminToken }) {
    if (adminToken !== undefined && adminToken.length < 32)
      yield problem(
        '/Server/AdminToken',
        'has fewer than 32 characters, and could be guessed',
        'Take what `openssl rand -base64 32` prints.',
      )
    else if (adminToken !== undefined && repeatsItself(adminToken))
      yield problem(
        '/Server/AdminToken',
        'is made of a few characters again and again, and could be guessed',
        'Take what `openssl rand -base64 32` prints.',
      )
    if (settings.Server.AdminToken !== undefined && settings.Server.AdminListen === undefined)
      yield problem(
        '/Server/AdminToken',
        'opens nothing, because there is no AdminListen',
        'Write "AdminListen", such as "127.0.0.1:9464", or leave the token out.',
      )
  },

  function* stateIsAFolder({ stateDirectory }) {
    if (fileKind(stateDirectory) === 'file')
      yield problem(
        '/Server/StateDirectory',
        `names ${stateDirectory}, which is not a folder`,
        'Name a folder; it is made when it is not there.',
      )
  },

  function* sealingKeysDiffer({ sealingKeys }) {
    for (const [later, earlier] of repeated(sealingKeys, ({ text }) => text))
      yield problem(later.pointer, `is the same key as ${earlier.pointer}`, 'Keep one of the two.')
  },

  function* limitsOfTimeAreTimes({ settings }) {
    const { HeadTimeout, KeepAliveTimeout, ClientTimeout } = settings.Server.Limits
    for (const [name, value] of Object.entries({ HeadTimeout, KeepAliveTimeout, ClientTimeout }))
      if (seconds(value) < 1 || seconds(value) > 3600)
        yield problem(
          `/Server/Limits/${name}`,
          'is not between a second and an hour, so that a silent client would stay or a slow one could not come',
          'Write it as in "00:01:00", or leave it out.',
        )
  },

  function* sealingKeysAre32Bytes({ sealingKeys }) {
    for (const { pointer, text } of sealingKeys)
      if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text) || Buffer.from(text, 'base64url').length !== 32)
        yield problem(
          pointer,
          'is not 32 bytes in base64url',
          'Write what `npx --no-install sallyport keygen --sealing` prints.',
        )
  },

  function* timeToDrain({ settings }) {
    if (seconds(settings.Server.DrainTimeout) > 600)
      yield problem('/Server/DrainTimeout', 'is more than ten minutes', 'Write it as in "00:00:30".')
    if (seconds(settings.Server.DrainDelay) > 120)
      yield problem('/Server/DrainDelay', 'is more than two minutes', 'Write it as in "00:00:05".')
  },
]

function clash(one: ListenAddress, other: ListenAddress): boolean {
  if (one.path !== undefined) return one.path === other.path
  const isEvery = ({ host }: ListenAddress): boolean => host === '0.0.0.0' || host === '::'
  return one.port !== 0 && one.port === other.port && (one.host === other.host || isEvery(one) || isEvery(other))
}
