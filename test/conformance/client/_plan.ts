import test from 'ava'
import { type Certificate, selfSigned } from '../../http/_self-signed.js'
import { byKeys, type ClientSecurity, combinationOf, usesMutualTls } from '../_client-security.js'
import { createSender } from '../_http.js'
import { trustedCertificates } from '../_https.js'
import { type FapiAlgorithm, generateKey, type KeyPair } from '../_jose.js'
import { type MessageSigning, nothingSigned, titleOf } from '../_message-signing.js'
import { createUserAgent } from '../_user-agent.js'
import { type MisbehavingServer, startMisbehavingServer } from './_authorization-server.js'
import type { StartClient } from './_client-under-test.js'
import { type ClientModule, clientPlanFor, clientTestPlan, type Outcome, signedClientTestPlan } from './_modules.js'
import { generateServerKeys, type ServerKeys } from './_server-keys.js'

export interface ClientPlanOptions {
  readonly start: StartClient
  readonly variant: 'oidc' | 'plain_oauth'
  /** Of the client's authentication key. */
  readonly clientAlgorithm?: FapiAlgorithm
  /** Of the server's ID tokens. */
  readonly serverAlgorithm?: FapiAlgorithm
  /** Default: nothing is signed, as in the plan of the Security Profile. */
  readonly signing?: MessageSigning
  /** Default: by keys. */
  readonly security?: ClientSecurity
  readonly modules?: readonly ClientModule[]
}

/** Registers one test per module, named by the module. Each has a server and a client of its own. */
export function clientPlan({
  start,
  variant,
  clientAlgorithm = 'PS256',
  serverAlgorithm = 'PS256',
  signing = nothingSigned,
  security = byKeys,
  modules = clientPlanFor(signing.responses === 'jarm' ? signedClientTestPlan : clientTestPlan, security),
}: ClientPlanOptions): void {
  const openid = variant === 'oidc'
  let clientKey: KeyPair
  let serverKeys: ServerKeys
  let certificate: Certificate | undefined

  test.before(async () => {
    clientKey = await generateKey(clientAlgorithm)
    if (usesMutualTls(security)) certificate = await selfSigned(['client.example'])
    serverKeys = await generateServerKeys(serverAlgorithm)
  })

  for (const module of modules) {
    if (module.openidOnly && !openid) continue
    const parties = `${clientAlgorithm} client, ${serverAlgorithm} server${titleOf(signing)}${combinationOf(security)}`
    test.serial(`${module.name} (${variant}, ${parties})`, async (t) => {
      const scope = openid ? 'openid accounts' : 'accounts'
      const known = certificate === undefined ? {} : { certificate: certificate.cert }
      const registration = { id: 'client-1', key: clientKey, ...known, scope, redirectUri: '' }
      const { misbehaviour } = module
      const server = await startMisbehavingServer({
        client: registration,
        keys: serverKeys,
        misbehaviour,
        signing,
        security,
      })
      const { send, close } = createSender()
      try {
        const client = await start({
          issuer: server.issuer,
          accountsUrl: server.accountsUrl,
          clientId: registration.id,
          key: clientKey,
          scope,
          signing,
          security,
          ...(certificate !== undefined && { certificate, issuerCa: trustedCertificates.join('\n') }),
        })
        try {
          registration.redirectUri = client.redirectUri
          const userAgent = createUserAgent({ send, leaves: () => false })
          await userAgent.open(client.loginUrl)
          const call = [
            'accept',
            'application/json',
            'x-csrf',
            '1',
            'sec-fetch-site',
            'same-origin',
            'sec-fetch-mode',
            'cors',
          ]
          const accounts = await userAgent.send(client.accountsUrl, { headers: call })
          t.deepEqual(server.violations, [])
          const missing = { state: !server.stateSent, nonce: !server.nonceSent }
          if (module.needs !== undefined && missing[module.needs]) {
            t.log(`SKIPPED: the client has sent no ${module.needs}`)
            return
          }
          t.deepEqual(forbidden(server, module.outcome), [], `calls: ${server.calls.join(' ')}`)
          if (module.outcome === 'completes') {
            t.is(accounts.status, 200, `${accounts.body} after ${server.calls.join(' ')}`)
            t.true(server.served)
          } else {
            t.is(accounts.status, 401, accounts.body)
            t.false(server.served)
            // The module has reached its point.
            if (module.outcome === 'stops after authorize') t.true(server.calls.includes('authorize'))
            if (module.outcome === 'stops after token') t.true(server.calls.includes('token'))
          }
        } finally {
          await client.close()
        }
      } finally {
        await server.close()
        await close()
      }
    })
  }
}

function forbidden(server: MisbehavingServer, outcome: Outcome): readonly string[] {
  switch (outcome) {
    case 'completes':
      return []
    case 'stops after discovery':
      return server.calls.filter((call) => call !== 'discovery')
    case 'stops after authorize':
      return server.calls
        .slice(server.calls.indexOf('authorize'))
        .filter((call) => !['authorize', 'jwks', 'discovery'].includes(call))
    case 'stops after token':
      return server.callsAfterTokens.filter((call) => !['jwks', 'discovery'].includes(call))
  }
}
