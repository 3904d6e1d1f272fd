import type { ServerResponse } from 'node:http'
import type { Answer } from './challenge.js'

/** Writes an answer of ours to a response that has not begun. */
export function send(response: ServerResponse, method: string | undefined, answer: Answer): void {
  // A client that disconnected meanwhile, or was answered by other code, gets nothing more.
  if (response.headersSent || response.destroyed) return
  response.statusCode = answer.status
  for (const [name, value] of Object.entries(answer.headers))
    response.setHeader(name, typeof value === 'string' ? value : [...value])
  response.setHeader('Content-Length', Buffer.byteLength(answer.body))
  response.end(method === 'HEAD' ? undefined : answer.body)
}
