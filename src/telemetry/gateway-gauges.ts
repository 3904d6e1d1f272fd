import type { metricsIn } from './registered-metrics.js'

/** What is read of a gateway when metrics are. */
export interface ReadableGateway {
  state(): {
    readonly inFlight: number
    readonly frontends: readonly {
      readonly name: string
      readonly routes: readonly {
        readonly path: string
        readonly upstreams: readonly { readonly url: string; readonly healthy: boolean; readonly breaker: string }[]
      }[]
    }[]
  }
  readonly sessions: { estimate(): Promise<ReadonlyMap<string, number>> }
}

/** @param gateway Undefined until it is there. */
export function gaugesOf(
  { gauge }: Pick<ReturnType<typeof metricsIn>, 'gauge'>,
  gateway: () => ReadableGateway | undefined,
): void {
  gauge('inFlight', (value) => value.set(gateway()?.state().inFlight ?? 0))
  gauge('upstreamUp', (up) => {
    // A frontend that went takes its series along.
    up.reset()
    for (const { name: frontend, routes } of gateway()?.state().frontends ?? [])
      for (const { path: route, upstreams } of routes)
        for (const { url: upstream, healthy, breaker } of upstreams)
          up.set({ frontend, route, upstream }, healthy && breaker !== 'open' ? 1 : 0)
  })
  gauge('sessionsActive', async (active) => {
    // A store that is away has no answer, and all other metrics do.
    const counts = await gateway()
      ?.sessions.estimate()
      .catch(() => undefined)
    active.reset()
    for (const [frontend, count] of counts ?? []) active.set({ frontend }, count)
  })
}
