import { hkdfSync } from 'node:crypto'
import type { AuthorizationServer } from '../authorization-server/authorization-server.js'
import type { Configuration } from '../config/load.js'
import type { RevocableToken, VerifierOptions } from '../dpop-validator/options.js'
import { createMemoryStore, type MemoryStore } from '../store/memory-store.js'
import type { Store } from '../store/store.js'

export interface VerifierPlace {
  readonly configuration: Configuration
  readonly store: Store
  /** Whose nonces they are: part of the secret. */
  readonly purpose: string
  /** The one that answers now, where it is in this process. */
  readonly authorizationServer: (() => AuthorizationServer | undefined) | undefined
}

/** Bytes for the proofs of a minute. */
const usedProofsBytes = 100_000_000
/** By the process's store, which outlives a reload: a verifier that is made anew must not accept a proof that the one before it has taken. */
const memories = new WeakMap<Store, Map<string, MemoryStore>>()

function usedProofs(store: Store, purpose: string): MemoryStore {
  const byPurpose = memories.get(store) ?? new Map<string, MemoryStore>()
  memories.set(store, byPurpose)
  const memory = byPurpose.get(purpose) ?? createMemoryStore({ maxBytes: usedProofsBytes })
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
