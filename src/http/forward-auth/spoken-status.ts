import type { ServerResponse } from 'node:http'

/**
 * A proxy takes every 2xx for a yes. What answers a browser with 200 of its own (a page that leads on, a preflight request)
 * must not open a way to the API: its status is 403 here, until `grants` is called.
 */
export function sayYesOnlyWhenGranted(response: ServerResponse): () => void {
  const write = response.writeHead.bind(response) as (status: number, ...more: unknown[]) => ServerResponse
  let isGranted = false
  response.writeHead = (status: number, ...more: unknown[]) => write(isGranted || status >= 300 ? status : 403, ...more)
  return () => {
    isGranted = true
  }
}
