import { createHmac, randomBytes } from 'node:crypto'
import type { Exchange, Flow } from './exchange.js'

export interface Flows {
  begin(kind: Flow['kind'], title: string): MutableFlow
  /** The one that a message belongs to that carries one of these values. */
  withThread(values: readonly string[]): MutableFlow | undefined
  /** From now on who carries one of these values belongs to it. */
  thread(flow: MutableFlow, values: readonly string[]): void
  /** Adds an exchange, or what is new of it. */
  put(flow: MutableFlow, exchange: Exchange): void
  all(): readonly Flow[]
  /** @returns Ends it. */
  onChange(listener: (change: FlowChange) => void): () => void
}

export interface MutableFlow extends Flow {
  readonly exchanges: Exchange[]
}

/** A flow without its exchanges, and the one that is new. */
export interface FlowChange {
  readonly flow: Omit<Flow, 'exchanges'>
  readonly exchange: Exchange
}

export interface FlowsOptions {
  /** Flows that are kept. Default: 100. */
  readonly max?: number
  /** Exchanges of one flow that are kept. Default: 60. */
  readonly maxExchanges?: number
}

/** The last flows, in memory. Of what ties their messages together only hashes are kept. */
export function createFlows({ max = 100, maxExchanges = 60 }: FlowsOptions = {}): Flows {
  const secret = randomBytes(32)
  const flows: MutableFlow[] = []
  const threads = new Map<string, MutableFlow>()
  const listeners = new Set<(change: FlowChange) => void>()
  let lastId = 0
  const hashed = (value: string): string => createHmac('sha256', secret).update(value).digest('base64url')

  const forget = (flow: MutableFlow | undefined): void => {
    for (const [key, owner] of threads) if (owner === flow) threads.delete(key)
  }

  return {
    begin(kind, title) {
      const flow: MutableFlow = { id: ++lastId, kind, title: title.slice(0, 120), at: Date.now(), exchanges: [] }
      flows.push(flow)
      if (flows.length > max) forget(flows.shift())
      return flow
    },
    withThread(values) {
      for (const value of values) {
        const flow = threads.get(hashed(value))
        if (flow !== undefined) return flow
      }
      return undefined
    },
    thread(flow, values) {
      for (const value of values.slice(0, 10)) threads.set(hashed(value), flow)
      // Of one flow that someone sends a thousand values to.
      while (threads.size > max * 20) threads.delete(threads.keys().next().value ?? '')
    },
    put(flow, exchange) {
      const index = flow.exchanges.findIndex(({ id }) => id === exchange.id)
      if (index !== -1) flow.exchanges[index] = exchange
      else if (flow.exchanges.length < maxExchanges) flow.exchanges.push(exchange)
      else return
      const { exchanges: _, ...head } = flow
      for (const listener of listeners) listener({ flow: head, exchange })
    },
    all: () => flows,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
