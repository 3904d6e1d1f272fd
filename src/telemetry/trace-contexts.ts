import { AsyncLocalStorage } from 'node:async_hooks'
import type * as OpenTelemetry from '@opentelemetry/api'

/**
 * Which span runs. Node 20 and 22 pay for every promise of the process once an `AsyncLocalStorage` is in use (a proxied call
 * a third more), so it is in use only while a request runs that has entered.
 */
export interface TraceContexts {
  /** For OpenTelemetry, which asks it what is active. */
  readonly manager: OpenTelemetry.ContextManager
  /** A request of its own, with all that it does later. The caller leaves when it is over. */
  enter<Result>(context: OpenTelemetry.Context, run: () => Result): Result
  leave(): void
}

export function createTraceContexts({ ROOT_CONTEXT }: typeof OpenTelemetry): TraceContexts {
  const storage = new AsyncLocalStorage<OpenTelemetry.Context>()
  let entered = 0
  let passing: OpenTelemetry.Context | undefined
  const manager: OpenTelemetry.ContextManager = {
    active: () => storage.getStore() ?? passing ?? ROOT_CONTEXT,
    with(context, run, self, ...parameters) {
      if (storage.getStore() !== undefined) return storage.run(context, () => run.apply(self, parameters))
      // Of a program's own, as when spans are sent: for as long as the function runs.
      const before = passing
      passing = context
      try {
        return run.apply(self, parameters)
      } finally {
        passing = before
      }
    },
    bind: (_context, target) => target,
    enable: () => manager,
    disable: () => manager,
  }
  return {
    manager,
    enter(context, run) {
      entered++
      return storage.run(context, run)
    },
    leave() {
      if (--entered === 0) storage.disable()
    },
  }
}
