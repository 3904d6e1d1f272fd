import { isStoreUnavailable, UpstreamError } from '../../errors.js'
import type { FrontendState, GatewayState, RouteState, UpstreamState } from '../../gateway/gateway.js'
import type { AdministrationSource, ProcessReport } from './source.js'

/** One end of what connects two processes: `process`, or a worker. */
export interface ProcessLink {
  send?(message: object): unknown
  on(event: 'message', listener: (message: unknown) => void): unknown
  off(event: 'message', listener: (message: unknown) => void): unknown
}

interface Question {
  readonly administration: 'question'
  readonly id: number
  readonly method: keyof AdministrationSource
  readonly given: unknown
}

type Reply = { readonly administration: 'reply'; readonly id: number } & (
  | { readonly result: unknown }
  | { readonly failed: 'store' | 'range' | 'otherwise'; readonly message: string }
)

/** Seconds that a worker may take: one that hangs must not make the administrator wait for long. */
const defaultPatience = 5
/** Seconds for ending many sessions. */
const longPatience = 600

/** In a worker: answers what the primary process asks. */
export function answerPrimary(source: AdministrationSource, primary: ProcessLink = process): void {
  primary.on('message', (message) => {
    if (!isOfKind<Question>(message, 'question')) return
    const { id, method, given } = message
    const ask = source[method] as (given: unknown) => Promise<unknown>
    ask(given).then(
      (result) => primary.send?.({ administration: 'reply', id, result }),
      (error: unknown) => primary.send?.({ administration: 'reply', id, ...failureOf(error) }),
    )
  })
}

/** In the primary process: asks one of the workers what all of them know, and all of them what each knows by itself. @param patience seconds */
export function workersSource(workers: () => readonly ProcessLink[], patience = defaultPatience): AdministrationSource {
  let lastId = 0
  const ask = (
    worker: ProcessLink,
    method: keyof AdministrationSource,
    given: unknown,
    seconds = patience,
  ): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = ++lastId
      const done = (settle: () => void): void => {
        clearTimeout(timer)
        worker.off('message', listener)
        settle()
      }
      const listener = (message: unknown): void => {
        if (!isOfKind<Reply>(message, 'reply') || message.id !== id) return
        done(() => ('result' in message ? resolve(message.result) : reject(errorOf(message))))
      }
      const timer = setTimeout(() => done(() => reject(silent())), seconds * 1000)
      worker.on('message', listener)
      worker.send?.({ administration: 'question', id, method, given } satisfies Question)
    })
  const askAll = async (method: keyof AdministrationSource, given?: unknown): Promise<readonly unknown[]> => {
    const answers = await Promise.allSettled(workers().map((worker) => ask(worker, method, given)))
    const results = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
    if (results.length === 0) throw silent()
    return results
  }
  const askOne = async (method: keyof AdministrationSource, given: unknown, seconds?: number): Promise<unknown> => {
    const [worker] = workers()
    if (worker === undefined) throw silent()
    return ask(worker, method, given, seconds)
  }

  return {
    report: async () => together((await askAll('report')) as readonly ProcessReport[]),
    listSessions: (asked) =>
      askOne('listSessions', asked, longPatience) as ReturnType<AdministrationSource['listSessions']>,
    endSessions: (query) => askOne('endSessions', query, longPatience) as Promise<number>,
    endSession: (session) => askOne('endSession', session, longPatience) as Promise<boolean>,
    endConsoleSession: (session) => askOne('endConsoleSession', session) as Promise<boolean>,
    isConsoleSessionEnded: (session) => askOne('isConsoleSessionEnded', session) as Promise<boolean>,
    async setLogLevel(change) {
      const [state] = await askAll('setLogLevel', change)
      return state as Awaited<ReturnType<AdministrationSource['setLogLevel']>>
    },
  }
}

function isOfKind<Message extends Question | Reply>(
  message: unknown,
  kind: Message['administration'],
): message is Message {
  return (message as Partial<Message> | null)?.administration === kind
}

function failureOf(error: unknown): Omit<Extract<Reply, { failed: unknown }>, 'administration' | 'id'> {
  if (error instanceof RangeError) return { failed: 'range', message: error.message }
  if (isStoreUnavailable(error)) return { failed: 'store', message: error.message }
  return { failed: 'otherwise', message: error instanceof Error ? error.name : 'unknown' }
}

function errorOf({ failed, message }: Extract<Reply, { failed: unknown }>): Error {
  if (failed === 'range') return new RangeError(message)
  return failed === 'store' ? new UpstreamError('store_unavailable', message) : new Error(message)
}

function silent(): Error {
  return new UpstreamError('unreachable', 'no worker answers')
}

/** What several processes know: counts are added up, and what fares worst is told. */
function together(reports: readonly ProcessReport[]): ProcessReport {
  const [first] = reports
  if (first === undefined) throw silent()
  const gateways = reports.flatMap(({ gateway }) => gateway ?? [])
  return {
    ...first,
    ...(gateways.length > 0 && { gateway: gatewayOf(gateways) }),
    refusals: reports
      .flatMap(({ refusals }) => refusals)
      .sort((one, other) => other.at - one.at)
      .slice(0, 200),
  }
}

function gatewayOf(gateways: readonly GatewayState[]): GatewayState {
  const [first] = gateways
  const frontends = (first?.frontends ?? []).map((frontend): FrontendState => {
    const same = gateways.flatMap(({ frontends: all }) => all.filter(({ name }) => name === frontend.name))
    return {
      ...frontend,
      inFlight: sum(same),
      routes: frontend.routes.map((route, number): RouteState => {
        const routes = same.flatMap(({ routes: all }) => all[number] ?? [])
        return { ...route, upstreams: route.upstreams.map((_, index) => upstreamOf(routes, index)) }
      }),
    }
  })
  return { inFlight: sum(gateways), frontends }
}

type Answers = NonNullable<UpstreamState['answers']>

const severity: readonly UpstreamState['breaker'][] = ['closed', 'half-open', 'open']

function upstreamOf(routes: readonly RouteState[], index: number): UpstreamState {
  const states = routes.flatMap(({ upstreams }) => upstreams[index] ?? [])
  const worst = Math.max(...states.map(({ breaker }) => severity.indexOf(breaker)))
  const answers = answersOf(states.flatMap((state) => state.answers ?? []))
  return {
    url: states[0]?.url ?? '',
    healthy: states.every(({ healthy }) => healthy),
    breaker: severity[worst] ?? 'closed',
    inFlight: sum(states),
    ...(answers && { answers }),
  }
}

/** The mean is that of all of them; 95 of 100 come no later than at the worker that has waited longest. */
function answersOf(all: readonly Answers[]): Answers | undefined {
  const calls = all.reduce((total, answers) => total + answers.calls, 0)
  if (calls === 0) return undefined
  const seconds = all.reduce((total, answers) => total + answers.calls * answers.mean, 0)
  return { calls, mean: Math.round((seconds / calls) * 10_000) / 10_000, p95: Math.max(...all.map(({ p95 }) => p95)) }
}

function sum(counted: readonly { readonly inFlight: number }[]): number {
  return counted.reduce((total, { inFlight }) => total + inFlight, 0)
}
