import { defaultListenerLimits, type ListenerLimits } from '../../http/listener-limits.js'
import { seconds } from '../duration.js'
import type { Settings } from '../schema/schema.js'

/** Complete: what the file does not say is the default. */
export function listenerLimits(limits: Settings['Server']['Limits'] = {}): ListenerLimits {
  const inSeconds = (duration: string | undefined, fallback: number): number =>
    duration === undefined ? fallback : seconds(duration)
  const { Connections, ConnectionsPerAddress, HeaderBytes, HeadTimeout, KeepAliveTimeout, ClientTimeout } = limits
  return {
    connections: Connections ?? defaultListenerLimits.connections,
    connectionsPerAddress: ConnectionsPerAddress ?? defaultListenerLimits.connectionsPerAddress,
    headerBytes: HeaderBytes ?? defaultListenerLimits.headerBytes,
    headTimeout: inSeconds(HeadTimeout, defaultListenerLimits.headTimeout),
    keepAliveTimeout: inSeconds(KeepAliveTimeout, defaultListenerLimits.keepAliveTimeout),
    clientTimeout: inSeconds(ClientTimeout, defaultListenerLimits.clientTimeout),
  }
}
