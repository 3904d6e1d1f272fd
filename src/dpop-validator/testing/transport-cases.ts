import { type AttackCase, attackCase, attackCases } from './attack-case.js'

/** Header fields, schemes, hosts and methods. */
export const transportCases: readonly AttackCase[] = [
  attackCase('1', 'no Authorization and no DPoP', 'missing_credentials', () => ({ authorization: [], proof: [] })),
  attackCase('1b', 'a proof without a token', 'missing_credentials', () => ({ authorization: [] })),
  attackCase('2', 'the Basic scheme', 'missing_credentials', () => ({ authorization: 'Basic YTpi', proof: [] })),
  ...attackCases('3', 'the scheme spelled', 'accepted', ['dpop', 'DPOP', 'dPoP'], (kit, scheme) => ({
    authorization: `${scheme} ${kit.token}`,
  })),
  attackCase('3x', 'two spaces after the scheme', 'accepted', (kit) => ({ authorization: `DPoP  ${kit.token}` })),
  attackCase('5', 'a tab after the scheme', 'invalid_request', (kit) => ({ authorization: `DPoP\t${kit.token}` })),
  attackCase('6', 'a scheme without a token', 'invalid_request', () => ({ authorization: 'DPoP' })),
  ...attackCases('7', 'a token with', 'invalid_request', ['"', '\xe9', ' ', ',', '\\'], (kit, character) => ({
    authorization: `DPoP ${kit.token.slice(0, 20)}${character}${kit.token.slice(20)}`,
  })),
  attackCase('9', 'two Authorization fields of one value', 'invalid_request', (kit) => ({
    authorization: [`DPoP ${kit.token}`, `DPoP ${kit.token}`],
  })),
  attackCase('10', 'Bearer, then DPoP', 'invalid_request', (kit) => ({
    authorization: [`Bearer ${kit.token}`, `DPoP ${kit.token}`],
  })),
  attackCase('11', 'two credentials in one field', 'invalid_request', (kit) => ({
    authorization: `Bearer ${kit.token}, DPoP ${kit.token}`,
  })),
  {
    id: '13',
    title: 'two DPoP fields, identical',
    steps: (kit) => {
      const proof = kit.proof()
      return [{ request: kit.request({ proof: [proof, proof] }), expected: 'invalid_dpop_proof' }]
    },
  },
  attackCase('13b', 'two DPoP fields, the first one good', 'invalid_dpop_proof', (kit) => ({
    proof: [kit.proof(), 'x'],
  })),
  attackCase('14', 'two proofs in one field', 'invalid_dpop_proof', (kit) => ({
    proof: `${kit.proof()}, ${kit.proof()}`,
  })),
  attackCase('15', 'an empty DPoP field', 'invalid_dpop_proof', () => ({ proof: '' })),
  attackCase('16', 'the DPoP scheme without a proof', 'invalid_dpop_proof', () => ({ proof: [] })),
  ...attackCases('17', 'the field name spelled', 'accepted', ['DPOP', 'dpop'], (kit, name) => ({
    proof: [],
    headers: [[name, kit.proof()]],
  })),
  attackCase('18', 'a bound token as Bearer', 'invalid_token (Bearer)', (kit) => ({
    authorization: `Bearer ${kit.token}`,
    proof: [],
  })),
  attackCase('19', 'a bound token as Bearer with a perfect proof', 'invalid_token (Bearer)', (kit) => ({
    authorization: `Bearer ${kit.token}`,
  })),
  attackCase('22', 'an unbound token as Bearer', 'invalid_token (Bearer)', (kit) => ({
    authorization: `Bearer ${kit.mintToken({ claims: { cnf: undefined } })}`,
    proof: [],
  })),
  attackCase('24', 'a bound token in the query', 'invalid_request', (kit) => ({
    authorization: [],
    target: withQuery(kit.target, `access_token=${kit.token}`),
  })),
  attackCase('24b', 'a token in the query, the name encoded', 'invalid_request', (kit) => ({
    authorization: [],
    target: withQuery(kit.target, `access%5Ftoken=${kit.token}`),
  })),
  attackCase('25', 'an unbound token in the query', 'invalid_request', (kit) => ({
    authorization: [],
    proof: [],
    target: withQuery(kit.target, `access_token=${kit.mintToken({ claims: { cnf: undefined } })}`),
  })),
  attackCase('26', 'a token in a form body', 'missing_credentials', (kit) => ({
    method: 'POST',
    authorization: [],
    proof: kit.proof({ method: 'POST' }),
    headers: [['Content-Type', 'application/x-www-form-urlencoded']],
    body: `access_token=${kit.token}`,
  })),
  attackCase('27', 'tokens in header and query', 'invalid_request', (kit) => ({
    target: withQuery(kit.target, `access_token=${kit.token}`),
  })),
  attackCase('29', 'a proof of 20 KB', 'refused by the server', () => ({ proof: 'e'.repeat(20_000) })),
  attackCase('30', 'a proof of 9 KB', 'invalid_dpop_proof', (kit) => ({
    proof: kit.proof({ claims: { x: 'y'.repeat(6_500) } }),
  })),
  attackCase('33', 'two Host fields', 'invalid_request', (kit) => ({ host: [hostOf(kit.url), 'other.example'] })),
  attackCase('34', 'no Host', 'refused by the server', () => ({ host: [] })),
  attackCase('34b', 'an empty Host', 'invalid_request', () => ({ host: '' })),
  attackCase('35', 'a path in Host', 'invalid_request', (kit) => ({ host: `${hostOf(kit.url)}/public?` })),
  attackCase('35b', 'a user in Host', 'invalid_request', (kit) => ({ host: `user@${hostOf(kit.url)}` })),
  ...attackCases('36', 'a port that is none in Host', 'invalid_request', ['99999', '65536'], (kit, port) => ({
    host: `${new URL(kit.url).hostname}:${port}`,
  })),
  ...attackCases(
    '37',
    'a proof for another host that Host names, with',
    'invalid_dpop_proof',
    ['http', 'https'],
    (kit, scheme) => ({
      host: 'other.example',
      proof: kit.proof({ url: `${scheme}://other.example${kit.target}` }),
    }),
  ),
  attackCase('38', 'an absolute target that names another host', 'invalid_dpop_proof', (kit) => ({
    target: `http://other.example${kit.target}`,
  })),
  attackCase('38b', 'a proof for another host that an absolute target names', 'invalid_dpop_proof', (kit) => ({
    target: `http://other.example${kit.target}`,
    host: 'other.example',
    proof: kit.proof({ url: `http://other.example${kit.target}` }),
  })),
  ...attackCases(
    '39',
    'a forged',
    'invalid_dpop_proof',
    ['X-Forwarded-Host', 'X-Forwarded-Server', 'Forwarded'],
    (kit, name) => ({
      proof: kit.proof({ url: `https://other.example${kit.target}` }),
      headers: [
        [name, name === 'Forwarded' ? 'host=other.example;proto=https' : 'other.example'],
        ['X-Forwarded-Proto', 'https'],
      ],
    }),
  ),
  attackCase('39x', 'a forged X-Original-URL', 'invalid_dpop_proof', (kit) => ({
    proof: kit.proof({ url: `${new URL(kit.url).origin}/elsewhere` }),
    headers: [
      ['X-Original-URL', '/elsewhere'],
      ['X-Rewrite-URL', '/elsewhere'],
      ['X-Forwarded-Uri', '/elsewhere'],
    ],
  })),
  attackCase('43', 'HEAD with its own proof', 'accepted', (kit) => ({
    method: 'HEAD',
    proof: kit.proof({ method: 'HEAD' }),
  })),
  attackCase('43b', 'HEAD with a proof for GET', 'invalid_dpop_proof', (kit) => ({
    method: 'HEAD',
    proof: kit.proof({ method: 'GET' }),
  })),
  attackCase('46', 'a method override', 'invalid_dpop_proof', (kit) => ({
    proof: kit.proof({ method: 'DELETE' }),
    headers: [['X-HTTP-Method-Override', 'DELETE']],
  })),
]

function withQuery(target: string, query: string): string {
  return `${target}${target.includes('?') ? '&' : '?'}${query}`
}

function hostOf(url: string): string {
  return new URL(url).host
}
