import * as oidc from 'openid-client'
import { type Dispatcher, fetch as fetchBy } from 'undici'
import { aBrowser } from './_browser.js'
import { callbackUri, type RunningServer } from './_running.js'

/** What a client written with openid-client alone is told. */
export interface OpenidClientOptions {
  /** Default: by an assertion. */
  readonly authentication?: oidc.ClientAuth
  /** What its tokens are bound to. Default: a DPoP key. */
  readonly constraint?: 'dpop' | 'mtls'
  /** By which its requests go: with a certificate. Default: none, and no alias for mutual TLS is used. */
  readonly dispatcher?: Dispatcher
  /** Whether it signs its requests, and takes signed answers only (FAPI 2.0 Message Signing). Default: neither. */
  readonly messages?: 'plain' | 'signed'
}

const scope = 'openid profile offline_access'

/** The client of a server, and the steps that a login by it has. */
export async function anOpenidClient({ url, client }: RunningServer, options: OpenidClientOptions = {}) {
  const { authentication, constraint = 'dpop', dispatcher, messages = 'plain' } = options
  const key = await crypto.subtle.importKey(
    'jwk',
    { ...client.privateJwk },
    { name: 'ECDSA', namedCurve: 'P-256' },
    false,
    ['sign'],
  )
  const signingKey = { key, kid: String(client.privateJwk.kid) }
  const signed = {
    authorization_signed_response_alg: 'ES256',
    introspection_signed_response_alg: 'ES256',
  } as const
  const config = await oidc.discovery(
    new URL(url),
    client.options.clientId,
    {
      redirect_uris: [callbackUri],
      use_mtls_endpoint_aliases: dispatcher !== undefined,
      ...(messages === 'signed' && signed),
    },
    authentication ?? oidc.PrivateKeyJwt(signingKey),
    {
      execute: [
        oidc.allowInsecureRequests,
        ...(messages === 'signed' ? [oidc.useJwtResponseMode, oidc.enableNonRepudiationChecks] : []),
      ],
      ...(dispatcher !== undefined && {
        [oidc.customFetch]: ((target: string, init: object) => fetchBy(target, { ...init, dispatcher })) as never,
      }),
    },
  )
  const proven =
    constraint === 'mtls' ? {} : { DPoP: oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256')) }
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier()
  const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()]
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true }

  return {
    config,
    proven,

    /** Pushes a request. Where the browser is sent with it. */
    async begin(parameters: Readonly<Record<string, string>> = {}): Promise<URL> {
      const asked = {
        redirect_uri: callbackUri,
        scope,
        code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
        state: expectedState,
        nonce: expectedNonce,
        ...parameters,
      }
      const pushed =
        messages === 'signed'
          ? (await oidc.buildAuthorizationUrlWithJAR(config, asked, signingKey)).searchParams
          : asked
      return oidc.buildAuthorizationUrlWithPAR(config, pushed, proven)
    },

    /** Redeems the code of an answer, once all of it has been checked. */
    redeem: (callback: URL) => oidc.authorizationCodeGrant(config, callback, checks, undefined, proven),
  }
}

/** Signs bob in and allows what is asked for. Where the browser ends. */
export async function allowedByBob(url: URL, browser = aBrowser()): Promise<URL> {
  const signIn = await browser.get(url.href)
  const consent = await browser.follow(
    await browser.submit(signIn, 'sign-in', { username: 'bob', password: 'builder' }),
  )
  const { location = '' } = await browser.submit(consent, 'allow')
  return new URL(location)
}
