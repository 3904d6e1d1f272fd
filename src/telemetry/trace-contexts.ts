import { AsyncLocalStorage } from 'node:async_hooks'
import type * as OpenTelemetry from '@opentelemetry/api'

/**
 * Which span runs. Node 20 and 22 pay for every promise of the process while an `AsyncLocalStorage` is in use (a proxied call
 * a third more; a little for good, once it has been), so it is in use only while something runs that has entered: logins and
 * refreshes, never a call on its way to an API.
 */
export interface TraceContexts {
  /** For OpenTelemetry, which asks it what is active. */
  readonly manager: OpenTelemetry.ContextManager
  /** A request of its own, with all that it does later. The caller leaves when it is over. */
  enter<Result>(context: OpenTelemetry.Context, run: () => Result): Result
  leave(): void
  /** The same for what is over with its result. */
  during<Result>(context: OpenTelemetry.Context, run: () => Result): Result
  /** Whoever is in a context stays in it until then. */
  stay(until: Promise<unknown>): void
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
  const enter: TraceContexts['enter'] = (context, run) => {
    entered++
    return storage.run(context, run)
  }
  const leave = (): void => {
    if (--entered === 0) storage.disable()
  }
  return {
    manager,
    enter,
    leave,
    during(context, run) {
      let result: ReturnType<typeof run> | undefined
      try {
        result = enter(context, run)
        return result
      } finally {
        if (result instanceof Promise) result.then(leave, leave)
        else leave()
      }
    },
    stay(until) {
      entered++
      until.then(leave, leave)
    },
  }
}
