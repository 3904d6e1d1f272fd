import { createNonces } from '../../dpop/nonce.js'
import { createProofVerifier } from '../../dpop/verifier.js'
import { createFailureLimit } from '../../http/limits/network-limit.js'
import type { IsTrustedPeer } from '../../http/trusted-peers.js'
import type { Store } from '../../store/store.js'
import { publish } from '../../telemetry/events.js'
import { futureSkew } from '../defaults.js'
import type { ClientOptions } from '../options.js'
import { createClientAuthentication } from './authentication.js'
import type { MutualTlsOptions } from './certificate-options.js'
import { createCertificateReader } from './client-certificate.js'
import { createProofOfPossession } from './proof-of-possession.js'
import { createFirstUse } from './replay.js'
import { createRequestObjectReader } from './request-object.js'

export interface ClientServicesOptions {
  readonly clients: ReadonlyMap<string, ClientOptions>
  readonly issuer: string
  readonly store: Store
  readonly count: Store['count']
  readonly dpopNonces: 'required' | 'off'
  /** Of nonces. */
  readonly secret: Buffer
  readonly mutualTls: MutualTlsOptions | undefined
  readonly isTrustedPeer: IsTrustedPeer
  readonly now: () => number
}

/** How clients prove who they are, and that they hold their keys. */
export function createClientServices(options: ClientServicesOptions) {
  const { clients, issuer, store, count, dpopNonces, secret, mutualTls, isTrustedPeer, now } = options
  const firstUse = createFirstUse(store)
  const nonces = dpopNonces === 'off' ? undefined : createNonces({ secret, now })
  const certificateOf = createCertificateReader(mutualTls, isTrustedPeer, now)
  return {
    nonces,
    certificateOf,
    authenticateClient: createClientAuthentication({ clients, issuer, firstUse, certificateOf, now }),
    readRequestObject: createRequestObjectReader({ issuer, now }),
    provePossession: createProofOfPossession({
      verifyProof: createProofVerifier({ now, futureSkew }),
      aliases: mutualTls?.origin,
      nonces,
      firstUse,
    }),
    // Of requests whose client did not prove who it is. A client with a wrong key tries again and again, hence the hundreds.
    clientLimit: createFailureLimit({
      name: 'client',
      room: 300,
      store,
      count,
      onRefused: (network, refused) => publish({ type: 'as.network.limited', limit: 'client', network, refused }),
    }),
  }
}
