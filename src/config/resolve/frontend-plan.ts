import type { Jwk } from '../../jose/jwk.js'
import type { FrontendSettings } from '../schema/bff.js'
import type { RouteSettings } from '../schema/route.js'

export interface FrontendPlan {
  readonly pointer: string
  readonly settings: FrontendSettings
  /** What is asked for at login. */
  readonly scopes: readonly string[]
  readonly name: string
  readonly publicUrl: URL | undefined
  /** Where the public URL is written, or should be. */
  readonly publicUrlPointer: string
  readonly authority: string | undefined
  readonly clientId: string | undefined
  /** Whether its authorization server is the embedded one. */
  readonly isEmbedded: boolean
  readonly clientSecret: string | undefined
  /** The key that signs, then the retired ones. */
  readonly keys: readonly Jwk[]
  readonly hosts: readonly string[]
  readonly redirectUri: string | undefined
  readonly postLogoutRedirectUri: string | undefined
  readonly backchannelLogoutUri: string | undefined
  readonly routes: readonly RouteSettings[]
}
