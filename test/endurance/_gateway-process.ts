import { randomBytes } from 'node:crypto'
import { createGateway } from '../../src/gateway/gateway.js'
import { listen } from '../../src/server/listener.js'
import { createMemoryStore } from '../../src/store/memory-store.js'
import { createSeal } from '../../src/store/seal.js'
import { aFrontend, aRoute } from '../gateway/_gateway.js'
import { planting } from '../gateway/_planted.js'
import type { GatewayPlan, Measures, Question } from './_gateway.js'

/*
 * The whole gateway in a process of its own, so that its memory, its handles and its death are nobody else's.
 */

const plan = JSON.parse(process.argv[2] ?? '') as GatewayPlan
let uncaught = 0
process.on('uncaughtExceptionMonitor', () => uncaught++)

const options = {
  frontends: [
    aFrontend({
      publicUrl: new URL('https://shop.example'),
      authority: 'http://127.0.0.1:9',
      routes: Object.entries(plan.routes).map(([path, upstream]) =>
        aRoute({
          path,
          upstreams: [new URL(upstream)],
          ...(plan.timeouts && { timeouts: plan.timeouts }),
          // It would answer in the upstream's stead.
          circuitBreaker: { failures: Number.MAX_SAFE_INTEGER },
        }),
      ),
    }),
  ],
  store: createMemoryStore(),
  seal: createSeal([randomBytes(32)]),
}
const gateway = await createGateway(options)
const { url, drain } = await listen({
  pointer: '/Server/Listen',
  address: { host: '127.0.0.1', port: 0 },
  onRequest: gateway.callback(),
  onUpgrade: gateway.upgrade,
})
const { plant } = planting(options)
const { cookie } = await plant('app')

process.on('message', async (question: Question) => {
  switch (question) {
    case 'measure': {
      global.gc?.()
      const handles: Record<string, number> = {}
      for (const name of process.getActiveResourcesInfo()) handles[name] = (handles[name] ?? 0) + 1
      const measures: Measures = { rss: process.memoryUsage.rss(), handles, uncaught }
      process.send?.(measures)
      return
    }
    case 'stop':
      await Promise.all([drain(1), gateway.drain(1)])
      await gateway.close()
      process.disconnect()
  }
})
// Whoever started it has gone, or has told it to stop.
process.once('disconnect', () => process.exit())
process.send?.({ url, cookie })
