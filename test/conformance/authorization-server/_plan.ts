import { randomUUID } from 'node:crypto'
import test from 'ava'
import type { JWK } from 'jose'
import { anAuthority, type Certificate, selfSigned } from '../../http/_self-signed.js'
import { byKeys, type ClientSecurity, combinationOf, usesMutualTls } from '../_client-security.js'
import { createSender, type Send } from '../_http.js'
import { differentKeys, type FapiAlgorithm, type KeyPair } from '../_jose.js'
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

/** What is left of a plan for other ways to authenticate and to bind tokens. */
export function planFor(modules: readonly Module[], { authentication, constraint }: ClientSecurity): readonly Module[] {
  const aboutAssertions = clientAuthentication.filter(({ name }) => name !== 'ensure-client-id-in-token-endpoint')
  return modules
    .filter((module) => constraint === 'dpop' || !dpop.includes(module))
    .filter((module) => authentication === 'private_key_jwt' || !aboutAssertions.includes(module))
}

export type Variant = 'openid_connect' | 'plain_oauth'

export interface PlanOptions {
  readonly start: StartServer
  readonly variant: Variant
  /** Of the clients' authentication keys and of their proofs. */
  readonly algorithm: FapiAlgorithm
  /** Default: nothing is signed, as in the plan of the Security Profile. */
  readonly signing?: MessageSigning
  /** Default: by keys. */
  readonly security?: ClientSecurity
  readonly modules?: readonly Module[]
}

const user = { name: 'alice', password: randomUUID() }

/** Registers one test per module, named by the module. */
export function plan({
  start,
  variant,
  algorithm,
  signing = nothingSigned,
  security = byKeys,
  modules = planFor(signing.requests === 'unsigned' ? testPlan : signedTestPlan, security),
}: PlanOptions): void {
  const openid = variant === 'openid_connect'
  const { send, close } = createSender()
  let shared: Running | undefined
  let keys: readonly [KeyPair, KeyPair, KeyPair, KeyPair, KeyPair]
  let certificates: Certificates | undefined

  test.before(async () => {
    keys = (await differentKeys(5, algorithm)) as typeof keys
    if (usesMutualTls(security)) certificates = await makeCertificates()
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
    const [certificate1, certificate2] = [certificates?.one, certificates?.two].map((certificate) =>
      certificate === undefined ? {} : { certificate },
    )
    const first = { id: 'client-1', key: key1, proofKey: proof1, ...certificate1 }
    const one: SuiteClient = { ...first, redirectUri: callback, scope, which: 1 }
    const redirectUri = `${callback}?dummy1=lorem&dummy2=ipsum`
    const second = { id: 'client-2', key: key2, proofKey: proof2, ...certificate2 }
    const two: SuiteClient = { ...second, redirectUri, scope, which: 2 }
    const registration: Registration = {
      user,
      signing,
      security,
      ...(certificates !== undefined && { authority: certificates.authority }),
      clients: [one, two].map((client) => ({
        id: client.id,
        scope: client.scope,
        publicJwk: client.key.publicJwk,
        redirectUris: [client.redirectUri],
        ...(client.certificate !== undefined && { certificate: client.certificate.cert }),
      })),
    }
    const server = await start(registration)
    return { server, one, two, stranger, ...(await fetchMetadata(send, server.issuer)) }
  }

  for (const module of modules) {
    if (module.openidOnly && !openid) continue
    // One after the other: client and server share this process and would only starve each other's timers.
    test.serial(
      `${module.name} (${variant}, ${algorithm} clients${titleOf(signing)}${combinationOf(security)})`,
      async (t) => {
        const running = module.movesClock ? await run() : shared
        if (running === undefined) return t.fail('the server did not start')
        const { server, one, two, stranger, metadata, jwks } = running
        try {
          const conversation = createConversation({ t, server, send, openid, signing, security, metadata, jwks, user })
          const skip = (reason: string): void => t.log(`SKIPPED: ${reason}`)
          await module.run({ conversation, one, two, stranger, skip })
          t.pass()
        } finally {
          if (module.movesClock) await server.close()
        }
      },
    )
  }
}

interface Certificates {
  /** PEM */
  readonly authority: string
  readonly one: Certificate
  readonly two: Certificate
}

/** Of an authority, and one that has signed itself: both ways to be known (RFC 8705 §2). */
async function makeCertificates(): Promise<Certificates> {
  const authority = await anAuthority()
  const [one, two] = await Promise.all([authority.issue({ subject: '/CN=client-1' }), selfSigned()])
  return { authority: authority.cert, one, two }
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
