import test from 'ava'
import { check } from '../../src/cli/check.js'
import { generateSigningJwk, publicHalf } from '../../src/jose/jwk.js'
import { aFile } from '../config/_workspace.js'
import { freePorts } from '../flows/_stack.js'
import { aFrontend, aServer, checked, failures, key, listening } from './_checked.js'

test.serial('tries discovery, clock, metadata and a real push, with the key and the redirect URI', async (t) => {
  const issuer = await aServer(t)
  const report = await checked(t, aFrontend(issuer))
  t.true(report.ok)
  t.deepEqual(
    report.trials.map(({ subject, outcome }) => [subject, outcome]),
    [
      [`${issuer}: discovery`, 'passed'],
      [`${issuer}: clock`, 'passed'],
      ['app: metadata', 'passed'],
      ['app: pushed authorization request', 'passed'],
    ],
  )
})

test.serial('tries each of several authorization servers as the client that the frontend is there', async (t) => {
  const [bank, city] = [await aServer(t), await aServer(t, { SigningKeyJwk: publicHalf(generateSigningJwk('ES256')) })]
  const { Bff } = aFrontend(bank) as { Bff: { Frontends: Record<string, unknown>[] } }
  const [frontend] = Bff.Frontends
  const report = await checked(t, {
    Bff: {
      ...Bff,
      Frontends: [
        {
          ...frontend,
          Access: [{ Claim: 'email', AnyOf: ['alice@example.com'] }],
          Authorities: [
            { Name: 'bank', Authority: bank },
            { Name: 'city', Authority: city },
          ],
        },
      ],
    },
  })
  t.false(report.ok)
  t.deepEqual(
    report.trials.filter(({ subject }) => subject.includes('pushed')).map(({ subject, outcome }) => [subject, outcome]),
    [
      ['app at bank: pushed authorization request', 'passed'],
      ['app at city: pushed authorization request', 'failed'],
    ],
  )
  const [note] = report.trials.filter(({ subject }) => subject === '/Bff/Frontends/0/Access')
  t.regex(note?.result ?? '', /each of 2 authorization servers can say them/)
  t.regex(note?.remedy ?? '', /"iss"/)
})

test.serial('starts the embedded authorization server for the moment', async (t) => {
  const [port = 0] = await freePorts(1)
  const report = await checked(t, {
    Bff: { PublicUrl: 'http://localhost:3000', Frontends: [{ Name: 'app' }] },
    OpenIddict: { Issuer: `http://localhost:${port}` },
  })
  t.true(report.ok)
  t.like(report.trials.at(-1), { subject: 'app: pushed authorization request', outcome: 'passed' })
  await t.throwsAsync(fetch(`http://127.0.0.1:${port}/`), undefined, 'and stops it again')
})

test.serial('starts it also where it shares the listener of the frontends', async (t) => {
  const [port = 0] = await freePorts(1)
  const origin = `http://localhost:${port}`
  const report = await checked(t, {
    Bff: { PublicUrl: origin, Frontends: [{ Name: 'app' }] },
    OpenIddict: { Issuer: `${origin}/auth` },
  })
  t.true(report.ok, JSON.stringify(report.trials))
  const notes = report.trials.filter(({ outcome }) => outcome === 'noted')
  t.deepEqual(
    notes.map(({ subject }) => subject),
    ['/OpenIddict/Issuer'],
  )
  t.regex(notes[0]?.result ?? '', /origin of "app"/)
})

test.serial('finds a key that the server does not know', async (t) => {
  const issuer = await aServer(t, { SigningKeyJwk: publicHalf(generateSigningJwk('ES256')) })
  const [failure] = failures(await checked(t, aFrontend(issuer)))
  t.regex(failure?.result ?? '', /^invalid_client/)
  t.regex(failure?.remedy ?? '', /Register the public key of ClientSigningKeyJwk for client my-bff/)
})

test.serial('finds a redirect URI that is not registered', async (t) => {
  const issuer = await aServer(t, { RedirectUris: ['http://localhost:3000/callback'] })
  const [failure] = failures(await checked(t, aFrontend(issuer)))
  t.regex(failure?.remedy ?? '', /http:\/\/localhost:3000\/bff\/callback/)
})

