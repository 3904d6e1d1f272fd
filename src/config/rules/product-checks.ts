import { type OptionProblem, optionProblems } from '../../authorization-server/check-options.js'
import { createSettings } from '../../dpop-validator/settings/settings.js'
import { ConfigurationError, type ConfigurationProblem } from '../../errors.js'
import { frontendProblems } from '../../gateway/frontend/check-frontends.js'
import type { AuthorizationServerConfiguration } from '../options/authorization-server-options.js'
import type { GatewaySettings } from '../options/gateway-options.js'
import type { SampleApiConfiguration } from '../options/sample-api-options.js'
import type { AuthorizationServerPlan, Plan } from '../resolve/resolved.js'

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
}: ProductOptions): Generator<ConfigurationProblem> {
  if (gateway !== undefined) yield* frontendProblems(gateway.frontends)
  if (authorizationServer !== undefined && plan.authorizationServer !== undefined)
    for (const found of optionProblems(authorizationServer.options)) yield inTheFile(found, plan.authorizationServer)
  if (sampleApi !== undefined)
    for (const { pointer, ...found } of verifierProblems(sampleApi.verifier))
      yield { pointer: settingOfTheApi(pointer), ...found }
}

function inTheFile({ pointer, problem }: OptionProblem, server: AuthorizationServerPlan): ConfigurationProblem {
  const [list = '', index, ...members] = pointer.split('/').slice(1)
  const application = list === 'clients' ? server.applications[Number(index)]?.pointer : undefined
  const names = (segments: readonly (string | undefined)[]): string =>
    segments.map((name = '') => `/${settings[name] ?? name.charAt(0).toUpperCase() + name.slice(1)}`).join('')
  const written =
    application !== undefined
      ? `${application}${names(members)}`
      : list === 'lifetimes'
        ? `${server.pointer}${names([index])}Lifetime`
        : `${server.pointer}${names([list, index].filter((name) => name !== undefined))}${names(members)}`
  return { pointer: written, problem, remedy: 'Compare with docs/authorization-server.md and docs/configuration.md.' }
}

/** Where the file has another name for an option than the option itself, in capitals. */
const settings: Readonly<Record<string, string>> = {
  keys: 'SigningKeyJwk',
  users: 'Seeding/Users',
  scopes: 'Seeding/Scopes',
  sub: 'sub',
}

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

function settingOfTheApi(pointer: string): string {
  const [, option = ''] = pointer.split('/')
  const written: Readonly<Record<string, string>> = {
    issuer: 'OpenIddict/Issuer',
    audience: 'OpenIddict/Audience',
    publicUrl: 'OpenIddict/PublicUrl',
    proof: pointer.endsWith('futureSkew') ? 'DPoP/ClockSkew' : 'DPoP/MaxProofLifetime',
  }
  return `/Authentication/${written[option] ?? 'OpenIddict'}`
}
