import { networksOf } from '../../http/limits/networks.js'
import { streamLimitDefaults } from '../defaults.js'
import type { StreamLimits } from '../limits/limit-options.js'
import { Refusal } from '../refusal.js'
import type { ProxiedRequest } from '../request.js'

/** Counts WebSockets and event streams, which stay open: of each session, and of each address. */
export interface OpenStreams {
  /**
   * @returns what is called once it has closed
   * @throws Refusal `bff.streams.too_many`
   */
  enter(call: Pick<ProxiedRequest, 'client' | 'open'>): () => void
}

export function createOpenStreams({
  perSession = streamLimitDefaults.perSession,
  perAddress = streamLimitDefaults.perAddress,
}: StreamLimits = {}): OpenStreams {
  const sessions = createCounts(perSession, `this session has ${perSession} sockets and event streams open already`)
  const addresses = createCounts(perAddress, `your address has ${perAddress} sockets and event streams open already`)
  return {
    enter({ client, open }) {
      const leaveAddress = addresses.enter(networksOf(client.address)[0].name)
      if (open === undefined) return leaveAddress
      try {
        const leaveSession = sessions.enter(open.session.key)
        return () => {
          leaveAddress()
          leaveSession()
        }
      } catch (refusal) {
        leaveAddress()
        throw refusal
      }
    },
  }
}

function createCounts(limit: number, detail: string) {
  const open = new Map<string, number>()
  return {
    enter(key: string): () => void {
      const count = open.get(key) ?? 0
      if (count >= limit) throw new Refusal('bff.streams.too_many', detail)
      open.set(key, count + 1)
      return () => {
        const left = (open.get(key) ?? 1) - 1
        if (left > 0) open.set(key, left)
        else open.delete(key)
      }
    },
  }
}
