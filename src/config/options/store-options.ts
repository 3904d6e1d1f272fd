import { seconds } from '../duration.js'
import type { StorePlan } from '../resolve/store.js'

/** What the stores are made from. */
export type StoreSettings =
  | { readonly kind: 'memory' }
  | { readonly kind: 'file'; readonly path: string }
  /** `timeout` is seconds. */
  | { readonly kind: 'redis'; readonly url: string; readonly prefix: string; readonly timeout: number }

export function storeSettings(plan: StorePlan): StoreSettings {
  if (plan.kind !== 'redis') return plan
  const { url = '', settings } = plan
  return { kind: 'redis', url, prefix: settings.Prefix, timeout: seconds(settings.Timeout) }
}
