import type { Configuration } from '../config/load.js'
import { noted, type Trial } from './probe/probe.js'

/** Of two periods of a route, one may end before the other can. */
export function periods({ gateway }: Configuration): readonly Trial[] {
  return (gateway?.frontends ?? []).flatMap(({ routes }, index) =>
    routes.flatMap(({ timeouts = {}, healthCheck }, number) => {
      const at = `/Bff/Frontends/${index}/Routes/${number}`
      const { total, connect, responseHeaders } = timeouts
      const { interval, timeout } = healthCheck ?? {}
      const cutShort = [
        ['Timeouts/Connect', connect, 'Timeouts/Total', total],
        ['Timeouts/ResponseHeaders', responseHeaders, 'Timeouts/Total', total],
        ['HealthCheck/Timeout', timeout, 'HealthCheck/Interval', interval],
      ] as const
      return cutShort.flatMap(([member, seconds, end, most]) =>
        seconds === undefined || most === undefined || seconds <= most
          ? []
          : [
              noted(
                `${at}/${member}`,
                `is ${seconds} s, and ${end} is ${most} s, which comes first`,
                `Make ${member} the shorter one.`,
              ),
            ],
      )
    }),
  )
}
