import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test, { type ExecutionContext } from 'ava'
import { createAuthorizationServer } from '../../src/authorization-server/authorization-server.js'
import { createGateway } from '../../src/gateway/gateway.js'
import { startServer } from '../authorization-server/_running.js'
import { aFrontend, aRoute, gatewayOptions } from '../gateway/_gateway.js'

/*
 * A reload makes products anew and closes the old ones: whatever is left over each time would end the process in the end.
 */

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Bytes of the heap that are in use, once all that can be freed is freed. */
async function heapInUse(): Promise<number> {
  for (let n = 0; n < 3; n++) {
    await new Promise(setImmediate)
    collectGarbage()
  }
  return process.memoryUsage().heapUsed
}

async function leavesNothing(t: ExecutionContext, times: number, makeAndClose: () => Promise<void>): Promise<void> {
  const several = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) {
      await makeAndClose()
      await new Promise(setImmediate)
    }
  }
  await several(20)
  const [heap, handles] = [await heapInUse(), process.getActiveResourcesInfo().length]
  await several(times)
  const growth = (await heapInUse()) - heap
  t.log(`${times} times: heap ${(growth / 1e6).toFixed(2)} MB`)
  t.true(growth < 5e6, `${growth} bytes`)
  t.true(process.getActiveResourcesInfo().length <= handles + 2, process.getActiveResourcesInfo().join(' '))
}

test.serial('a gateway with 50 frontends that is made and closed leaves nothing', async (t) => {
  const frontends = Array.from({ length: 50 }, (_, index) =>
    aFrontend({
      name: `app${index}`,
      pathPrefix: `/app${index}`,
      publicUrl: new URL('http://localhost:3000'),
      authority: 'http://localhost:9',
      routes: [aRoute({ upstreams: [new URL('http://127.0.0.1:9')], healthCheck: { path: '/health' } })],
    }),
  )
  const options = gatewayOptions(frontends)
  await leavesNothing(t, 200, async () => (await createGateway(options)).close())
})

test.serial('an authorization server that is made and closed leaves nothing', async (t) => {
  const { options, stop } = await startServer()
  t.teardown(stop)
  await leavesNothing(t, 200, async () => (await createAuthorizationServer(options)).close())
})

test.serial('routes that frontends share are prepared once, and closed', async (t) => {
  const routes = [aRoute({ upstreams: [new URL('http://127.0.0.1:9')], healthCheck: { path: '/health' } })]
  const frontends = Array.from({ length: 50 }, (_, index) =>
    aFrontend({
      name: `app${index}`,
      pathPrefix: `/app${index}`,
      publicUrl: new URL('http://localhost:3000'),
      authority: 'http://localhost:9',
      routes,
    }),
  )
  const options = gatewayOptions(frontends)
  await leavesNothing(t, 100, async () => (await createGateway(options)).close())
})
