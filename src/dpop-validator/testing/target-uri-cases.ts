import { type AttackCase, type AttackKit, attackCase, attackCases } from './attack-case.js'

const bad = 'invalid_dpop_proof'

/** The `htu` of the proof, and the request target it has to agree with. */
export const targetUriCases: readonly AttackCase[] = [
  attackCase('141', 'scheme and host in capitals', 'accepted', (kit) =>
    htu(kit, (u) => `${u.origin.toUpperCase()}${u.pathname}`),
  ),
  attackCase('141b', 'a query and a fragment', 'accepted', (kit) => htu(kit, (u) => `${u.origin}${u.pathname}?a=b#c`)),
  {
    id: '142',
    title: 'the default port, spelled out',
    steps: (kit) => {
      const url = new URL(kit.url)
      if (url.port !== '') return []
      const port = url.protocol === 'https:' ? 443 : 80
      return [
        {
          request: kit.request(htu(kit, (u) => `${u.protocol}//${u.hostname}:${port}${u.pathname}`)),
          expected: 'accepted',
        },
      ]
    },
  },
  attackCase('143', 'another port', bad, (kit) => htu(kit, (u) => `${u.protocol}//${u.hostname}:4711${u.pathname}`)),
  attackCase('143b', 'the other scheme', bad, (kit) =>
    htu(kit, (u) => kit.url.replace(u.protocol, u.protocol === 'https:' ? 'http:' : 'https:')),
  ),
  attackCase('143c', 'another host', bad, (kit) => htu(kit, (u) => `https://other.example${u.pathname}`)),
  attackCase('143d', 'another path', bad, (kit) => htu(kit, (u) => `${u.origin}/elsewhere`)),
  attackCase('145', 'the path in another case', bad, (kit) =>
    htu(kit, (u) => `${u.origin}${u.pathname.toUpperCase()}`),
  ),
  attackCase('146', 'a trailing slash more', bad, (kit) => htu(kit, (u) => `${u.origin}${u.pathname}/`)),
  attackCase('146b', 'a prefix of the path', bad, (kit) => htu(kit, (u) => `${u.origin}${u.pathname.slice(0, -1)}`)),
  ...attackCases(
    '148',
    'a target that is not canonical',
    'invalid_request',
    ['/x/..', '/./', '/%2e%2e/', '/.%2E/', '/..\\x', '\\x', '/%00', '/%0d%0a', '/%zz', '/%', '/..'],
    (kit, suffix) => ({
      target: `${pathOf(kit)}${suffix}${pathOf(kit)}`,
      proof: kit.proof(),
    }),
  ),
  attackCase('149', 'dot segments in htu', bad, (kit) => htu(kit, (u) => `${u.origin}/a/..${u.pathname}`)),
  attackCase('150', 'an encoding that need not be', bad, (kit) =>
    htu(kit, (u) => `${u.origin}${encodedLast(u.pathname)}`),
  ),
  attackCase('153', 'a doubled slash', bad, (kit) => htu(kit, (u) => `${u.origin}/${u.pathname}`)),
  attackCase('154', 'path parameters more', bad, (kit) => htu(kit, (u) => `${u.origin}${u.pathname};v=1`)),
  ...attackCases('155', 'user information', bad, ['u:p@', 'u@', '@', `api.example:443@`], (kit, user) =>
    htu(kit, (u) => `${u.protocol}//${user}${u.host}${u.pathname}`),
  ),
  ...attackCases('157', 'white space', bad, [' before', 'after ', 'tab', 'line', 'inside'], (kit, where) =>
    htu(kit, (u) => withSpace(u, where)),
  ),
  attackCase('158', 'a path in raw Unicode', bad, (kit) => htu(kit, (u) => `${u.origin}${u.pathname}é`)),
  attackCase('158b', 'a host in raw Unicode', bad, (kit) =>
    htu(kit, (u) => kit.url.replace(u.hostname, `ａ${u.hostname.slice(1)}`)),
  ),
  ...attackCases('161', 'the host as', bad, ['2130706433', '0x7f.1', '127.1', '[::ffff:127.0.0.1]'], (kit, host) =>
    htu(kit, (u) => kit.url.replace(u.hostname, host)),
  ),
  attackCase('162', 'a host with a trailing dot', bad, (kit) =>
    htu(kit, (u) => kit.url.replace(u.host, `${u.hostname}.${u.port && `:${u.port}`}`)),
  ),
  ...attackCases(
    '163',
    'htu',
    bad,
    [
      '',
      '/',
      'nonsense',
      'javascript:alert(1)',
      '//x',
      ['x'],
      1,
      null,
      {},
      'https:',
      'https://',
      'https:/x/y',
      'file:///etc',
    ],
    (kit, value) => ({
      proof: kit.proof({ claims: { htu: value } }),
    }),
  ),
  // An `https` URI to a pattern, and nothing that a `URL` can be made of.
  ...attackCases(
    '164',
    'the authority as',
    bad,
    ['api.example:99999', 'a|b', '%00', '[::', 'a^b', '::', '1.2.3.4.5.999'],
    (kit, authority) => htu(kit, (u) => `${u.protocol}//${authority}${u.pathname}`),
  ),
  attackCase('163x', 'htu without a scheme', bad, (kit) => htu(kit, (u) => `//${u.host}${u.pathname}`)),
  attackCase('163y', 'htu with one slash', bad, (kit) => htu(kit, (u) => `${u.protocol}/${u.host}${u.pathname}`)),
  attackCase('163z', 'htu with backslashes', bad, (kit) => htu(kit, (u) => `${u.protocol}\\\\${u.host}${u.pathname}`)),
]

function htu(kit: AttackKit, spell: (url: URL) => string) {
  return { proof: kit.proof({ claims: { htu: spell(new URL(kit.url)) } }) }
}

function pathOf({ target }: AttackKit): string {
  return target.replace(/\?.*$/, '')
}

function encodedLast(path: string): string {
  return `${path.slice(0, -1)}%${Buffer.from(path.slice(-1)).toString('hex').toUpperCase()}`
}

function withSpace({ origin, pathname }: URL, where: string): string {
  switch (where) {
    case ' before':
      return ` ${origin}${pathname}`
    case 'after ':
      return `${origin}${pathname} `
    case 'tab':
      return `${origin}/\t${pathname.slice(1)}`
    case 'line':
      return `${origin}/\n${pathname.slice(1)}`
    default:
      return `${origin}/ ${pathname.slice(1)}`
  }
}
