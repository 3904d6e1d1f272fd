import {
  createFailureLimit,
  createNetworkLimit,
  type FailureLimit,
  type NetworkLimit,
} from '../../http/limits/network-limit.js'
import type { Store } from '../../store/store.js'
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

/** @param count Of all processes together. */
export function createLimits(
  { perAddress = loginLimitDefaults.perAddress, window = loginLimitDefaults.window }: LoginLimits | undefined = {},
  store: Store,
  count: Store['count'],
): Limits {
  const onRefused = (limit: string) => (network: string, refused: number) =>
    publish({ type: 'gateway.network.limited', limit, network, refused })
  return {
    login: createNetworkLimit({ name: 'login', room: perAddress, window, count, onRefused: onRefused('login') }),
    callback: createNetworkLimit({
      name: 'callback',
      room: perAddress,
      window,
      count,
      onRefused: onRefused('callback'),
    }),
    logoutToken: createFailureLimit({
      name: 'logout-token',
      room: 60,
      store,
      count,
      onRefused: onRefused('logout token'),
    }),
  }
}
