import cluster, { type Worker } from 'node:cluster'
import { setTimeout as delay } from 'node:timers/promises'
import type { Configuration } from '../config/load.js'
import type { Store } from '../store/store.js'
import { publish } from '../telemetry/events.js'
import { createWorkerMetrics } from '../telemetry/metrics.js'
import { admin } from './admin.js'
import { listen } from './listener.js'
import { openStore } from './products.js'
import { isStoreUp, type Running, run } from './run.js'

/** Seconds until a worker that has died is replaced: a fault at every start must not eat the machine. */
const replacementDelay = 1

/**
 * Several processes that share the listeners. This one serves no callers: it answers for all of them on the admin
 * listener, replaces those that die and tells all of them to drain.
 */
export async function runWorkers(configuration: Configuration): Promise<Pick<Running, 'stop'>> {
  const { server } = configuration
  // `cluster.workers` still holds some that have gone already, and waiting for those would never end.
  const alive = new Set<Worker>()
  const ready = new Set<Worker>()
  let phase: 'starting' | 'serving' | 'stopping' = 'starting'

  const begin = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = cluster.fork()
      alive.add(worker)
      worker.once('message', () => {
        ready.add(worker)
        resolve()
      })
      worker.once('exit', (code, signal) => {
        alive.delete(worker)
        ready.delete(worker)
        reject(new Error('a worker could not start; it has said why above'))
        if (phase !== 'serving') return
        publish({ type: 'server.worker.exited', cause: signal ?? `exit code ${code}` })
        void replace()
      })
    })
  const replace = async (): Promise<void> => {
    await delay(replacementDelay * 1000)
    // Should it die at once, its own end is followed by the next attempt.
    if (phase === 'serving') await begin().catch(() => undefined)
  }

  // A connection of its own: readiness tells of the store also while every worker is busy.
  let store: Store | undefined
  const adminListener =
    server.adminListen &&
    (await listen({
      pointer: '/Server/AdminListen',
      limits: server.limits,
      address: server.adminListen,
      onRequest: admin({
        listensOn: server.adminListen.host,
        isReady: () => phase === 'serving' && ready.size > 0,
        isStoreUp: async () => store !== undefined && (await isStoreUp(store)),
        metrics: createWorkerMetrics(),
      }),
    }))

  const stop = async (): Promise<void> => {
    phase = 'stopping'
    const gone = [...alive].map((worker) => new Promise<void>((resolve) => worker.once('exit', () => resolve())))
    for (const worker of alive) {
      if (ready.has(worker)) worker.send('stop')
      // It serves no requests yet and could not receive the message.
      else worker.process.kill('SIGKILL')
    }
    await Promise.all(gone)
    await adminListener?.drain(1)
    await store?.close()
  }

  try {
    if (adminListener !== undefined) store = await openStore(configuration)
    await Promise.all(Array.from({ length: server.workers }, begin))
    phase = 'serving'
  } catch (error) {
    await stop()
    throw error
  }
  return { stop }
}

/** One of several: told by the primary process when to stop. Signals of a terminal reach all; only the primary decides. */
export async function serveAsWorker(configuration: Configuration): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => undefined)
  const told = new Promise<void>((resolve) => {
    process.on('message', (message) => {
      if (message === 'stop') resolve()
    })
    // A primary that has died cannot say so.
    process.once('disconnect', resolve)
  })
  const running = await run(configuration, { adminListener: 'elsewhere' })
  process.send?.('ready')
  await told
  await running.stop()
  process.exit(0)
}
