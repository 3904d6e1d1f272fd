import { X509Certificate } from 'node:crypto'
import { isSecureUrl } from '../../http/secure-url.js'
import { isJwsAlgorithm, type JwsAlgorithm, jwsAlgorithms } from '../../jose/algorithm.js'
import { signingKey } from '../../jose/jwk.js'
import { introspectionDefaults } from '../defaults.js'
import type { IntrospectionOptions, IssuerOptions, VerifierOptions } from '../options.js'
import { type ProfileName, tokenProfiles } from '../token/token-profile.js'
import type { OptionChecks } from './option-checks.js'

export interface IssuerSettings extends IssuerOptions {
  readonly audiences: readonly string[]
  readonly algorithms: readonly JwsAlgorithm[]
  readonly profile: ProfileName
}

/** What an issuer has that says nothing of its own. */
interface OfTheVerifier {
  readonly audiences: readonly string[]
  readonly profile: ProfileName
  readonly ca: string | undefined
}

export const profileNames = Object.keys(tokenProfiles) as ProfileName[]

const members = ['issuer', 'jwksUri', 'jwks', 'algs', 'audience', 'profile', 'ca', 'introspection']

const introspectionMembers = [
  'endpoint',
  'clientId',
  'clientSecret',
  'signingKey',
  ...Object.keys(introspectionDefaults),
]

export function issuerSettings(
  option: VerifierOptions['issuer'],
  verifier: OfTheVerifier,
  checks: OptionChecks,
): readonly IssuerSettings[] {
  const issuers = listOf<string | IssuerOptions>(option).map((entry, index) => {
    const pointer = Array.isArray(option) ? `/issuer/${index}` : '/issuer'
    if (typeof entry !== 'string') checks.known(pointer, entry, members)
    return oneIssuer(typeof entry === 'string' ? { issuer: entry } : entry, pointer, verifier, checks)
  })
  if (issuers.length === 0)
    checks.wrong('/issuer', 'is missing', 'Name the authorization server by its issuer identifier.')
  if (new Set(issuers.map(({ issuer }) => issuer)).size < issuers.length)
    checks.wrong('/issuer', 'names one issuer twice', 'Give each issuer one entry.')
  return issuers
}

function oneIssuer(
  options: IssuerOptions,
  pointer: string,
  { audiences, profile, ca: general }: OfTheVerifier,
  checks: OptionChecks,
): IssuerSettings {
  const { issuer, jwksUri, algs, audience, introspection, ca = general } = options
  requireHttps(pointer, issuer, checks)
  if (jwksUri !== undefined) requireHttps(`${pointer}/jwksUri`, jwksUri, checks)
  if (!(algs ?? []).every(isJwsAlgorithm))
    checks.wrong(`${pointer}/algs`, 'has an unknown name', `Use ${jwsAlgorithms.join(', ')}.`)
  if (introspection !== undefined) checkIntrospection(introspection, `${pointer}/introspection`, checks)
  if (ca !== undefined)
    checks.usable(
      options.ca === undefined ? '/ca' : `${pointer}/ca`,
      'Give it the text of a PEM file, "-----BEGIN CERTIFICATE-----" and all.',
      () => new X509Certificate(ca),
    )
  const ownProfile = checks.choice(`${pointer}/profile`, options.profile, profileNames, profile)
  return {
    ...options,
    ...(ca !== undefined && { ca }),
    audiences: audience === undefined ? audiences : listOf(audience),
    algorithms: algs ?? tokenProfiles[ownProfile].algorithms,
    profile: ownProfile,
  }
}

function checkIntrospection(options: IntrospectionOptions, pointer: string, checks: OptionChecks): void {
  const { endpoint, clientSecret, signingKey: jwk, cache } = options
  checks.known(pointer, options, introspectionMembers)
  if (endpoint !== undefined) requireHttps(`${pointer}/endpoint`, endpoint, checks)
  if ((clientSecret === undefined) === (jwk === undefined))
    checks.wrong(pointer, 'has not one way to authenticate', 'Give it a clientSecret or a signingKey.')
  if (jwk !== undefined) checks.usable(`${pointer}/signingKey`, 'Give it a private JWK.', () => signingKey(jwk))
  checks.number(`${pointer}/cache`, cache, introspectionDefaults.cache, [0, 60])
}

function requireHttps(pointer: string, url: string, checks: OptionChecks): void {
  if (!isText(url) || !isSecureUrl(url))
    checks.wrong(pointer, 'is not an https URL', 'Write an https URL. Plain http is accepted for loopback hosts only.')
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

export function listOf<Item>(value: Item | readonly Item[] | undefined): readonly Item[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : [value as Item]
}
