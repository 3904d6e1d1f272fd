import cluster, { type Worker } from 'node:cluster'
import { setTimeout as delay } from 'node:timers/promises'
import type { Snapshot } from '../config/files.js'
import type { Configuration } from '../config/load.js'
import type { Store } from '../store/store.js'
import { publish } from '../telemetry/events.js'
import { createWorkerMetrics, withConfigurationMetrics } from '../telemetry/metrics.js'
import { admin } from './admin.js'
import { adminHandlers } from './administration/administration.js'
import { workersSource } from './administration/workers-source.js'
import { removeStaleSocket } from './bind.js'
import type { Generations } from './generations.js'
import { listen } from './listener.js'
import { openStore } from './products.js'
import type { Candidate, Prepared } from './reload.js'
import { isStoreUp, type Running, type StopManner } from './run.js'
import { watchLife } from './worker-life.js'
import { isFromWorker } from './worker-messages.js'
import { prepareWorkers, tell } from './worker-reload.js'

/** Seconds until a worker that has died is replaced: a fault at every start must not eat the machine. */
const replacementDelay = 1

export interface WorkersOptions {
  readonly generations: Generations
  /** What the configuration was read from: each worker reads it from the same. */
  readonly snapshot: Snapshot
}

export interface RunningWorkers extends Pick<Running, 'stop'> {
  /** All of them make it ready, and swap together. @throws when one of them cannot; nothing has changed then */
  prepare(candidate: Candidate): Promise<Prepared>
}

/**
 * Several processes that share the listeners. This one serves no callers: it answers for all of them on the admin
 * listener, replaces those that die or hang and tells all of them to drain.
 */
export async function runWorkers(
  configuration: Configuration,
  { generations, snapshot: first }: WorkersOptions,
): Promise<RunningWorkers> {
  const { server } = configuration
  // Each worker takes its connections from the system: what the primary hands to one that dies or hangs would hang with it.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  // `cluster.workers` still holds some that have gone already, and waiting for those would never end.
  const alive = new Set<Worker>()
  const ready = new Set<Worker>()
  let phase: 'starting' | 'serving' | 'stopping' = 'starting'
  /** What is served. */
  let now = first
  let attempts = 0

  const begin = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = cluster.fork()
      let isHanging = false
      let served = now
      alive.add(worker)
      worker.on('message', (message) => {
        if (!isFromWorker(message)) return
        if (message.type === 'hears') {
          served = now
          tell(worker, { type: 'serve', first, now })
        }
        if (message.type !== 'ready') return
        // It was asked before the others swapped: another one takes its place.
        if (served !== now) return void worker.process.kill('SIGKILL')
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
        ...adminHandlers(
          configuration,
          workersSource(() => [...ready]),
        ),
        configuration: generations.status,
        metrics: withConfigurationMetrics(createWorkerMetrics(), generations.status),
      }),
    }))

  const stop = async (manner: StopManner = 'at once'): Promise<void> => {
    phase = 'stopping'
    const gone = [...alive].map((worker) => new Promise<void>((resolve) => worker.once('exit', () => resolve())))
    for (const worker of alive) {
      if (ready.has(worker)) tell(worker, { type: 'stop', manner })
      // It serves no requests yet and could not receive the message.
      else worker.process.kill('SIGKILL')
    }
    await Promise.all(gone)
    await adminListener?.drain(1)
    await store?.close()
  }

  try {
    if (adminListener !== undefined) store = await openStore(configuration)
    // Before there are several who could take each other's.
    await removeStaleSocket(server.listen.path)
    await removeStaleSocket(server.forwardAuth?.listen.path)
    await Promise.all(Array.from({ length: server.workers }, begin))
    phase = 'serving'
  } catch (error) {
    await stop()
    throw error
  }
  return {
    stop,
    async prepare({ snapshot }) {
      const { changes, swap, discard } = await prepareWorkers(ready, ++attempts, snapshot)
      return {
        changes,
        discard,
        swap() {
          now = snapshot
          return swap()
        },
      }
    },
  }
}
