import { createHash } from 'node:crypto'
import type Koa from 'koa'
import { ProtocolError } from '../../errors.js'
import { continueAs } from '../endpoints/identified-request.js'
import type {
  Interaction,
  PushedAuthorizationRequest,
  PushedRequests,
} from '../endpoints/pushed-authorization-request.js'
import type { ClientOptions } from '../options.js'
import type { SecretCookie } from '../sign-in/cookies.js'

/** A pushed request that this browser may go on with. */
export interface OpenRequest {
  readonly requestUri: string
  readonly request: PushedAuthorizationRequest
  readonly client: ClientOptions
}

/** What happens to a pushed request between a browser's first visit and the answer. */
export interface Interactions {
  /**
   * The request that the browser came with. It can be opened again and again until it is taken.
   * @throws ProtocolError `invalid_request` or `invalid_request_uri`
   */
  open(ctx: Koa.Context, reference: ReadonlyMap<string, string>): Promise<OpenRequest>
  /** This browser was there in time, and has as long as a person needs. */
  opened(open: OpenRequest, browser: string): Promise<void>
  signedIn(open: OpenRequest, sid: string): Promise<void>
  switchUser(open: OpenRequest): Promise<void>
  /** The end of the request: of any number of tries one gets it. @throws ProtocolError `invalid_request_uri` */
  take(open: OpenRequest): Promise<PushedAuthorizationRequest>
}

export interface InteractionsOptions {
  readonly clients: ReadonlyMap<string, ClientOptions>
  readonly pushedRequests: PushedRequests
  readonly browserCookie: SecretCookie
  /** Seconds. */
  readonly lifetime: number
  readonly now: () => number
}

/** One person's browsers; more would let a shared link grow the record without end. */
const maxBrowsers = 8

export function createInteractions({
  clients,
  pushedRequests,
  browserCookie,
  lifetime,
  now,
}: InteractionsOptions): Interactions {
  /** Compare and set: a request that was completed meanwhile is not written back. */
  const note = async ({ requestUri }: OpenRequest, change: (before: Interaction) => Interaction): Promise<void> => {
    for (;;) {
      const record = await pushedRequests.get(requestUri)
      if (record === undefined) refuseUnknown()
      const { value, revision } = record
      const changed = { ...value, interaction: change(value.interaction) }
      const expiresAt = Math.max(value.openBy, now() + lifetime)
      if (await pushedRequests.replace(requestUri, revision, changed, expiresAt)) return
    }
  }

  return {
    async open(ctx, reference) {
      const [clientId, requestUri] = [reference.get('client_id'), reference.get('request_uri')]
      if (requestUri === undefined)
        throw new ProtocolError('invalid_request', 'the request was not pushed: request_uri is missing')
      if (clientId === undefined) throw new ProtocolError('invalid_request', 'client_id is missing')
      const client = clients.get(clientId)
      ctx.state.clientId = client?.clientId
      const request = (await pushedRequests.get(requestUri))?.value
      if (request === undefined || client === undefined) refuseUnknown()
      if (request.clientId !== clientId)
        throw new ProtocolError('invalid_request_uri', 'request_uri belongs to another client')
      continueAs(ctx, request.requestId)
      const browser = browserCookie.read(ctx)
      const known = browser !== undefined && request.interaction.browsers.includes(hash(browser))
      if (now() >= request.openBy && !known) throw new ProtocolError('invalid_request_uri', 'request_uri has expired')
      return { requestUri, request, client }
    },

    async opened(open, browser) {
      const id = hash(browser)
      if (open.request.interaction.browsers.includes(id)) return
      await note(open, (before) => ({ ...before, browsers: [...before.browsers.slice(1 - maxBrowsers), id] }))
    },
    signedIn: (open, sid) => note(open, (before) => ({ ...before, signedInto: sid, switchingUser: false })),
    switchUser: (open) => note(open, (before) => ({ ...before, switchingUser: true })),

    take: async ({ requestUri }) => (await pushedRequests.take(requestUri)) ?? refuseUnknown(),
  }
}

function hash(browser: string): string {
  return createHash('sha256').update(browser).digest('base64url')
}

function refuseUnknown(): never {
  throw new ProtocolError('invalid_request_uri', 'request_uri is unknown, was used, or has expired')
}
