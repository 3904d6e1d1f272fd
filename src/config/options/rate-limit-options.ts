import type { RateLimitOptions } from '../../gateway/limits/limit-options.js'
import { seconds } from '../duration.js'
import type { RouteSettings } from '../schema/route.js'

/** @param settings In which every rule holds. */
export function rateLimitOptions(settings: RouteSettings['RateLimits']): readonly RateLimitOptions[] {
  return settings.map(({ Requests = 1, Per = '00:00:01', By }) => ({ requests: Requests, per: seconds(Per), by: By }))
}
