import type { Attack } from './attack.js'
import { page } from './documents.js'

const href = page('authorization-server.md#what-it-answers')

/** The attacker has a code, and even the client's key: the worst case, so that nothing else can refuse first. */
export const serverAttacks: readonly Attack[] = [
  {
    name: 'code-twice',
    title: 'Use a code twice',
    at: 'authorization-server',
    says: 'With the right verifier and the right key. One of the two was a thief, so the tokens of the first use end with it: at last the API refuses them.',
    expected: 'invalid_grant',
    remedy: 'Redeem a code once. After an answer that was lost, begin another login.',
    href,
    async run({ fetch, api, client, codeFor }, strike) {
      const own = { verifier: client.newVerifier(), prover: client.newKey() }
      const code = await codeFor(await client.push(own))
      const first = (await (await client.redeem(code, own)).json()) as { access_token: string }
      await strike(() => client.redeem(code, own))
      // What came of the first use is worth nothing any more.
      const accessToken = first.access_token
      const proof = own.prover.prove({ method: 'GET', url: api, accessToken })
      const answer = await fetch(api, { headers: { Authorization: `DPoP ${accessToken}`, DPoP: proof } })
      await answer.body?.cancel()
    },
  },
  {
    name: 'wrong-verifier',
    title: 'Use a stolen code (PKCE)',
    at: 'authorization-server',
    says: 'The attacker has the code and all keys, but not the verifier: that never left the gateway.',
    expected: 'invalid_grant',
    remedy: 'Send the code_verifier whose SHA-256 was pushed as code_challenge.',
    href,
    async run({ client, codeFor }, strike) {
      const own = { verifier: client.newVerifier(), prover: client.newKey() }
      const code = await codeFor(await client.push(own))
      await strike(() => client.redeem(code, { ...own, verifier: client.newVerifier() }))
    },
  },
  {
    name: 'code-with-other-key',
    title: 'Redeem a code with another key',
    at: 'authorization-server',
    says: 'Now with the verifier too. The request had named the DPoP key, and the code is bound to it.',
    expected: 'invalid_grant',
    remedy: 'Redeem a code with the key whose proof, or dpop_jkt, was pushed.',
    href,
    async run({ client, codeFor }, strike) {
      const own = { verifier: client.newVerifier(), prover: client.newKey() }
      const code = await codeFor(await client.push(own))
      await strike(() => client.redeem(code, { ...own, prover: client.newKey() }))
    },
  },
  {
    name: 'assertion-twice',
    title: 'Use a client assertion twice',
    at: 'authorization-server',
    says: 'The attacker has caught what the gateway proves itself with.',
    expected: 'invalid_client',
    remedy: 'Sign a new assertion for each request, with a jti of its own.',
    href,
    async run({ client }, strike) {
      const own = { verifier: client.newVerifier(), prover: client.newKey(), assertion: await client.assertion() }
      await client.redeem('none', own)
      await strike(() => client.redeem('none', own))
    },
  },
  {
    name: 'not-pushed',
    title: 'Ask without pushing',
    at: 'authorization-server',
    says: 'An authorization request in the address, where the browser, its history and its extensions can change it.',
    expected: 'invalid_request',
    remedy: 'Push the request (PAR), and send the browser with client_id and request_uri.',
    href,
    async run({ client, newBrowser }, strike) {
      const url = await client.push({ verifier: client.newVerifier(), prover: client.newKey() })
      url.searchParams.delete('request_uri')
      url.searchParams.set('response_type', 'code')
      url.searchParams.set('redirect_uri', client.redirectUri)
      await strike(() =>
        newBrowser().send(url, { headers: { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' } }),
      )
    },
  },
  {
    name: 'request-twice',
    title: 'Open a finished request again',
    at: 'authorization-server',
    says: 'From the browser’s history, after the login.',
    expected: 'invalid_request_uri',
    remedy: 'Begin another login.',
    href,
    async run({ client, victim, codeFor }, strike) {
      const url = await client.push({ verifier: client.newVerifier(), prover: client.newKey() })
      await codeFor(url)
      await strike(() => victim.send(url, { headers: { 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' } }))
    },
  },
]
