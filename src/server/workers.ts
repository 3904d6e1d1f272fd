import cluster, { type Worker } from 'node:cluster'
import { setTimeout as delay } from 'node:timers/promises'
import type { Configuration } from '../config/load.js'
import type { Store } from '../store/store.js'
import { publish } from '../telemetry/events.js'
import type { LogLevelControl } from '../telemetry/log-level.js'
import { createWorkerMetrics } from '../telemetry/metrics.js'
import { admin } from './admin.js'
import { adminHandlers } from './administration/administration.js'
import { workersSource } from './administration/workers-source.js'
import { listen } from './listener.js'
import { openStore } from './products.js'
import { isStoreUp, type Running, run, type StopManner } from './run.js'
import { answerLifeSigns, watchLife } from './worker-life.js'

/** Seconds until a worker that has died is replaced: a fault at every start must not eat the machine. */
const replacementDelay = 1

/** What the primary process tells a worker. */
interface StopMessage {
  readonly stop: StopManner
}

/**
 * Several processes that share the listeners. This one serves no callers: it answers for all of them on the admin
 * listener, replaces those that die or hang and tells all of them to drain.
 */
export async function runWorkers(configuration: Configuration): Promise<Pick<Running, 'stop'>> {
  const { server } = configuration
  // Each worker takes its connections from the system: what the primary hands to one that dies or hangs would hang with it.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  // `cluster.workers` still holds some that have gone already, and waiting for those would never end.
  const alive = new Set<Worker>()
  const ready = new Set<Worker>()
  let phase: 'starting' | 'serving' | 'stopping' = 'starting'

  const begin = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = cluster.fork()
      let isHanging = false
      alive.add(worker)
      worker.on('message', (message) => {
        if (message !== 'ready') return
        ready.add(worker)
        watchLife(worker, () => {
          isHanging = true
        })
        resolve()
      })
      worker.once('exit', (code, signal) => {
        alive.delete(worker)
        ready.delete(worker)
        reject(new Error('a worker could not start; it has said why above'))
        if (phase !== 'serving') return
        publish({ type: 'server.worker.exited', cause: isHanging ? 'hanging' : (signal ?? `exit code ${code}`) })
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
        storeGrace: server.storeGrace,
        metrics: createWorkerMetrics(),
        ...adminHandlers(
          configuration,
          workersSource(() => [...ready]),
        ),
      }),
    }))

  const stop = async (manner: StopManner = 'at once'): Promise<void> => {
    phase = 'stopping'
    const gone = [...alive].map((worker) => new Promise<void>((resolve) => worker.once('exit', () => resolve())))
    for (const worker of alive) {
      if (ready.has(worker)) worker.send({ stop: manner } satisfies StopMessage)
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
export async function serveAsWorker(configuration: Configuration, logLevel: LogLevelControl): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => undefined)
  let isServing = false
  const told = new Promise<StopManner>((resolve) => {
    process.on('message', (message: Partial<StopMessage> | string) => {
      if (typeof message === 'object' && message.stop !== undefined) resolve(message.stop)
    })
    // A primary that has died cannot say so.
    process.once('disconnect', () => {
      if (isServing) resolve('at once')
      else process.exit(0)
    })
  })
  answerLifeSigns()
  const running = await run(configuration, { adminListener: 'elsewhere', logLevel })
  isServing = true
  process.send?.('ready')
  await running.stop(await told)
  process.exit(0)
}
