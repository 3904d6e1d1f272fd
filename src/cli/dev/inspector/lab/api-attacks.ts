import type { Attack } from './attack.js'
import { page } from './documents.js'
import type { CaughtCall } from './lab.js'

const href = page('protect-an-api.md#what-clients-see')
const freshProof = 'Make a new proof for each request, also for the same one again.'

/** The attacker has listened between gateway and API, and has a token and its proof. */
export const apiAttacks: readonly Attack[] = [
  {
    name: 'replay-proof',
    title: 'Send a proof a second time',
    at: 'api',
    says: 'The last call of the API, letter by letter once more: token and proof are both genuine.',
    expected: 'invalid_dpop_proof',
    remedy: freshProof,
    href,
    async run({ fetch, caughtCall }, strike) {
      const call = await caughtCall()
      await strike(() => fetch(call.url, { method: call.method, headers: fieldsOf(call) }))
    },
  },
  {
    name: 'other-key',
    title: 'Use the token with another key',
    at: 'api',
    says: 'The token is stolen, its key is not: the attacker makes a perfect proof with a key of their own.',
    expected: 'invalid_token',
    remedy: 'Make the proof with the key that the token was asked for with: its thumbprint is cnf.jkt.',
    href,
    async run({ fetch, client, caughtCall }, strike) {
      const { method, url, authorization, accessToken } = await caughtCall()
      const proof = client.newKey().prove({ method, url, accessToken })
      await strike(() => fetch(url, { method, headers: { Authorization: authorization, DPoP: proof } }))
    },
  },
  {
    name: 'other-method',
    title: 'Change the method (htm)',
    at: 'api',
    says: 'A proof for reading is sent with a request that deletes.',
    expected: 'invalid_dpop_proof',
    remedy: 'htm is the method of the request, in capitals.',
    href,
    async run({ fetch, caughtCall }, strike) {
      const call = await caughtCall()
      await strike(() => fetch(call.url, { method: 'DELETE', headers: fieldsOf(call) }))
    },
  },
  {
    name: 'other-address',
    title: 'Change the address (htu)',
    at: 'api',
    says: 'A proof for one address is sent to another one of the same API.',
    expected: 'invalid_dpop_proof',
    remedy: 'htu is the address that is really called, without its query: behind a proxy, tell the API its publicUrl.',
    href: page('protect-an-api.md#behind-a-proxy'),
    async run({ fetch, caughtCall }, strike) {
      const call = await caughtCall()
      await strike(() =>
        fetch(new URL('/api/somewhere-else', call.url), { method: call.method, headers: fieldsOf(call) }),
      )
    },
  },
  {
    name: 'as-bearer',
    title: 'Use the token without a proof',
    at: 'api',
    says: 'As if it were a bearer token: who has it may use it.',
    expected: 'invalid_token',
    remedy: 'Send it as Authorization: DPoP, with a proof in the DPoP header.',
    href,
    async run({ fetch, caughtCall }, strike) {
      const { method, url, accessToken } = await caughtCall()
      await strike(() => fetch(url, { method, headers: { Authorization: `Bearer ${accessToken}` } }))
    },
  },
]

function fieldsOf({ authorization, proof }: CaughtCall): Record<string, string> {
  return { Authorization: authorization, DPoP: proof }
}
