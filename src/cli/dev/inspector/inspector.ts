import { readFile } from 'node:fs/promises'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { Configuration } from '../../../config/load.js'
import { isLoopback } from '../../../http/loopback.js'
import { packageRoot } from '../../../server/package.js'
import type { Exchange } from './exchange.js'
import { createFlows, type Flows } from './flows.js'
import type { Attack } from './lab/attack.js'
import { attacks } from './lab/attacks.js'
import { createLab, type LabParts } from './lab/lab.js'
import { answerLessons, lessons } from './lessons.js'
import { observe } from './observer.js'
import { streamFlows } from './stream.js'

/** Draws what happens between browser, gateway, authorization server and API, and lets one attack it. For the demo only. */
export interface Inspector {
  readonly flows: Flows
  readonly onRequest: RequestListener
  close(): Promise<void>
}

/** What an attack came to. */
export interface AttackResult {
  readonly flow: number
  readonly exchange?: number
  readonly status?: number
  readonly code?: string
  readonly reason?: string
  /** Whether it was refused, and for the reason that it should be. */
  readonly asExpected: boolean
}

const files: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  // The sample's, which has the same look.
  '/look.css': ['../spa/look.css', 'text/css; charset=utf-8'],
  '/mark.svg': ['../spa/mark.svg', 'image/svg+xml'],
  '/inspector.css': ['inspector.css', 'text/css; charset=utf-8'],
  '/inspector.js': ['inspector.js', 'text/javascript; charset=utf-8'],
  '/diagram.js': ['diagram.js', 'text/javascript; charset=utf-8'],
  '/details.js': ['details.js', 'text/javascript; charset=utf-8'],
  '/attacks.js': ['attacks.js', 'text/javascript; charset=utf-8'],
  '/element.js': ['element.js', 'text/javascript; charset=utf-8'],
}

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const ownHeaders = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': policy,
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
}

/** @param configuration of the demo that runs in this process */
export function createInspector(configuration: Configuration): Inspector {
  const flows = createFlows()
  const laboratory = createLab(configuration)
  const observer = observe({ configuration, flows, ...(laboratory && { onApiCall: laboratory.onApiCall }) })
  const { answer: answerStream, close: closeStreams } = streamFlows(flows)
  /** One at a time: two would mix their cookies and keys. */
  let turn: Promise<unknown> = Promise.resolve()

  const attack = async ({ lab }: LabParts, { title, expected, run }: Attack): Promise<AttackResult> => {
    const flow = flows.begin('attack', title)
    const cause = { from: 'attacker', flow: () => flow } as const
    await observer.because(cause, () =>
      run(lab, async (request) => {
        const answer = await observer.because({ ...cause, isStrike: true }, request)
        await answer.body?.cancel()
      }),
    )
    return resultOf(
      flow.id,
      flow.exchanges.findLast(({ isStrike }) => isStrike),
      expected,
    )
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const send = (status: number, type: string, body: string | Buffer): void => {
      response.writeHead(status, { ...ownHeaders, 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) })
      response.end(request.method === 'HEAD' ? undefined : body)
    }
    const say = (status: number, value: object): void => send(status, 'application/json', JSON.stringify(value))
    if (!isOwnHost(request)) return say(421, { title: 'Open the inspector at localhost' })
    const [path = ''] = (request.url ?? '').split('?', 1)
    const file = Object.hasOwn(files, path) ? files[path] : undefined
    if (request.method === 'GET' || request.method === 'HEAD') {
      if (file !== undefined) return send(200, file[1], await readFile(join(pageFolder(), file[0])))
      if (isFromElsewhere(request)) return say(403, { title: 'Another page has asked for this' })
      if (path === '/lessons')
        return say(200, {
          lessons,
          answerLessons,
          attacks: laboratory === undefined ? [] : attacks.map(described),
          places,
        })
      if (path === '/events') return answerStream(response)
    }
    const name = /^\/attacks\/([a-z-]+)$/.exec(path)?.[1]
    const chosen = attacks.find((known) => known.name === name)
    if (chosen === undefined || laboratory === undefined) return say(404, { title: 'There is nothing at this address' })
    if (request.method !== 'POST') return say(405, { title: 'Attacks are posted' })
    if (isFromElsewhere(request) || request.headers['x-csrf'] !== '1')
      return say(403, { title: 'Another page has pressed this button' })
    const result = turn.then(() => attack(laboratory, chosen))
    turn = result.catch(() => undefined)
    return say(200, await result)
  }

  const places = { gateway: configuration.gateway?.frontends[0]?.publicUrl.origin }

  return {
    flows,
    onRequest: (request, response) =>
      void answer(request, response).catch((error: unknown) => {
        if (response.headersSent) return response.destroy()
        const detail = error instanceof Error ? error.message : 'it failed'
        response.writeHead(502, { ...ownHeaders, 'Content-Type': 'application/json' })
        return response.end(JSON.stringify({ title: 'The attack could not be made', detail }))
      }),
    async close() {
      closeStreams()
      observer.close()
      await laboratory?.close()
    },
  }
}

function described({ run: _, ...attack }: Attack) {
  return attack
}

function resultOf(flow: number, strike: Exchange | undefined, expected: string): AttackResult {
  const status = strike?.answer?.status
  if (strike === undefined || status === undefined) return { flow, asExpected: false }
  const { code, reason = said(strike, 'error_description') ?? said(strike, 'detail') } = strike.refusal ?? {}
  return {
    flow,
    exchange: strike.id,
    status,
    ...(code !== undefined && { code }),
    ...(reason !== undefined && { reason }),
    asExpected: code === expected,
  }
}

function said({ answer }: Exchange, member: string): string | undefined {
  return answer?.parameters.find(({ where, name }) => where === 'json' && name === member)?.value
}

function pageFolder(): string {
  return join(packageRoot(), 'samples', 'inspector')
}

/** A page on the Internet whose name leads to this machine keeps its name (DNS rebinding). */
function isOwnHost({ headers: { host = '' } }: IncomingMessage): boolean {
  return URL.canParse(`http://${host}`) && isLoopback(new URL(`http://${host}`).hostname)
}

/** The demo's own pages too: they are of the same site, and of another origin. */
function isFromElsewhere({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  return headers.origin !== undefined && headers.origin !== `http://${headers.host}`
}
