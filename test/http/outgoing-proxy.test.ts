import test from 'ava'
import { goesDirectly, isProxyException, isProxyOrigin } from '../../src/http/outgoing-proxy.js'

const around = test.macro<[noProxy: readonly string[], directly: readonly string[], byProxy: readonly string[]]>({
  title: (_given, noProxy) => `called directly where noProxy is ${JSON.stringify(noProxy)}`,
  exec(t, noProxy, directly, byProxy) {
    const proxy = { url: 'http://proxy.test:3128', noProxy }
    for (const url of directly) t.true(goesDirectly(new URL(url), proxy), url)
    for (const url of byProxy) t.false(goesDirectly(new URL(url), proxy), url)
  },
})

test(
  around,
  [],
  ['https://localhost:8443', 'https://a.localhost', 'http://127.0.0.2/', 'https://[::1]/'],
  ['https://a.test', 'https://localhost.test', 'https://10.0.0.1'],
)
test(around, ['a.test'], ['https://a.test', 'https://A.TEST:8443', 'https://b.a.test'], ['https://ba.test'])
test(around, ['.a.test'], ['https://a.test', 'https://b.a.test'], ['https://a.test.example'])
test(around, ['A.test:8443'], ['https://a.test:8443', 'https://b.a.test:8443'], ['https://a.test'])
test(around, ['a.test:443', '10.0.0.1'], ['https://a.test', 'https://10.0.0.1:8443'], ['https://a.test:8443'])

test('what is no origin of a proxy, and no host, is known before anything is called', (t) => {
  for (const url of ['http://proxy:3128', 'https://user:pass@proxy.test', 'http://10.0.0.1:3128/'])
    t.true(isProxyOrigin(url), url)
  for (const url of [
    'proxy.test:3128',
    'socks5://proxy',
    'http://proxy/path',
    'http://proxy/?a',
    'http://proxy/#a',
    '',
  ])
    t.false(isProxyOrigin(url), url)
  for (const host of ['a.test', '.a.test', 'a.test:8443', '10.0.0.1']) t.true(isProxyException(host), host)
  for (const host of ['10.0.0.0/8', 'https://a.test', '*.a.test', 'a.test:', '[::1]', '', '*'])
    t.false(isProxyException(host), host)
})
