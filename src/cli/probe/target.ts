import type { Response } from 'undici'
import type { FrontendOptions } from '../../gateway/options.js'
import type { RouteOptions } from '../../gateway/route-options.js'

/** What is known of the access tokens of a route. */
export interface ExpectedToken {
  /** `aud`. Undefined: only the authorization server knows. */
  readonly audience: readonly string[] | undefined
  /** `certain`: it was issued, or the embedded server's rules were asked. `named`: the route asks for it. */
  readonly from: 'certain' | 'named'
}

export interface UpstreamTrialOptions {
  /** Where the sample API of this file will be. */
  readonly samplePort: number | undefined
  readonly tokenFor: (frontend: FrontendOptions, route: RouteOptions) => ExpectedToken
}

/** One API as one route calls it. */
export interface Target extends UpstreamTrialOptions {
  readonly subject: string
  readonly upstream: URL
  readonly route: RouteOptions
  readonly frontend: FrontendOptions
  get(url: URL, headers?: Readonly<Record<string, string>>): Promise<Response>
}
