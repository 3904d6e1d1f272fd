import {
  createFailureLimit,
  createNetworkLimit,
  type FailureLimit,
  type NetworkLimit,
} from '../../http/limits/network-limit.js'
import { publish } from '../../telemetry/events.js'
import { loginLimitDefaults } from '../defaults.js'
import type { LoginLimits } from '../limits/limit-options.js'

/** What a network may ask the gateway for without a session. */
export interface Limits {
  /** Logins begun: each is a conversation with the authorization server. */
  readonly login: NetworkLimit
  /** Answers of the authorization server that belong to no login. */
  readonly callback: NetworkLimit
  /** Logout tokens that are not genuine: each costs a signature, and perhaps a look for new keys. */
  readonly logoutToken: FailureLimit
}

export function createLimits({
  perAddress = loginLimitDefaults.perAddress,
  window = loginLimitDefaults.window,
}: LoginLimits = {}): Limits {
  const onRefused = (limit: string) => (network: string, refused: number) =>
    publish({ type: 'gateway.network.limited', limit, network, refused })
  return {
    login: createNetworkLimit({ room: perAddress, window, onRefused: onRefused('login') }),
    callback: createNetworkLimit({ room: perAddress, window, onRefused: onRefused('callback') }),
    logoutToken: createFailureLimit({ room: 60, onRefused: onRefused('logout token') }),
  }
}
