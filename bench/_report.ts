import { once } from 'node:events'
import type { RequestListener, Server } from 'node:http'

/** Listens, tells the parent where, and how much CPU time was used whenever it asks. */
export async function report(http: Server, listener: (issuer: string) => Promise<RequestListener>): Promise<void> {
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const issuer = `http://127.0.0.1:${address.port}`
  http.on('request', await listener(issuer))
  process.on('message', () => process.send?.(process.cpuUsage()))
  process.on('disconnect', () => process.exit())
  process.send?.(issuer)
}
