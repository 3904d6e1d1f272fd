import type { SallyportEvent } from '../telemetry/events.js'
import type { AuditAction } from './actions.js'

/** What an event says to an auditor. */
export interface Act {
  readonly action: AuditAction
  readonly code?: string
  readonly subject?: string
  readonly client?: string
  readonly frontend?: string
  readonly session?: string
  readonly address?: string
  readonly requestId?: string
  readonly details?: Details
}

export type Details = Readonly<Record<string, string | number | boolean | readonly string[]>>

type View<Type extends SallyportEvent['type']> = (
  event: Extract<SallyportEvent, { readonly type: Type }>,
) => Act | undefined

/** Matters to those who run it, not to those who ask who did what. */
const unaudited = (): undefined => undefined

/** Each event and what becomes of it. A new event does not compile before someone has decided. */
const views: { readonly [Type in SallyportEvent['type']]: View<Type> } = {
  'gateway.login.started': ({ type: _, authority, ...known }) => ({
    action: 'login.started',
    ...known,
    ...(authority !== undefined && { details: { authority } }),
  }),
  'gateway.login.completed': ({ type: _, refreshable, stepUp, authority, ...known }) => ({
    action: stepUp ? 'step-up.succeeded' : 'login.succeeded',
    ...known,
    details: said({ refreshable, authority }),
  }),
  'gateway.request.refused': ({ type: _, frontend, requestId, code, ...details }) => {
    const action = actionOfRefusal(code, details.path ?? '')
    return action && { action, code, requestId, ...(frontend !== undefined && { frontend }), details: said(details) }
  },
  'gateway.session.ended': ({ type: _, cause, ...known }) =>
    cause === 'logout' ? { action: 'logout', ...known } : { action: 'session.ended', code: cause, ...known },
  'gateway.session.refresh-failed': ({ type: _, frontend, session, subject, requestId, code, ...details }) => ({
    action: 'refresh.refused',
    code,
    frontend,
    session,
    requestId,
    ...(subject !== undefined && { subject }),
    details: said(details),
  }),
  'gateway.token.revoked': ({ type: _, token, ...known }) => ({
    action: 'token.revoked',
    ...known,
    details: { token },
  }),
  'validator.request.refused': ({ code, check, hint, requestId, claimedRequestId }) =>
    check === proofReplayed
      ? { action: 'replay.refused', code, requestId, details: said({ kind: 'proof', hint, claimedRequestId }) }
      : undefined,
  'as.sign-in.succeeded': ({ type: _, ...known }) => ({ action: 'sign-in.succeeded', ...known }),
  'as.sign-in.failed': ({ type: _, address: __, ...known }) => ({ action: 'sign-in.failed', ...known }),
  'as.network.limited': ({ limit, network, refused }) =>
    limit.startsWith('sign-in') ? { action: 'sign-in.limited', details: { network, refused } } : undefined,
  'as.session.ended': ({ requestId, subject, sid }) => ({
    action: 'sign-in.ended',
    requestId,
    subject,
    details: { sid },
  }),
  'as.consent.given': ({ type: _, ...known }) => ({ action: 'consent.given', ...known }),
  'as.request.refused': ({ type: _, requestId, client, code, ...details }) => {
    const action = actionOfServerRefusal(code, details.endpoint)
    return action && { action, code, requestId, ...(client !== undefined && { client }), details: said(details) }
  },
  'as.token.issued': ({ type: _, requestId, client, subject, ...details }) => ({
    action: 'token.issued',
    requestId,
    client,
    subject,
    details: said(details),
  }),
  'as.token.revoked': ({ type: _, ...known }) => ({ action: 'token.revoked', ...known }),
  'as.code.reused': ({ type: _, ...known }) => ({ action: 'code.reused', ...known }),
  'as.replay.detected': ({ type: _, kind, ...known }) => ({ action: 'replay.refused', ...known, details: { kind } }),
  'as.key.rotated': ({ kid, algorithm }) => ({ action: 'key.rotated', details: { kid, algorithm } }),
  'server.administration.acted': ({ type: _, address, subject, session, frontend, ...details }) => ({
    action: 'administration.acted',
    code: details.act,
    address,
    ...(subject !== undefined && { subject }),
    ...(session !== undefined && { session }),
    ...(frontend !== undefined && { frontend }),
    details: said(details),
  }),
  'server.administration.refused': ({ network }) => ({ action: 'administration.refused', details: { network } }),
  'server.configuration.taken-over': ({ type: _, ...details }) => ({ action: 'configuration.taken-over', details }),
  'server.configuration.refused': ({ type: _, ...details }) => ({ action: 'configuration.refused', details }),

  'gateway.request.forwarded': unaudited,
  'gateway.request.failed': unaudited,
  'gateway.network.limited': unaudited,
  'gateway.rate.limited': unaudited,
  'gateway.session.refreshed': unaudited,
  'gateway.token.not-revoked': unaudited,
  'gateway.hook.failed': unaudited,
  'gateway.userinfo.unusable': unaudited,
  'gateway.login.parameter-ignored': unaudited,
  'gateway.step-up.unusable': unaudited,
  'gateway.upstream.failing': unaudited,
  'gateway.upstream.back': unaudited,
  'gateway.issuer.called': unaudited,
  'gateway.issuer.failing': unaudited,
  'gateway.issuer.back': unaudited,
  'as.request.pushed': unaudited,
  'as.request.failed': unaudited,
  'as.code.issued': unaudited,
  'as.keys.unavailable': unaudited,
  'as.backchannel-logout.sent': unaudited,
  'validator.request.accepted': unaudited,
  'validator.keys.fetched': unaudited,
  'validator.keys.unavailable': unaudited,
  'server.started': unaudited,
  'server.request.refused': unaudited,
  'server.connection.refused': unaudited,
  'server.configuration.needs-restart': unaudited,
  'server.certificate.unfit': unaudited,
  'server.draining': unaudited,
  'server.worker.exited': unaudited,
  'server.stopped': unaudited,
  'server.store.failing': unaudited,
  'server.store.back': unaudited,
  'server.log.lost': unaudited,
  'server.log.back': unaudited,
  'server.audit.lost': unaudited,
  'server.audit.failing': unaudited,
  'server.audit.back': unaudited,
}

