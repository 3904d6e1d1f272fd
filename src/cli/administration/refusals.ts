import type { RecentRefusal } from '../../server/administration/recent-refusals.js'
import { readableTime } from '../../server/administration/views.js'
import { type Output, printed, styleFor } from '../report.js'
import { type AdminCommandOptions, adminCommand } from './admin-command.js'

export interface RefusalsOptions extends AdminCommandOptions {
  /** Those of this request alone. Default: all that are kept. */
  readonly requestId?: string
}

/** As the admin API writes it. */
type ListedRefusal = Omit<RecentRefusal, 'at'> & { readonly at: string }

/** `sallyport refusals`: what was refused or failed lately, the newest first. */
export async function listRefusals({ requestId, ...options }: RefusalsOptions): Promise<void> {
  const { call, show } = adminCommand(options)
  const { body } = await call('GET', '/admin/refusals', {})
  const all = (body as { readonly refusals: readonly ListedRefusal[] }).refusals
  const refusals = requestId === undefined ? all : all.filter((refusal) => refusal.requestId === requestId)
  show({ refusals }, (_, output) =>
    refusals.length === 0
      ? `${requestId === undefined ? none : noneOfThisRequest}\n`
      : refusals.map((each) => paragraphOf(each, output)).join(''),
  )
}

const none =
  'Nothing has been refused since the start. What was before is in the log: gateway.request.refused, as.request.refused.'
const noneOfThisRequest = 'It is not among the last 200 refusals. Older ones are in the log, by their request id.'

function paragraphOf(refusal: ListedRefusal, output: Output): string {
  const { at, code, event, frontend, route, requestId, reason, serverSaid, remedy } = refusal
  const { bold, soft } = styleFor(output)
  const said = (text: string): string => printed(text).replaceAll('\n', '?')
  const where = [frontend, route].filter((part) => part !== undefined).join(' ')
  const why = [reason, serverSaid].filter((part) => part !== undefined).join('; ')
  return [
    `${readableTime(at)} ${bold(said(code))} ${said(where)}`.trimEnd(),
    `      ${soft(said([event, requestId].filter((part) => part !== undefined).join(' ')))}`,
    ...(why === '' ? [] : [`      ${said(why)}`]),
    ...(remedy === undefined ? [] : [`      → ${said(remedy)}`]),
    '',
  ].join('\n')
}