test.serial('finds a scope that the client may not ask for', async (t) => {
  const issuer = await aServer(t)
  const [failure] = failures(await checked(t, aFrontend(issuer, { Scopes: ['openid', 'accounts'] })))
  t.regex(failure?.result ?? '', /^invalid_scope/)
})

test.serial('finds an issuer that is written differently', async (t) => {
  const url: string = await listening(t, (_request, response) => {
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ issuer: `${url}/` }))
  })
  const [failure] = failures(await checked(t, aFrontend(url)))
  t.is(failure?.result, `the server calls itself "${url}/"`)
  t.regex(failure?.remedy ?? '', /character by character/)
})

test.serial('finds a clock that is wrong', async (t) => {
  const url: string = await listening(t, (_request, response) => {
    response.setHeader('Date', new Date(Date.now() - 90_000).toUTCString())
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ issuer: url }))
  })
  const failure = failures(await checked(t, aFrontend(url))).find(({ subject }) => subject === `${url}: clock`)
  t.regex(failure?.result ?? '', /^(89|90|91) seconds behind ours/)
})

test.serial('finds what cannot be reached, and says why', async (t) => {
  const [dead = 0] = await freePorts(1)
  const report = await checked(
    t,
    aFrontend(`http://localhost:${dead}`, { Routes: [{ Path: '/api', Upstreams: [`http://127.0.0.1:${dead}`] }] }),
  )
  t.deepEqual(
    failures(report).map(({ subject }) => subject),
    [`http://localhost:${dead}: discovery`, `upstream http://127.0.0.1:${dead}/`],
  )
  for (const { result, remedy } of failures(report)) {
    t.regex(result, /ECONNREFUSED/)
    t.regex(remedy ?? '', /is it running/)
  }
})

test.serial('reads what an API says of itself, and finds what does not fit', async (t) => {
  const issuer = await aServer(t)
  const api = (metadata: object) =>
    listening(t, (request, response) => {
      response.statusCode = request.url === '/.well-known/oauth-protected-resource/v1' ? 200 : 401
      response.end(JSON.stringify(metadata))
    })
  const found = async (metadata: object, route: object = {}) => {
    const upstream = `${await api(metadata)}/v1`
    const report = await checked(t, aFrontend(issuer, { Routes: [{ Path: '/api', Upstreams: [upstream], ...route }] }))
    return report.trials.filter(({ subject }) => subject === `upstream ${upstream}: metadata`)
  }
  const fits = { authorization_servers: [issuer], dpop_signing_alg_values_supported: ['ES256'] }
  t.like((await found(fits))[0], { outcome: 'passed' })
  t.regex((await found({ ...fits, authorization_servers: ['https://x'] }))[0]?.result ?? '', /of https:\/\/x only/)
  t.regex((await found({ ...fits, dpop_signing_alg_values_supported: ['PS256'] }))[0]?.result ?? '', /ES256/)
  t.deepEqual(await found(fits, { TokenType: 'None' }), [])
})

test.serial('finds a Redis that does not answer', async (t) => {
  const issuer = await aServer(t)
  const [dead = 0] = await freePorts(1)
  const configuration = aFrontend(issuer)
  const report = await checked(t, {
    Store: { Redis: { Url: `redis://:hush@127.0.0.1:${dead}` } },
    Bff: { ...configuration.Bff, SealingKeys: [Buffer.alloc(32, 1).toString('base64url')] },
  })
  t.deepEqual(
    failures(report).map(({ subject }) => subject),
    ['Redis'],
  )
  t.notRegex(JSON.stringify(report), /hush/)
})

