import type { AdministeredSession, UpstreamState } from '../../gateway/gateway.js'
import type { RecentRefusal } from './recent-refusals.js'
import type { ProcessReport } from './source.js'

/** What the admin API and the console show of a report. Times are written out. */

export function iso(seconds: number): string {
  return new Date(seconds * 1000).toISOString()
}

/** As people read it. UTC, as in the log. @param written as `iso` writes it; undefined where it is not known */
export function readableTime(written: string | undefined): string {
  return written === undefined ? '–' : `${written.slice(0, 19).replace('T', ' ')} UTC`
}

/** A time that something took, as people read it. */
export function inShort(seconds: number | undefined): string {
  if (seconds === undefined) return '–'
  return seconds < 1 ? `${Number((seconds * 1000).toPrecision(3))} ms` : `${Number(seconds.toPrecision(3))} s`
}

export function sessionView({ begunAt, lastUsedAt, ...session }: AdministeredSession) {
  return {
    ...session,
    ...(begunAt !== undefined && { begunAt: iso(begunAt) }),
    ...(lastUsedAt !== undefined && { lastUsedAt: iso(lastUsedAt) }),
  }
}

/** Undefined where the configuration has a frontend of this name; otherwise what to say of it. */
export function unknownFrontend({ gateway }: ProcessReport, name: string): string | undefined {
  const known = (gateway?.frontends ?? []).map((frontend) => frontend.name)
  if (known.includes(name)) return undefined
  return `there is no frontend of that name; known: ${known.slice(0, 20).join(', ') || 'none'}`
}

export function frontendsView({ gateway }: ProcessReport) {
  const frontends = (gateway?.frontends ?? []).map(
    ({ clientKeys: _, assertionKeys: __, authorities, routes, ...frontend }) => ({
      ...frontend,
      authorities: authorities.map(({ clientKeys: _, ...authority }) => authority),
      routes: routes.map(({ upstreams, ...route }) => ({ ...route, upstreams: upstreams.map(({ url }) => url) })),
    }),
  )
  return { frontends }
}

export function upstreamsView({ gateway }: ProcessReport) {
  const upstreams = (gateway?.frontends ?? []).flatMap(({ name, routes }) =>
    routes.flatMap(({ path, upstreams: all }) =>
      all.map((upstream) => ({
        frontend: name,
        route: path,
        url: upstream.url,
        state: stateOf(upstream),
        inFlight: upstream.inFlight,
        ...(upstream.answers && { answers: upstream.answers }),
      })),
    ),
  )
  return { inFlight: gateway?.inFlight ?? 0, upstreams: upstreams.sort(worstFirst) }
}

interface Ranked {
  readonly state: ReturnType<typeof stateOf>
  readonly answers?: { readonly p95: number }
}

const severity: readonly Ranked['state'][] = ['unhealthy', 'open', 'half-open', 'well']

/** Those that are down, then the slowest. */
function worstFirst(one: Ranked, other: Ranked): number {
  return (
    severity.indexOf(one.state) - severity.indexOf(other.state) || (other.answers?.p95 ?? 0) - (one.answers?.p95 ?? 0)
  )
}

/** In one word. A health check that fails says more than a breaker. */
export function stateOf({ healthy, breaker }: UpstreamState): 'well' | 'unhealthy' | 'open' | 'half-open' {
  if (!healthy) return 'unhealthy'
  return breaker === 'closed' ? 'well' : breaker
}

export function keysView({ signingKeys, sealingKeys, gateway }: ProcessReport, now: number) {
  return {
    signingKeys: signingKeys.map(({ signsFrom, ...key }) => ({
      ...key,
      signsFrom: iso(signsFrom),
      ageSeconds: Math.floor(now - signsFrom),
    })),
    sealingKeys,
    clientKeys: (gateway?.frontends ?? []).flatMap(({ name: frontend, authorities, ...own }) =>
      (authorities.length === 0 ? [own] : authorities).map(({ clientId, clientKeys: kids }) => ({
        frontend,
        clientId,
        kids,
      })),
    ),
    assertionKeys: (gateway?.frontends ?? []).flatMap(({ name: frontend, assertionKeys: kids }) =>
      kids.length === 0 ? [] : [{ frontend, kids }],
    ),
  }
}

export function configurationView({ configuration }: ProcessReport) {
  const { takenOverAt, refused, ...rest } = configuration
  return {
    ...rest,
    takenOverAt: iso(takenOverAt),
    ...(refused && { refused: { ...refused, at: iso(refused.at) } }),
  }
}

export function refusalsView({ refusals }: ProcessReport) {
  return { refusals: refusals.map((refusal: RecentRefusal) => ({ ...refusal, at: iso(refusal.at) })) }
}
