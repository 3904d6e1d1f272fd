import { optionProblems as serverProblems } from '../../authorization-server/check-options.js'
import { createSettings } from '../../dpop-validator/settings/settings.js'
import { ConfigurationError, type ConfigurationProblem } from '../../errors.js'
import { optionProblems as gatewayProblems } from '../../gateway/check-options.js'
import type { Sliced } from '../../slices.js'
import type { AuthorizationServerConfiguration } from '../options/authorization-server-options.js'
import type { GatewaySettings } from '../options/gateway-options.js'
import type { SampleApiConfiguration } from '../options/sample-api-options.js'
import type { AuthorizationServerPlan } from '../resolve/authorization-server.js'
import type { Plan } from '../resolve/resolved.js'
import { type Renamed, settingPointer } from './setting-pointer.js'

/** What a configuration makes of each product, beside what it was made from. */
export interface ProductOptions {
  readonly gateway: GatewaySettings | undefined
  readonly authorizationServer: AuthorizationServerConfiguration | undefined
  readonly sampleApi: SampleApiConfiguration | undefined
  readonly plan: Plan
}

/** What the products themselves have against their options: nothing that starts fails after it was found in order. */
export function* productProblems({
  gateway,
  authorizationServer,
  sampleApi,
  plan,
}: ProductOptions): Sliced<readonly ConfigurationProblem[]> {
  const server = plan.authorizationServer
  return [
    ...whereItIsWritten(inTheFile(gateway === undefined ? [] : yield* gatewayProblems(gateway), ofTheGateway), plan),
    ...(authorizationServer === undefined || server === undefined
      ? []
      : inTheFile([...serverProblems(authorizationServer.options)], ofTheServer(server))),
    ...inTheFile(sampleApi === undefined ? [] : verifierProblems(sampleApi.verifier), ofTheSampleApi),
  ]
}

function inTheFile(problems: readonly ConfigurationProblem[], renamed: Renamed): readonly ConfigurationProblem[] {
  return problems.map((found) => ({ ...found, pointer: settingPointer(found.pointer, renamed) }))
}

/** What frontends have from `Bff` is wrong there, once. */
function whereItIsWritten(problems: readonly ConfigurationProblem[], { frontends, bff }: Plan) {
  const placed = problems.map((found) => {
    const [, index = '', name = ''] = /^\/Bff\/Frontends\/(\d+)\/(\w+)$/.exec(found.pointer) ?? []
    const own: Readonly<Record<string, unknown>> = frontends[Number(index)]?.settings ?? {}
    const shared: Readonly<Record<string, unknown>> = bff ?? {}
    const isShared = name !== '' && own[name] === undefined && shared[name] !== undefined
    return isShared ? { ...found, pointer: `/Bff/${name}` } : found
  })
  return [...new Map(placed.map((found) => [JSON.stringify(found), found])).values()]
}

const ofTheGateway: Renamed = [
  [/\/ClientAuthentication\/Keys$/, '/ClientSigningKeyJwk'],
  [/\/ClientAuthentication\/Secret$/, '/ClientSecret'],
  [/\/ClientAuthentication\/Method$/, '/ClientAuthenticationMethod'],
  [/\/PushedAuthorizationRequests$/, '/UsePushedAuthorizationRequests'],
  [/\/Dpop$/, '/UseDPoP'],
  [/^.*\/AssertionKeys$/, '/Bff/AssertionKeys'],
  [/\/CertificateBoundAccessTokens$/, '/SenderConstraint'],
  [/\/Tls\/Cert$/, '/Tls/CertFile'],
  [/\/SignedRequests$/, '/UseSignedRequests'],
  [/\/FrontchannelLogout$/, '/UseFrontchannelLogout'],
  [/^.*\/RequireIssuer$/, '/Bff/RequireIssuerValidation'],
  [/^.*\/RefreshGracePeriod$/, '/Bff/RefreshGracePeriod'],
  [/\/Session\/Idle$/, '/SessionDuration'],
  [/\/Session\/Absolute$/, '/SessionAbsoluteMaxDuration'],
  [/^\/(?=Frontends|LoginLimits)/, '/Bff/'],
  [/^\/IssuerTimeout$/, '/Bff/AuthorityTimeout'],
  [/^\/StreamLimits\/Per/, '/Server/Limits/StreamsPer'],
  [/^\/TrustedProxies/, '/Server/TrustedProxies'],
]

function ofTheServer({ pointer, applications }: AuthorizationServerPlan): Renamed {
  return [
    ...applications.map(
      ({ pointer: application }, index) => [new RegExp(`^/Clients/${index}(?=/|$)`), application] as const,
    ),
    [/\/Keys$/, '/SigningKeyJwk'],
    ...applications.map(({ pointer: application, settings: { TlsClientAuth = {} } }) => {
      const [name] = Object.keys(TlsClientAuth)
      const setting = name === undefined ? 'TlsClientAuth' : `TlsClientAuth/${name}`
      return [new RegExp(`^${application}/CertificateAuthentication/Subject$`), `${application}/${setting}`] as const
    }),
    [/\/CertificateAuthentication\/Jwks/, '/SelfSignedTlsClientAuth/Jwks'],
    [/^\/MutualTls\/Authorities$/, '/MutualTls/CaFile'],
    [/^\/Lifetimes\/(\w+)$/, '/$1Lifetime'],
    [/^\/(?=(?:Users|Scopes|AuthorizationDetailTypes)(?:\/|$))/, '/Seeding/'],
    [/^\/TrustedProxies/, '/Server/TrustedProxies'],
    [new RegExp(`^(?!/Server/|${pointer}/)`), pointer],
  ]
}

const ofTheSampleApi: Renamed = [
  [/^\/Proof\/FutureSkew$/, '/DPoP/ClockSkew'],
  [/^\/Proof\/.*$/, '/DPoP/MaxProofLifetime'],
  [/^\/(Issuer|Audience|PublicUrl)(?:\/.*)?$/, '/OpenIddict/$1'],
  [/^\/(?!DPoP\/|OpenIddict\/).*$/, '/OpenIddict'],
  [/^/, '/Authentication'],
]

function verifierProblems(options: Parameters<typeof createSettings>[0]): readonly ConfigurationProblem[] {
  try {
    // Where used proofs are remembered is not in the file: several workers share their store.
    createSettings({ ...options, replay: 'memory-per-process' })
    return []
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems
    throw error
  }
}
