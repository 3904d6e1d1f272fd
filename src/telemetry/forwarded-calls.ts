import type { GatewayEvent } from './gateway-events.js'
import type { metricsIn } from './registered-metrics.js'

type Forwarded = Extract<GatewayEvent, { readonly type: 'gateway.request.forwarded' }>
type Count = (seconds: number) => void

/** Of one route of one frontend. */
interface RouteCounts {
  readonly own: Count
  readonly upstream: Count
  /** By method, then by class of status. */
  readonly whole: Map<string, Map<string, Count>>
}

/** Counts how long forwarded calls take. What a call's labels lead to is made for the first call that has them, and found for the others. */
export function countingCalls({
  histogram,
}: Pick<ReturnType<typeof metricsIn>, 'histogram'>): (call: Forwarded) => void {
  const forwarded = histogram('forwarded')
  const ownTime = histogram('ownTime')
  const upstreamTime = histogram('upstreamTime')
  const frontends = new Map<string, Map<string, RouteCounts>>()

  const countsOf = (frontend: string, route: string): RouteCounts => {
    const routes = frontends.get(frontend) ?? new Map<string, RouteCounts>()
    const own = ownTime.of({ frontend, route })
    const upstream = upstreamTime.of({ frontend, route })
    const counts = { own, upstream, whole: new Map<string, Map<string, Count>>() }
    frontends.set(frontend, routes.set(route, counts))
    return counts
  }

  return ({ frontend, route, method: said, status: answered, seconds, ownSeconds, upstreamSeconds, attempts }) => {
    const { own, upstream, whole } = frontends.get(frontend)?.get(route) ?? countsOf(frontend, route)
    const [method, status] = [known(said), classOf(answered)]
    let count = whole.get(method)?.get(status)
    if (count === undefined) {
      count = forwarded.of({ frontend, route, method, status })
      whole.set(method, (whole.get(method) ?? new Map<string, Count>()).set(status, count))
    }
    count(seconds)
    own(ownSeconds)
    if (attempts > 0) upstream(upstreamSeconds)
  }
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

function known(method: string): string {
  return methods.includes(method) ? method : 'other'
}

const classes = ['0xx', '1xx', '2xx', '3xx', '4xx', '5xx']

/** `2xx`; without an answer, `none`. */
export function classOf(status: number | undefined): string {
  if (status === undefined) return 'none'
  const hundreds = Math.floor(status / 100)
  return classes[hundreds] ?? `${hundreds}xx`
}
