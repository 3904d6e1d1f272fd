import { type AttackCase, attackCase, attackCases } from './attack-case.js'

const bad = 'invalid_dpop_proof'

/** The claims of the proof. */
export const claimCases: readonly AttackCase[] = [
  ...attackCases('102', 'without', bad, ['jti', 'htm', 'htu', 'iat', 'ath'], (kit, name) => ({
    proof: kit.proof({ claims: { [name]: undefined } }),
  })),
  ...attackCases('103', 'jti', bad, ['', 1, null, ['x'], {}, 'j'.repeat(257)], (kit, jti) => ({
    proof: kit.proof({ claims: { jti } }),
  })),
  attackCase('105', 'a jti of 256 characters', 'accepted', (kit) => ({
    proof: kit.proof({ claims: { jti: `${Math.random()}`.padEnd(256, 'j') } }),
  })),
  {
    id: '106',
    title: 'a proof used twice',
    steps: (kit) => {
      const request = kit.request()
      return [
        { request, expected: 'accepted' },
        { request, expected: bad },
        { request, expected: bad },
      ]
    },
  },
  {
    id: '107',
    title: 'a jti used twice by one key, in another proof',
    steps: (kit) => [
      { request: kit.request({ proof: kit.proof({ claims: { jti: 'once' } }) }), expected: 'accepted' },
      { request: kit.request({ proof: kit.proof({ claims: { jti: 'once', x: 1 } }) }), expected: bad },
    ],
  },
  {
    id: '107b',
    title: 'a jti that another key has used',
    steps: (kit) => {
      const token = kit.mintToken({ claims: { cnf: { jkt: kit.otherKey.jkt } } })
      const other = kit.proof({ key: kit.otherKey, token, claims: { jti: 'shared' } })
      return [
        { request: kit.request({ proof: kit.proof({ claims: { jti: 'shared' } }) }), expected: 'accepted' },
        { request: kit.request({ token, proof: other }), expected: 'accepted' },
      ]
    },
  },
  {
    id: '112',
    title: 'a refused request burns nothing',
    steps: (kit) => {
      const proof = kit.proof({ claims: { jti: 'kept' } })
      const other = kit.mintToken()
      return [
        { request: kit.request({ token: other, proof }), expected: bad },
        {
          request: kit.request({ proof: kit.proof({ claims: { jti: 'kept' }, signedBy: kit.otherKey }) }),
          expected: bad,
        },
        { request: kit.request({ proof }), expected: 'accepted' },
        { request: kit.request({ proof }), expected: bad },
      ]
    },
  },
  ...attackCases('115', 'iat', bad, ['1700000000', null, true, [], {}], (kit, iat) => ({
    proof: kit.proof({ claims: { iat } }),
  })),
  ...attackCases('117', 'iat', bad, [0, -1, 1e300, Date.now()], (kit, iat) => ({
    proof: kit.proof({ claims: { iat } }),
  })),
  ...attackCases('118', 'seconds from now, iat', 'accepted', [-10, 8, 0.5, -50], (kit, seconds) => ({
    proof: kit.proof({ claims: { iat: kit.issuer.clock.now() + seconds } }),
  })),
  ...attackCases('120', 'seconds from now, iat', bad, [-75, 61, 3600, -3600], (kit, seconds) => ({
    proof: kit.proof({ claims: { iat: kit.issuer.clock.now() + seconds } }),
  })),
  attackCase('122', 'exp in the past', bad, (kit) => ({
    proof: kit.proof({ claims: { exp: kit.issuer.clock.now() - 60 } }),
  })),
  attackCase('122b', 'nbf in the future', bad, (kit) => ({
    proof: kit.proof({ claims: { nbf: kit.issuer.clock.now() + 61 } }),
  })),
  ...attackCases('122x', 'a proof with', bad, [{ exp: 'x' }, { nbf: 'x' }, { exp: null }], (kit, claims) => ({
    proof: kit.proof({ claims }),
  })),
  attackCase('122y', 'exp and nbf that hold', 'accepted', (kit) => {
    const now = Math.floor(kit.issuer.clock.now())
    return { proof: kit.proof({ claims: { nbf: now, exp: now + 60 } }) }
  }),
  attackCase('123', 'aud, iss and sub', 'accepted', (kit) => ({
    proof: kit.proof({ claims: { aud: 'x', iss: 'y', sub: 'z' } }),
  })),
  ...attackCases('125', 'htm', bad, ['PUT', ['GET'], '', 'get', 'GET ', null, 1], (kit, htm) => ({
    proof: kit.proof({ claims: { htm } }),
  })),
  ...attackCases('126', 'a custom method', 'accepted', ['PURGE', 'M-SEARCH', 'PATCH', 'DELETE'], (kit, method) => ({
    method,
    proof: kit.proof({ method }),
  })),
  attackCase('127', 'ath of another token', bad, (kit) => ({ proof: kit.proof({ token: kit.mintToken() }) })),
  ...attackCases('127x', 'ath', bad, ['', null, 1, ['x'], 'x'], (kit, ath) => ({
    proof: kit.proof({ claims: { ath } }),
  })),
  attackCase('129', 'ath of the token without its trailing =', bad, (kit) => ({
    token: `${kit.token}=`,
    proof: kit.proof({ token: kit.token }),
  })),
  ...attackCases('130', 'nonce', bad, [1, {}, null, ['x']], (kit, nonce) => ({
    proof: kit.proof({ claims: { nonce } }),
  })),
  attackCase('19x', 'a nonce that the API did not ask for', 'accepted', (kit) => ({
    proof: kit.proof({ nonce: 'whatever' }),
  })),
]
