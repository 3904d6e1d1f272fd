import type { ServerResponse } from 'node:http'
import type { FlowChange, Flows } from './flows.js'

/** Pages that look on at once. */
const maxStreams = 20
/** Bytes that wait for a page that does not read: then it has to come again. */
const maxWaiting = 4_194_304

/** Server-sent events: what there is, and then what happens. */
export function streamFlows(flows: Flows) {
  const open = new Set<ServerResponse>()
  return {
    answer(response: ServerResponse): void {
      if (open.size >= maxStreams) {
        response.writeHead(503, { 'Cache-Control': 'no-store', 'Retry-After': '5' }).end()
        return
      }
      response.writeHead(200, {
        'Content-Type': 'text/event-stream',
        'Cache-Control': 'no-store',
        'Cross-Origin-Resource-Policy': 'same-origin',
        'X-Content-Type-Options': 'nosniff',
      })
      open.add(response)
      const tell = (change: FlowChange): void => {
        response.write(`data: ${JSON.stringify(change)}\n\n`)
        if (response.writableLength > maxWaiting) response.destroy()
      }
      response.write('retry: 1000\n\n')
      for (const { exchanges, ...flow } of flows.all()) for (const exchange of exchanges) tell({ flow, exchange })
      response.write('event: caught-up\ndata: {}\n\n')
      const end = flows.onChange(tell)
      // Listeners give up what says nothing for long.
      const beat = setInterval(() => response.write(': still here\n\n'), 15_000)
      beat.unref()
      response.once('close', () => {
        end()
        clearInterval(beat)
        open.delete(response)
      })
    },
    close(): void {
      for (const response of open) response.end()
    },
  }
}
