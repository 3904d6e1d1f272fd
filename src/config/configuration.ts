import type { ConfigurationProblem } from '../errors.js'
import type { ListenerLimits } from '../http/listener-limits.js'
import type { ListenAddress } from './listen-address.js'
import type { AuditSettings } from './options/audit-options.js'
import type { AuthorizationServerConfiguration } from './options/authorization-server-options.js'
import type { Certificate } from './options/certificates.js'
import type { ForwardAuthConfiguration } from './options/forward-auth-options.js'
import type { GatewaySettings } from './options/gateway-options.js'
import type { SampleApiConfiguration } from './options/sample-api-options.js'
import type { StoreSettings } from './options/store-options.js'
import type { Plan } from './resolve/resolved.js'

/** A file and its environment, checked and complete: what the products are made from. */
export interface Configuration {
  readonly server: ServerSettings
  readonly store: StoreSettings
  /** 32 bytes each. The first one seals. */
  readonly sealingKeys: readonly Buffer[]
  readonly gateway: GatewaySettings | undefined
  readonly authorizationServer: AuthorizationServerConfiguration | undefined
  readonly sampleApi: SampleApiConfiguration | undefined
  /** Absolute. Holds what is made at first start. */
  readonly stateDirectory: string
  readonly plan: Plan
  /** What the file says and the running process cannot take over: it goes on with what it has. */
  readonly kept: readonly ConfigurationProblem[]
}

export interface ServerSettings {
  readonly listen: ListenAddress
  readonly tls: readonly Certificate[] | undefined
  readonly adminListen: ListenAddress | undefined
  /** Whether connections of `TrustedProxies` begin with a header of the PROXY protocol. */
  readonly proxyProtocol: 'none' | 'v2'
  /** Undefined: there is no administration. */
  readonly adminToken: string | undefined
  /** Undefined: no proxy asks. */
  readonly forwardAuth: ForwardAuthConfiguration | undefined
  /** Processes that share the listeners. */
  readonly workers: number
  /** Seconds. */
  readonly drainDelay: number
  /** Seconds. */
  readonly drainTimeout: number
  /** Seconds. */
  readonly storeGrace: number | undefined
  readonly limits: ListenerLimits
  /** Undefined: there is none. */
  readonly audit: AuditSettings | undefined
  readonly accessLog: boolean
  /** Whether files that change are taken over by themselves. */
  readonly watch: boolean
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
}
