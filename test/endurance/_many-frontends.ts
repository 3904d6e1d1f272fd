import { createGateway } from '../../src/gateway/gateway.js'
import { aFrontend, aRoute, gatewayOptions } from '../gateway/_gateway.js'
import { collectGarbage } from './_made-and-closed.js'
import { collectFailures, grown, type Report } from './_report.js'

export interface ManyFrontendsOptions {
  readonly count: number
  /** Bytes of memory for each. */
  readonly limitEach: number
}

/** Frontends take what they say, not a cache each. */
export async function manyFrontends({ count, limitEach }: ManyFrontendsOptions): Promise<Report> {
  const failures = collectFailures()
  const used = (): number => {
    collectGarbage()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const options = gatewayOptions(
    Array.from({ length: count }, (_, index) =>
      aFrontend({
        name: `app${index}`,
        pathPrefix: `/app${index}`,
        publicUrl: new URL('http://localhost:3000'),
        authority: 'http://localhost:9',
        routes: [aRoute({ upstreams: [new URL('http://127.0.0.1:9')] })],
      }),
    ),
  )
  const before = used()
  const gateway = await createGateway(options)
  const each = (used() - before) / count
  await gateway.close()
  failures.unless(each < limitEach, `each takes ${(each / 1024).toFixed(1)} KiB`)
  return { line: `${count} frontends: memory ${grown(each * count)}`, failures: failures.list() }
}
