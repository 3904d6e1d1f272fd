import { hkdfSync } from 'node:crypto'
import type { AuthorizationServer } from '../authorization-server/authorization-server.js'
import type { Configuration } from '../config/load.js'
import { verifierDefaults } from '../dpop-validator/defaults.js'
import type { RevocableToken, VerifierOptions } from '../dpop-validator/options.js'
import { asReplayStore, createLocalReplayMemory } from '../dpop-validator/proof/replay-memory.js'
import type { Store } from '../store/store.js'

export interface VerifierPlace {
  readonly configuration: Configuration
  readonly store: Store
  /** Whose nonces they are: part of the secret. */
  readonly purpose: string
  /** The one that answers now, where it is in this process. */
  readonly authorizationServer: (() => AuthorizationServer | undefined) | undefined
}

type ReplayStore = Pick<Store, 'addIfAbsent'>

/** By the process's store, which outlives a reload: a verifier that is made anew must not accept a proof that the one before it has taken. */
const memories = new WeakMap<Store, Map<string, ReplayStore>>()

function usedProofs(store: Store, purpose: string): ReplayStore {
  const byPurpose = memories.get(store) ?? new Map<string, ReplayStore>()
  memories.set(store, byPurpose)
  const { replayCapacity: capacity } = verifierDefaults
  const memory =
    byPurpose.get(purpose) ?? asReplayStore(createLocalReplayMemory({ capacity, now: () => Date.now() / 1000 }))
  byPurpose.set(purpose, memory)
  return memory
}

/**
 * A verifier beside the other products of a process. Where there are other processes, each proof is accepted once by all of
 * them together, and a nonce of one is a nonce of all.
 */
export function verifierHere<Options extends Omit<VerifierOptions, 'publicUrl'>>(
  verifier: Options,
  { configuration, store, purpose, authorizationServer }: VerifierPlace,
): Options {
  const { sealingKeys, server, plan } = configuration
  const secret = Buffer.from(hkdfSync('sha256', sealingKeys[0] ?? '', '', purpose, 32))
  const nonce = verifier.nonce === true ? { nonce: { secret } } : {}
  const isOneOfSeveral = configuration.store.kind === 'redis' || server.workers > 1
  const shared = isOneOfSeveral ? { replay: store, ...nonce } : { replay: usedProofs(store, purpose) }
  // A signature says nothing of a token whose code was used twice, or whose user has signed out.
  const issuedHere = plan.authorizationServer?.settings.Issuer
  const revocation = authorizationServer && {
    isRevoked: (token: RevocableToken) =>
      token.issuer === issuedHere && (authorizationServer()?.isRevoked(token) ?? false),
  }
  return { ...verifier, ...shared, ...revocation }
}
