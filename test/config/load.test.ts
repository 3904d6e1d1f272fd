import test from 'ava'
import { generateSigningJwk, publicHalf } from '../../src/jose/jwk.js'
import { load, problemsOf, theSeed } from './_workspace.js'

test("accepts the original's three documents unchanged but for host names and keys", async (t) => {
  const privateJwk = generateSigningJwk('ES256')
  const seed = await theSeed({ privateJwk, publicJwk: publicHalf(privateJwk) })
  const { gateway, plan } = await load(t, seed)
  const [frontend] = gateway?.frontends ?? []
  t.is(frontend?.publicUrl.href, 'https://app.example.com/')
  t.is(frontend?.authority, 'https://auth.example.com')
  t.deepEqual(frontend?.hosts, ['app.example.com'])
  t.true(frontend?.dpop)
  t.deepEqual(
    frontend?.routes.map(({ path, upstreams }) => [path, upstreams[0]?.href]),
    [['/api', 'http://127.0.0.1:3002/']],
  )
  t.is(plan.authorizationServer?.listen, undefined)
})

test('reports ten different mistakes at once, each with its pointer, place and remedy', async (t) => {
  const file = `{
  // Ten mistakes.
  "Server": { "Listen": "everywhere", "TrustedProxies": ["10.0.0.0"] },
  "Bff": {
    "Authority": "http://auth.example.com",
    "PublicUrl": "https://app.example.com/app",
    "SessionDuration": "8h",
    "UseSessionSlidingExpiration": "yes",
    "Frontends": [
      { "Name": "admin", "ClientID": "my-bff", "UseDPoP": false, "ClientAuthenticationMethod": "PrivateKeyJWT",
        "ClientSigningKeyJwk": { "Env": "NOT_SET" } },
      { "Name": "admin", "ClientId": "other", "PathPrefix": "/other", "ClientSigningKeyJwk": { "File": "missing.json" } }
    ]
  }
}`
  const problems = await problemsOf(t, file)
  t.deepEqual(
    problems.map(({ pointer, where }) => [where, pointer]),
    [
      ['frontends.json:3:15', '/Server/Listen'],
      ['frontends.json:3:58', '/Server/TrustedProxies/0'],
      ['frontends.json:5:5', '/Bff/Authority'],
      ['frontends.json:6:5', '/Bff/PublicUrl'],
      ['frontends.json:7:5', '/Bff/SessionDuration'],
      ['frontends.json:8:5', '/Bff/UseSessionSlidingExpiration'],
      ['frontends.json:10:26', '/Bff/Frontends/0/ClientID'],
      ['frontends.json:10:48', '/Bff/Frontends/0/UseDPoP'],
      ['frontends.json:10:66', '/Bff/Frontends/0/ClientAuthenticationMethod'],
      ['frontends.json:11:34', '/Bff/Frontends/0/ClientSigningKeyJwk/Env'],
      ['frontends.json:12:9', '/Bff/Frontends/1/Name'],
      ['frontends.json:12:96', '/Bff/Frontends/1/ClientSigningKeyJwk/File'],
    ],
  )
  for (const { problem, remedy } of problems) t.true(problem.length > 5 && remedy.length > 5, problem)
  t.log(problems.map(({ where, pointer, problem, remedy }) => `${where} ${pointer}: ${problem}. ${remedy}`).join('\n'))
})
