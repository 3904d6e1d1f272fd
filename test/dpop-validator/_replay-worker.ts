import cluster from 'node:cluster'
import { createServer } from 'node:http'
import { protect } from '../../src/dpop-validator/adapters/node.js'
import { createVerifier } from '../../src/dpop-validator/dpop-validator.js'
import { serveClusterReplays } from '../../src/dpop-validator/proof/replay-cluster.js'
import { createRedisStore } from '../../src/store/redis-store.js'

/**
 * A process for `replay.test.ts`. `cluster`: a primary with two workers. `redis`: one process of several.
 * Says the ports it listens on, one to a line.
 */
const [kind, options = '{}', redisUrl = ''] = process.argv.slice(2)

if (kind === 'cluster' && cluster.isPrimary) {
  serveClusterReplays()
  const workers = [cluster.fork(), cluster.fork()]
  process.on('SIGTERM', () => {
    for (const worker of workers) worker.process.kill()
    process.exit()
  })
} else {
  const replay = kind === 'cluster' ? ('cluster' as const) : await createRedisStore({ url: redisUrl })
  const guard = protect(createVerifier({ ...JSON.parse(options), replay }))
  const server = createServer(async (request, response) => {
    if ((await guard(request, response)) !== undefined) response.end('ok')
  })
  // A port of its own for each worker: the test talks to both.
  server.listen({ port: 0, host: '127.0.0.1', exclusive: true }, () => {
    const address = server.address()
    console.log(`port ${typeof address === 'object' ? address?.port : ''}`)
  })
}
