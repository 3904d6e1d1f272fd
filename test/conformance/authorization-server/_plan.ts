import { randomUUID } from 'node:crypto'
import test from 'ava'
import type { JWK } from 'jose'
import { createSender, type Send } from '../_http.js'
import { type FapiAlgorithm, generateKey, type KeyPair } from '../_jose.js'
import { type MessageSigning, nothingSigned, titleOf } from '../_message-signing.js'
import { createConversation, type Metadata } from './_conversation.js'
import type { Module } from './_module.js'
import type { Registration, ServerUnderTest, StartServer, SuiteClient } from './_server-under-test.js'
import { authorizationRequest } from './modules/authorization-request.js'
import { clientAuthentication } from './modules/client-authentication.js'
import { code } from './modules/code.js'
import { discovery } from './modules/discovery.js'
import { dpop } from './modules/dpop.js'
import { flow } from './modules/flow.js'
import { pushedRequest } from './modules/pushed-request.js'
import { signedRequest } from './modules/signed-request.js'

/** `fapi2-security-profile-final-test-plan` with private_key_jwt, dpop, plain_fapi, unsigned, plain_response. */
export const testPlan: readonly Module[] = [
  ...discovery,
  ...flow,
  ...dpop,
  ...authorizationRequest,
  ...clientAuthentication,
  ...code,
  ...pushedRequest,
]

/** `fapi2-message-signing-final-test-plan`, where requests are signed. */
export const signedTestPlan: readonly Module[] = [...testPlan, ...signedRequest]

export type Variant = 'openid_connect' | 'plain_oauth'

export interface PlanOptions {
  readonly start: StartServer
  readonly variant: Variant
  /** Of the clients' authentication keys and of their proofs. */
  readonly algorithm: FapiAlgorithm
  /** Default: nothing is signed, as in the plan of the Security Profile. */
  readonly signing?: MessageSigning
  readonly modules?: readonly Module[]
}

const user = { name: 'alice', password: randomUUID() }

/** Registers one test per module, named by the module. */
export function plan({
  start,
  variant,
  algorithm,
  signing = nothingSigned,
  modules = signing.requests === 'unsigned' ? testPlan : signedTestPlan,
}: PlanOptions): void {
  const openid = variant === 'openid_connect'
  const { send, close } = createSender()
  let shared: Running | undefined
  let keys: readonly [KeyPair, KeyPair, KeyPair, KeyPair, KeyPair]

  test.before(async () => {
    const make = () => generateKey(algorithm)
    keys = [await make(), await make(), await make(), await make(), await make()]
    shared = await run()
  })

  test.after.always(async () => {
    await shared?.server.close()
    await close()
  })

  async function run(): Promise<Running> {
    const [key1, key2, proof1, proof2, stranger] = keys
    const scope = openid ? 'openid offline_access accounts' : 'offline_access accounts'
    const callback = 'https://suite.example/test/a/sallyport/callback'
    const one = { id: 'client-1', key: key1, proofKey: proof1, redirectUri: callback, scope, which: 1 } as const
    const redirectUri = `${callback}?dummy1=lorem&dummy2=ipsum`
    const two = { id: 'client-2', key: key2, proofKey: proof2, redirectUri, scope, which: 2 } as const
    const registration: Registration = {
      user,
      signing,
      clients: [one, two].map((client) => ({
        id: client.id,
        scope: client.scope,
        publicJwk: client.key.publicJwk,
        redirectUris: [client.redirectUri],
      })),
    }
    const server = await start(registration)
    return { server, one, two, stranger, ...(await fetchMetadata(send, server.issuer)) }
  }

  for (const module of modules) {
    if (module.openidOnly && !openid) continue
    // One after the other: client and server share this process and would only starve each other's timers.
    test.serial(`${module.name} (${variant}, ${algorithm} clients${titleOf(signing)})`, async (t) => {
      const running = module.movesClock ? await run() : shared
      if (running === undefined) return t.fail('the server did not start')
      const { server, one, two, stranger, metadata, jwks } = running
      try {
        const conversation = createConversation({ t, server, send, openid, signing, metadata, jwks, user })
        const skip = (reason: string): void => t.log(`SKIPPED: ${reason}`)
        await module.run({ conversation, one, two, stranger, skip })
        t.pass()
      } finally {
        if (module.movesClock) await server.close()
      }
    })
  }
}

interface Running {
  readonly server: ServerUnderTest
  readonly one: SuiteClient
  readonly two: SuiteClient
  readonly stranger: KeyPair
  readonly metadata: Metadata
  readonly jwks: readonly JWK[]
}

export async function fetchMetadata(send: Send, issuer: string): Promise<Pick<Running, 'metadata' | 'jwks'>> {
  const document = await send(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`)
  const metadata = document.json() as Metadata
  const { keys } = (await send(metadata.jwks_uri)).json()
  return { metadata, jwks: Array.isArray(keys) ? (keys as JWK[]) : [] }
}