test.serial('a server cannot write control characters to the terminal', async (t) => {
  const url: string = await listening(t, (request, response) => {
    response.setHeader('Content-Type', 'application/json')
    if (request.url?.endsWith('/par')) {
      response.statusCode = 400
      response.end(JSON.stringify({ error: 'invalid_request', error_description: 'red: \u001b[31m' }))
    } else if (request.url === '/jwks') response.end(JSON.stringify({ keys: [publicHalf(key)] }))
    else
      response.end(
        JSON.stringify({
          issuer: url,
          authorization_endpoint: `${url}/authorize`,
          token_endpoint: `${url}/token`,
          jwks_uri: `${url}/jwks`,
          pushed_authorization_request_endpoint: `${url}/par`,
          authorization_response_iss_parameter_supported: true,
          code_challenge_methods_supported: ['S256'],
          dpop_signing_alg_values_supported: ['ES256'],
        }),
      )
  })
  const [failure] = failures(await checked(t, aFrontend(url)))
  t.is(failure?.result, 'invalid_request: red: ?[31m')
})

test.serial('metadata of wrong types is a finding, and no fault of ours', async (t) => {
  const odd = { toString: 1 }
  const url: string = await listening(t, (_, response) => {
    response.setHeader('Content-Type', 'application/json')
    response.end(
      JSON.stringify({
        issuer: url,
        authorization_endpoint: odd,
        token_endpoint: odd,
        jwks_uri: `${url}/jwks`,
        keys: [publicHalf(key)],
        code_challenge_methods_supported: [odd],
        dpop_signing_alg_values_supported: [odd],
        scopes_supported: [odd],
        token_endpoint_auth_methods_supported: [odd],
        id_token_signing_alg_values_supported: [odd],
      }),
    )
  })
  t.true(failures(await checked(t, aFrontend(url))).some(({ result }) => result === 'it has no token_endpoint'))
})

test.serial('a file that is wrong is not tried', async (t) => {
  const report = await checked(t, { Bff: { Authority: 'http://auth.example.com', Frontends: [{ Name: 'app' }] } })
  t.false(report.ok)
  t.deepEqual(report.trials, [])
  t.true(report.problems.every(({ where }) => where.startsWith('frontends.json:')))
})

test.serial('a local PublicUrl that nothing here serves is asked about', async (t) => {
  const issuer = await aServer(t)
  const report = async (publicUrl: string, server: object = {}) => {
    const { Bff } = aFrontend(issuer)
    const content = { Server: { Listen: '127.0.0.1:3000', ...server }, Bff: { ...Bff, PublicUrl: publicUrl } }
    return (await checked(t, content)).trials.filter(({ subject }) => subject === '/Bff/PublicUrl')
  }
  t.like((await report('http://localhost:8080'))[0], {
    outcome: 'noted',
    result: 'says http://localhost:8080, and the gateway listens on http://127.0.0.1:3000',
  })
  t.regex((await report('https://localhost:3000'))[0]?.remedy ?? '', /Write "http:\/\/localhost:3000"/)
  t.deepEqual(await report('http://localhost:3000'), [])
  t.deepEqual(await report('http://localhost:8080', { TrustedProxies: ['127.0.0.1/32'] }), [])
})

test.serial('shows no control character of a file or of a server to the terminal', async (t) => {
  const strange = '\u001b]0;x\u0007\u009b31m\u202e'
  const output: string[] = []
  const file = await aFile(t, { [strange]: 1, Bff: { [strange]: strange } })
  await check({ file, network: 'none', format: 'text', output: { write: (text) => output.push(text) } })
  t.regex(output.join(''), /is not a known setting/)
  t.notRegex(output.join(''), /[^\n\P{Cc}]|\u202e/u)
})

test.serial('a development server that does not run is a note, and one that runs is said', async (t) => {
  const issuer = await aServer(t)
  const [dead = 0] = await freePorts(1)
  const trialOf = async (DevelopmentServer: string) => {
    const report = await checked(t, aFrontend(issuer, { DevelopmentServer }))
    t.true(report.ok)
    return report.trials.find(({ subject }) => subject.startsWith('development server'))
  }
  const running = await listening(t, (_, response) => response.end())
  t.like(await trialOf(running), { outcome: 'passed', result: 'answers (200)' })
  const found = await trialOf(`http://localhost:${dead}`)
  t.is(found?.outcome, 'noted')
  t.regex(found?.remedy ?? '', /^Nothing listens there: .* every page is 502/)
})
