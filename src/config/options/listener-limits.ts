import type { ListenerLimits } from '../../http/listener-limits.js'
import { seconds } from '../duration.js'
import type { Settings } from '../schema/schema.js'

export function listenerLimits(limits: Settings['Server']['Limits']): ListenerLimits {
  return {
    connections: limits.Connections,
    connectionsPerAddress: limits.ConnectionsPerAddress,
    headerBytes: limits.HeaderBytes,
    headTimeout: seconds(limits.HeadTimeout),
    keepAliveTimeout: seconds(limits.KeepAliveTimeout),
    clientTimeout: seconds(limits.ClientTimeout),
  }
}
