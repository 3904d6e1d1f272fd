import { createHash } from 'node:crypto'
import test from 'ava'
import { aRoute } from './_gateway.js'
import { aPlantedGateway, codeOf, navigation, ownPage } from './_planted.js'

const script = { 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Site': 'same-origin', Accept: '*/*' }

test('a call without a session gets a document that says where to log in, and never a redirect', async (t) => {
  const world = await aPlantedGateway(t)
  for (const headers of [ownPage, { ...ownPage, ...script }, { ...ownPage, Accept: 'application/json' }]) {
    const answer = await world.call('/api/x', { headers })
    t.is(answer.status, 401)
    t.is(answer.headers['content-type'], 'application/problem+json')
    const problem = JSON.parse(answer.text) as Record<string, unknown>
    t.like(problem, { status: 401, code: 'bff.session.absent', loginUrl: '/bff/login' })
    t.is(problem.requestId, answer.headers['x-request-id'])
    t.regex(String(problem.type), /docs\/errors\.md#bff\.session\.absent$/)
    t.is(answer.headers['cache-control'], 'no-store')
  }
})

test('a person who opens a page that needs a login is sent there, with its address', async (t) => {
  const world = await aPlantedGateway(t)
  for (const headers of [navigation, { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }]) {
    const answer = await world.call('/api/report?year=2026&sort=%C3%BC', { headers })
    t.is(answer.status, 303)
    t.is(answer.headers.location, '/bff/login?returnUrl=%2Fapi%2Freport%3Fyear%3D2026%26sort%3D%25C3%25BC')
  }
})

test('a person is not sent back to an endpoint, to an address that is too long, or to one that needs the header', async (t) => {
  const world = await aPlantedGateway(t)
  const strict = await aPlantedGateway(t, {
    frontends: [{ name: 'app', routes: [aRoute({ requireCsrfHeader: true, upstreams: [new URL(world.api.url)] })] }],
  })
  for (const path of ['/bff/sessions', '/bff/sessions?a=1', `/api/${'a'.repeat(2100)}`]) {
    const answer = await world.call(path, { headers: navigation })
    t.is(answer.status, 303, path)
    t.is(answer.headers.location, '/bff/login')
  }
  t.is((await strict.call('/api/x', { headers: navigation })).headers.location, '/bff/login')
})

test('a browser goes to the login by way of a page that takes the fragment along; anything that embeds it does not', async (t) => {
  const world = await aPlantedGateway(t)
  const browser = { ...navigation, 'Upgrade-Insecure-Requests': '1' }
  const answer = await world.call('/api/report?a="><script>x', { headers: browser })
  t.is(answer.status, 200)
  t.is(answer.headers['cache-control'], 'no-store')
  t.true(answer.text.includes('href="/bff/login?returnUrl=%2Fapi%2Freport%3Fa%3D%2522%253E%253Cscript%253Ex"'))
  const [, script = ''] = /<script>(.*?)<\/script>/s.exec(answer.text) ?? []
  t.false(script.includes('report'), 'nothing of the request is in the script')
  const policy = String(answer.headers['content-security-policy'])
  t.true(policy.startsWith("default-src 'none'"))
  t.true(policy.includes(`script-src 'sha256-${createHash('sha256').update(script).digest('base64')}';`))
  for (const headers of [
    { 'Sec-Fetch-Site': 'cross-site', Referer: 'https://evil.example/', Cookie: 'sallyport-bff-app=x' },
    { 'Sec-Fetch-Site': 'same-site' },
    { 'Sec-Purpose': 'prefetch' },
  ])
    t.notRegex((await world.call('/api/report', { headers: { ...browser, ...headers } })).text, /bff\/login/)
})

test('what is no GET, no navigation or not for a page is never redirected', async (t) => {
  const world = await aPlantedGateway(t)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    const answer = await world.call('/api/x', { method, headers: { ...navigation, 'X-CSRF': '1' } })
    t.is(answer.status, 401, method)
  }
  for (const destination of ['empty', 'image', 'script', 'style', 'iframe', 'worker']) {
    const answer = await world.call('/api/x', {
      headers: { ...navigation, 'Sec-Fetch-Dest': destination, 'X-CSRF': '1' },
    })
    t.is(answer.status, 401, destination)
  }
})

test('a page of ours escapes what it shows, and nothing may script, frame or cache it', async (t) => {
  const world = await aPlantedGateway(t)
  const answer = await world.call(
    '/bff/callback?error=%3Cscript%3Ealert(1)%3C/script%3E&error_description=%3Cimg%20src=x%3E&state=s&iss=http://127.0.0.1:9',
    { headers: navigation },
  )
  t.is(answer.status, 400)
  t.false(/<script|<img/i.test(answer.text))
  t.regex(String(answer.headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'none'/)
  t.is(answer.headers['cache-control'], 'no-store')
  t.regex(answer.text, /bff\.login\.transaction_absent/)
})

test('a failed login goes to the page that the application has for it, with the code and the request id', async (t) => {
  const world = await aPlantedGateway(t, { frontends: [{ name: 'app', errorRedirectPath: '/sign-in' }] })
  const answer = await world.call('/bff/callback?code=c&state=s&iss=https://evil.example', { headers: navigation })
  t.is(answer.status, 303)
  const location = new URL(String(answer.headers.location), world.on.url)
  t.is(location.origin + location.pathname, `${world.on.url}/sign-in`)
  t.is(location.searchParams.get('error'), 'bff.login.issuer_mismatch')
  t.is(location.searchParams.get('request_id'), String(answer.headers['x-request-id']))
})

test('endpoints that are not there are 404, wrong methods are 405 and name the right ones', async (t) => {
  const world = await aPlantedGateway(t)
  t.is(codeOf(await world.call('/bff/nothing', { headers: ownPage })), 'bff.endpoint.unknown')
  t.is((await world.call('/bff', { headers: ownPage })).status, 404)
  t.is((await world.call('/bff/user/', { headers: ownPage })).status, 404)
  t.is((await world.call('/BFF/user', { headers: ownPage })).status, 404)
  const answer = await world.call('/bff/user', { method: 'POST', headers: ownPage })
  t.is(answer.status, 405)
  t.is(answer.headers.allow, 'GET')
})

test('a HEAD request begins, completes and ends nothing', async (t) => {
  const world = await aPlantedGateway(t)
  const { cookie, id } = await world.plant()
  const session = await world.sessionsOf('app').open(id)
  for (const path of ['/bff/login', '/bff/callback?code=a&state=b', `/bff/logout?sid=${session?.handle}`]) {
    t.is((await world.call(path, { method: 'HEAD', headers: { ...ownPage, Cookie: cookie } })).status, 405, path)
  }
  t.truthy(await world.sessionsOf('app').open(id))
})

test('the page sees the claims about the user, or only those that the configuration names', async (t) => {
  // Of the server that the session is of.
  const authority = 'https://auth.example'
  const claims = {
    sub: 'alice',
    name: 'Alice',
    roles: ['admin'],
    iss: authority,
    aud: 'y',
    exp: 1,
    iat: 1,
    nonce: 'n',
    sid: 's',
    at_hash: 'h',
  }
  const all = await aPlantedGateway(t, { authority })
  const { cookie } = await all.plant('app', { claims })
  const { sessionExpiresAt, logoutUrl, ...user } = JSON.parse(
    (await all.call('/bff/user', { headers: { Cookie: cookie } })).text,
  )
  t.deepEqual(user, { authenticated: true, sub: 'alice', name: 'Alice', roles: ['admin'] })
  t.regex(sessionExpiresAt, /^\d{4}-\d\d-\d\dT/)
  t.regex(logoutUrl, /^\/bff\/logout\?sid=[\w-]{22}$/)

  const few = await aPlantedGateway(t, { authority, frontends: [{ name: 'app', userClaims: ['name', 'email'] }] })
  const planted = await few.plant('app', { claims })
  const chosen = JSON.parse((await few.call('/bff/user', { headers: { Cookie: planted.cookie } })).text)
  t.deepEqual(Object.keys(chosen).sort(), ['authenticated', 'logoutUrl', 'name', 'sessionExpiresAt'])
})

test('a claim cannot pass itself off as an answer of the gateway', async (t) => {
  const world = await aPlantedGateway(t)
  const { cookie } = await world.plant('app', {
    claims: { sub: 'a', authenticated: false, logoutUrl: 'https://evil.example', sessionExpiresAt: 'never' },
  })
  const user = JSON.parse((await world.call('/bff/user', { headers: { Cookie: cookie } })).text)
  t.true(user.authenticated)
  t.true(user.logoutUrl.startsWith('/bff/logout'))
})

test('a logout link without the session’s own sid logs nobody out', async (t) => {
  const world = await aPlantedGateway(t)
  const { cookie, id } = await world.plant()
  for (const path of ['/bff/logout', '/bff/logout?sid=', '/bff/logout?sid=AAAAAAAAAAAAAAAAAAAAAA']) {
    const answer = await world.call(path, { headers: { ...navigation, Cookie: cookie } })
    t.is(answer.status, 400)
    t.is(codeOf(answer), 'bff.logout.sid_mismatch')
    t.is(answer.headers['set-cookie'], undefined)
  }
  t.truthy(await world.sessionsOf('app').open(id))
  const session = await world.sessionsOf('app').open(id)
  const answer = await world.call(`/bff/logout?sid=${session?.handle}`, { headers: { ...navigation, Cookie: cookie } })
  t.is(answer.status, 303)
  t.is(answer.headers.location, '/', 'the authorization server is down: the session is over all the same')
  t.is(await world.sessionsOf('app').open(id), undefined)
})

const removesItsCookies = test.macro(async (t, publicUrl: URL | undefined, prefix: string, secure: boolean) => {
  const world = await aPlantedGateway(t, { frontends: [{ name: 'app', ...(publicUrl && { publicUrl }) }] })
  const { cookie, id } = await world.plant()
  const session = await world.sessionsOf('app').open(id)
  const all = [`${prefix}bff-app.AbCdEf12=x`, `${prefix}bff-app.zz-_Ef34=y`, `${prefix}bff-app~n=abc`, 'theirs=1']
  const answer = await world.call(`/bff/logout?sid=${session?.handle}`, {
    headers: { ...navigation, Cookie: [cookie, ...all].join('; ') },
  })
  const removed = (answer.headers['set-cookie'] ?? []).map((one) => [
    one.split('=')[0],
    /max-age=0|expires=Thu, 01 Jan 1970/i.test(one),
    /secure/i.test(one),
    /path=\//i.test(one),
  ])
  t.deepEqual(
    removed.sort((a, b) => String(a[0]).localeCompare(String(b[0]))).map(([name, ...rest]) => [name, ...rest]),
    ['', '.AbCdEf12', '.zz-_Ef34', '~n'].map((rest) => [`${prefix}bff-app${rest}`, true, secure, true]),
  )
})

test('after a logout no cookie of ours is left in the browser', removesItsCookies, undefined, 'sallyport-', false)
test(
  'after a logout no cookie of ours is left in the browser: over https',
  removesItsCookies,
  new URL('https://app.example'),
  '__Host-Http-',
  true,
)

test('the client’s public keys are published, the signing one first, and no private member', async (t) => {
  const world = await aPlantedGateway(t)
  const answer = await world.call('/bff/jwks')
  const { keys } = JSON.parse(answer.text) as { readonly keys: readonly Record<string, unknown>[] }
  t.is(keys.length, 1)
  t.deepEqual(Object.keys(keys[0] ?? {}).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
})
