import test from 'ava'
import { generateSigningJwk } from '../../src/jose/jwk.js'
import { load, problemsOf } from './_workspace.js'

/* Several authorization servers of one frontend, in the file. */

const [ofTheFrontend, ofTheCity] = [generateSigningJwk('ES256'), generateSigningJwk('ES256')]

const bank = { Name: 'bank', DisplayName: 'The Bank', Authority: 'https://bank.example', ClientId: 'shop' }

function aFile(authorities: readonly object[], frontend: object = {}, rest: object = {}): string {
  return JSON.stringify({
    Bff: {
      PublicUrl: 'http://localhost:3000',
      Frontends: [{ Name: 'app', ClientSigningKeyJwk: ofTheFrontend, Authorities: authorities, ...frontend }],
    },
    ...rest,
  })
}

test('what an entry leaves out is as the frontend has it', async (t) => {
  const city = { Name: 'city', ClientId: 'shop-of-the-city', ClientSigningKeyJwk: ofTheCity, Scopes: ['openid'] }
  const { gateway } = await load(
    t,
    aFile([bank, { ...city, UseIdTokenHint: false, AuthorizationParameters: { kc_idp_hint: 'id' } }], {
      Authority: 'https://city.example',
      RetiredClientSigningKeyJwks: [generateSigningJwk('ES256')],
      AuthorizationParameters: { audience: 'shop' },
    }),
  )
  const [frontend] = gateway?.frontends ?? []
  t.like(frontend, { authority: 'https://bank.example', clientId: 'shop' }, 'what has no user is the first one’s')
  const [first, second] = frontend?.authorities ?? []
  t.like(first, {
    name: 'bank',
    displayName: 'The Bank',
    authority: 'https://bank.example',
    scopes: ['openid', 'profile', 'email'],
    authorizationParameters: { audience: 'shop' },
    idTokenHint: true,
  })
  t.like(second, {
    authority: 'https://city.example',
    clientId: 'shop-of-the-city',
    scopes: ['openid'],
    authorizationParameters: { kc_idp_hint: 'id' },
    idTokenHint: false,
  })
  const keys = [first, second].map((one) =>
    one?.clientAuthentication?.method === 'private_key_jwt' ? one.clientAuthentication.keys.length : undefined,
  )
  t.deepEqual(keys, [2, 1], 'retired keys go with the key that they were before')
})

test('the embedded server may be one of them: its client and key are made', async (t) => {
  const { gateway, authorizationServer } = await load(
    t,
    aFile(
      [bank, { Name: 'own' }],
      { ClientSigningKeyJwk: null },
      { OpenIddict: { Issuer: 'http://localhost:3001' } },
    ).replace('"ClientId":"shop"', `"ClientId":"shop","ClientSigningKeyJwk":${JSON.stringify(ofTheFrontend)}`),
  )
  t.like(gateway?.frontends[0]?.authorities?.[1], { authority: 'http://localhost:3001', clientId: 'app-bff' })
  t.deepEqual(
    authorizationServer?.options.clients.map(({ clientId }) => clientId),
    ['app-bff'],
  )
})

test('what is wrong is said where it is written', async (t) => {
  const at = '/Bff/Frontends/0/Authorities'
  const wrongs = async (text: string) =>
    (await problemsOf(t, text)).map(({ pointer, problem }) => `${pointer} ${problem}`)
  t.regex((await wrongs(aFile([]))).join(), /Authorities is empty/)
  t.deepEqual(await wrongs(aFile([bank, { ...bank, Name: 'BANK', DisplayName: 'Other', ClientId: 'other' }])), [
    `${at}/1/Name is the name of another one of this frontend`,
  ])
  t.deepEqual(await wrongs(aFile([bank, { ...bank, Name: 'other' }])), [
    `${at}/1 is what another one is: the same server, client and parameters`,
    `${at}/1/DisplayName is that of another one, so that users cannot tell them apart`,
  ])
  t.deepEqual(await wrongs(aFile([bank, { Name: 'city', Authority: 'https://city.example' }])), [
    `${at}/1/ClientId is missing`,
  ])
  t.regex(
    (
      await wrongs(
        aFile([
          bank,
          { ...bank, Name: 'b', DisplayName: 'b', Authority: 'https://bank.example/.well-known/openid-configuration' },
        ]),
      )
    ).join(),
    /Authorities\/1\/Authority is the URL of a discovery document/,
  )
  t.regex(
    (
      await wrongs(
        aFile([
          bank,
          {
            Name: 'city',
            ClientId: 'c',
            Authority: 'https://city.example',
            ClientAuthenticationMethod: 'ClientSecretPost',
            ClientSecret: 's',
          },
        ]),
      )
    ).join(),
    /Authorities\/1\/ClientAuthenticationMethod is "ClientSecretPost"/,
  )
  t.regex(
    (await wrongs(aFile([bank, { ...bank, Name: 'c', DisplayName: 'c', ClientId: 'c', Scopes: ['profile'] }]))).join(),
    /Authorities\/1\/Scopes has "openid", or has it not/,
  )
  const lax = JSON.parse(aFile([bank, { Name: 'city', ClientId: 'c', Authority: 'https://city.example' }]))
  lax.Bff.Profile = 'Baseline'
  lax.Bff.RequireIssuerValidation = false
  t.regex((await wrongs(JSON.stringify(lax))).join(), /RequireIssuerValidation is false beside several authorities/)
  t.regex(
    (
      await wrongs(
        aFile([bank, { Name: 'city', ClientId: 'c', Authority: 'https://city.example' }], {
          LoginParameters: ['authority'],
        }),
      )
    ).join(),
    /LoginParameters\/0 is "authority"/,
  )
})

test('a secret that is missing is told once, however many entries have it from the frontend', async (t) => {
  const problems = await problemsOf(
    t,
    aFile([bank, { Name: 'city', ClientId: 'c', Authority: 'https://city.example' }], {
      ClientSigningKeyJwk: { Env: 'NO_KEY' },
    }),
  )
  t.deepEqual(
    problems.filter(({ problem }) => problem.includes('not set')).map(({ pointer }) => pointer),
    ['/Bff/Frontends/0/ClientSigningKeyJwk/Env'],
  )
})

test('a secret is shown to one server only, also where its entries leave it out', async (t) => {
  const city = { Name: 'city', ClientId: 'shop', Authority: 'https://city.example' }
  const wrongs = async (entries: readonly object[], secret: object) => {
    const file = JSON.parse(aFile(entries, { ...secret, ClientAuthenticationMethod: 'ClientSecretPost' }))
    delete file.Bff.Frontends[0].ClientSigningKeyJwk
    file.Bff.Profile = 'Baseline'
    return (await problemsOf(t, JSON.stringify(file))).map(({ pointer, problem }) => `${pointer} ${problem}`)
  }
  const problem =
    '/Bff/Frontends/0/Authorities/1/ClientSecret is that of the client at another server, so that each of the two could pass itself off there as this client'
  t.deepEqual(await wrongs([bank, city], { ClientSecret: 'one' }), [problem])
  t.deepEqual(
    await wrongs(
      [
        { ...bank, ClientSecret: 'one' },
        { ...city, ClientSecret: 'one' },
      ],
      {},
    ),
    [problem],
  )
  t.deepEqual(await wrongs([bank, { ...city, ClientSecret: 'two' }], { ClientSecret: 'one' }), [])
  const again = { ...bank, Name: 'again', DisplayName: 'Again', AuthorizationParameters: { kc_idp_hint: 'id' } }
  t.deepEqual(await wrongs([bank, again], { ClientSecret: 'one' }), [])
})
