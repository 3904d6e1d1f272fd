import type { Environment } from '../../config/environment.js'
import { readConfiguration } from '../../config/load.js'

export interface SessionFilter {
  readonly sub?: string
  readonly sid?: string
  readonly frontend?: string
  readonly authority?: string
  readonly olderThan?: string
}

/** Calls the admin API of the Sallyport that runs with this configuration. */
export interface AdminClient {
  /** @param query What is undefined is left out. @param body Sent as JSON. Default: none. @throws Error that says what to do */
  call(
    method: 'GET' | 'DELETE' | 'PUT',
    path: string,
    query: Readonly<Record<string, string | undefined>>,
    body?: object,
  ): Promise<{ readonly status: number; readonly body: unknown }>
}

export function createAdminClient(file: string, environment: Environment): AdminClient {
  const { adminListen, adminToken } = readConfiguration({ file, environment, state: 'look' }).server
  if (adminListen === undefined || adminToken === undefined)
    throw new Error(
      `${file} has no Server.AdminToken, so that there is no admin API. docs/admin.md says how to set it.`,
    )
  const url = urlOf(adminListen)

  return {
    async call(method, path, query, sent) {
      const target = new URL(path, url)
      for (const [name, value] of Object.entries(query)) if (value !== undefined) target.searchParams.set(name, value)
      const answer = await fetch(target, {
        method,
        headers: { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' },
        ...(sent !== undefined && { body: JSON.stringify(sent) }),
      }).catch((cause: unknown) => {
        throw new Error(`Nothing answers at ${url}: is Sallyport running with this file, on this machine?`, { cause })
      })
      const body = jsonIn(await answer.text(), url)
      // There is no such session: all else that is asked for is there at every Sallyport with an admin API.
      if (method === 'DELETE' && answer.status === 404) return { status: 404, body }
      if (answer.status === 404 || (answer.ok && method === 'GET' && body === undefined)) throw notOurs(url)
      if (!answer.ok) throw new Error(refusalOf(body, answer.status))
      return { status: answer.status, body }
    },
  }
}

function jsonIn(text: string, url: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch (cause) {
    throw notOurs(url, { cause })
  }
}

function notOurs(url: string, options?: ErrorOptions): Error {
  return new Error(`What answers at ${url} is no admin API of Sallyport: does another program have that port?`, options)
}

/** Where a listener on every address of this machine is found. */
function urlOf({ host, port }: { readonly host: string; readonly port: number }): string {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

function refusalOf(body: unknown, status: number): string {
  const { code, detail } = (body ?? {}) as { readonly code?: string; readonly detail?: string }
  if (status === 401)
    return 'The running Sallyport has another AdminToken than this file. It takes a new one at its start.'
  return `The admin API refuses: ${code ?? status}, ${detail ?? 'without a reason'}`
}