/** Undefined: it is not audited. */
export function actOf(event: SallyportEvent): Act | undefined {
  const view = views[event.type] as View<SallyportEvent['type']>
  return view(event as never)
}

/** RFC 9449 §11.1, by the validator's name for it. */
const proofReplayed = 'RFC9449-11.1'

function actionOfRefusal(code: string, path: string): AuditAction | undefined {
  if (code === 'bff.access.denied') return 'access.denied'
  if (code === 'bff.step_up.required') return 'step-up.required'
  if (code.startsWith('bff.step_up.')) return 'step-up.failed'
  if (code.startsWith('bff.csrf.')) return 'csrf.refused'
  if (code === 'bff.logout.token_refused') return 'logout-token.refused'
  // A page that asks whether it was meant. Nothing has failed yet.
  if (code === 'bff.login.confirm') return undefined
  return code.startsWith('bff.login.') || /\/bff\/(?:login|callback)$/.test(path) ? 'login.failed' : undefined
}

function actionOfServerRefusal(code: string, endpoint: string): AuditAction | undefined {
  // How a client gets its nonce: the beginning of an ordinary conversation.
  if (code === 'use_dpop_nonce') return undefined
  if (code === 'invalid_client') return 'client.refused'
  if (endpoint === 'token') return 'token.refused'
  return endpoint === 'authorize' && code === 'access_denied' ? 'consent.refused' : undefined
}

/** Without what was left out. */
function said(details: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>): Details {
  return Object.fromEntries(
    Object.entries(details).filter(
      (entry): entry is [string, NonNullable<(typeof entry)[1]>] => entry[1] !== undefined,
    ),
  )
}
