import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { ExecutionContext } from 'ava'
import { channelName, type SallyportEvent } from '../../src/telemetry/events.js'

/** Everything that happens from now on, in this process. */
export function watchEvents(t: ExecutionContext): readonly SallyportEvent[] {
  const events: SallyportEvent[] = []
  const listen = (event: unknown) => void events.push(event as SallyportEvent)
  subscribe(channelName, listen)
  t.teardown(() => unsubscribe(channelName, listen))
  return events
}
