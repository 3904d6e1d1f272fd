import test, { type ExecutionContext } from 'ava'
import { decodeJwt } from 'jose'
import { logIn, type ProviderOptions } from '../_provider.js'
import { withSigning } from '../_signing.js'
import { aWorld, whoAmI } from '../_world.js'

/* RFC 9396, with node-oidc-provider as the authority. */

const accounts = { type: 'accounts', actions: ['list'] }
const payment = { type: 'payment', amount: '12.50', creditor: 'Merchant A' }

interface Rar {
  readonly enabled: true
  readonly types: Record<string, { validate(): void }>
  authorizationDetailsForGrantSource(ctx: { oidc: { params?: Record<string, unknown> } }): unknown
  authorizationDetailsForAccessToken(ctx: unknown, token: unknown, source: { rar?: unknown }): unknown
  authorizationDetailsForIntrospection(): undefined
}

const rar: Rar = {
  enabled: true,
  types: { accounts: { validate() {} }, payment: { validate() {} } },
  authorizationDetailsForGrantSource: (ctx) => JSON.parse(String(ctx.oidc.params?.authorization_details)),
  authorizationDetailsForAccessToken: (_ctx, _token, source) => source.rar,
  authorizationDetailsForIntrospection: () => undefined,
}

function provider(signing: ProviderOptions = {}): ProviderOptions {
  const { configuration = {}, ...more } = signing
  // It takes details together with a resource only.
  const resourceIndicators = {
    enabled: true,
    defaultResource: () => 'https://bank.example',
    useGrantedResource: () => true,
    getResourceServerInfo: () => ({
      scope: '',
      accessTokenFormat: 'jwt' as const,
      jwt: { sign: { alg: 'PS256' as const } },
    }),
  }
  const features = { ...configuration.features, resourceIndicators, richAuthorizationRequests: rar }
  const clientMetadata = { ...more.clientMetadata, authorization_details_types: ['accounts', 'payment'] }
  return {
    ...more,
    clientMetadata,
    configuration: { ...configuration, features } as ProviderOptions['configuration'] & object,
  }
}

const paymentType = {
  type: 'payment',
  schema: {
    type: 'object',
    properties: { type: {}, amount: { type: 'string' }, creditor: { type: 'string' } },
    required: ['amount', 'creditor'],
    additionalProperties: false,
  },
}

const byLink = { loginParameters: ['authorization_details'], loginDetailTypes: [paymentType] }

/** What the gateway has pushed last. */
function pushedBy(world: Awaited<ReturnType<typeof aWorld>>): URLSearchParams {
  return world.provider.posted.filter(({ path }) => path === '/request').at(-1)?.body ?? new URLSearchParams()
}

const link = (url: string, details: unknown): string =>
  `${url}/bff/login?${new URLSearchParams({ authorization_details: typeof details === 'string' ? details : JSON.stringify(details) })}`

test('what the configuration says is asked for at every login, and the tokens are for it', async (t) => {
  const granted: unknown[] = []
  const world = await aWorld(t, { provider: provider(), frontend: { authorizationDetails: [accounts] } })
  world.provider.instance().on('access_token.issued', (token) => granted.push((token as { rar?: unknown }).rar))
  const browser = world.aBrowser()
  const consent = await logIn(browser, `${world.url}/bff/login`)
  t.is((await browser.submit(consent, {})).url.pathname, '/')
  t.deepEqual(JSON.parse(pushedBy(world).get('authorization_details') ?? ''), [accounts])
  t.like(await whoAmI(browser, world.url), { authenticated: true })
  t.deepEqual(granted, [[accounts]])
})

test('a link adds what a schema allows to it, in a signed request too', async (t) => {
  const { provider: signed, frontend } = withSigning({ requests: true })
  const world = await aWorld(t, {
    provider: provider(signed),
    frontend: { ...frontend, authorizationDetails: [accounts], ...byLink },
  })
  await world.aBrowser().navigate(link(world.url, [payment]))
  const { authorization_details } = decodeJwt(pushedBy(world).get('request') ?? '')
  t.deepEqual(authorization_details, [accounts, payment])
})

async function askedFor(t: ExecutionContext, frontend: object, details: unknown): Promise<string | null> {
  const world = await aWorld(t, { provider: provider(), frontend })
  await world.aBrowser().navigate(link(world.url, details))
  t.true(world.provider.posted.length > 0)
  return pushedBy(world).get('authorization_details')
}

test('a link adds nothing where LoginParameters does not have it', async (t) => {
  t.is(await askedFor(t, {}, [payment]), null)
  t.is(await askedFor(t, { authorizationDetails: [accounts] }, [payment]), JSON.stringify([accounts]))
})

test('a link cannot ask for another type, for more than the schema has, or in place of what is fixed', async (t) => {
  const world = await aWorld(t, { provider: provider(), frontend: { authorizationDetails: [accounts], ...byLink } })
  for (const details of [
    [{ type: 'accounts', actions: ['write'] }],
    [{ ...payment, recurring: true }],
    [{ type: 'payment' }],
    [{ type: 'constructor' }],
    [5],
    payment,
    'no JSON',
    '',
    [{ ...payment, creditor: 'x'.repeat(5000) }],
    // Another reader may take the first of the two.
    '[{ "type": "payment", "creditor": "Merchant A", "amount": "1.00", "amount": "2.00" }]',
  ]) {
    await world.aBrowser().navigate(link(world.url, details))
    t.is(pushedBy(world).get('authorization_details'), JSON.stringify([accounts]), JSON.stringify(details).slice(0, 80))
  }
  await world.aBrowser().navigate(link(world.url, [{ type: 'other' }, payment]))
  t.deepEqual(JSON.parse(pushedBy(world).get('authorization_details') ?? ''), [accounts, payment])
})
