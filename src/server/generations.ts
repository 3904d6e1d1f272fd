import type { Configuration } from '../config/load.js'
import type { ConfigurationProblem } from '../errors.js'
import type { FrontendChanges } from '../gateway/gateway.js'
import { publish } from '../telemetry/events.js'
import type { ConfigurationReport } from './administration/source.js'

/** Which configuration is served, and what has become of the last one that was to take its place. */
export interface Generations {
  current(): Configuration
  status(): ConfigurationStatus
  /** The same, for administrators. */
  report(): ConfigurationReport
  /** It is served from now on. */
  took(configuration: Configuration, changes: FrontendChanges): void
  /** Nothing has changed. */
  refuse(problems: readonly ConfigurationProblem[]): void
}

export interface ConfigurationStatus {
  /** 1 for the one that the process started with. */
  readonly generation: number
  /** Seconds since the epoch. */
  readonly takenOverAt: number
  /** From the one before, cut; undefined for the first. */
  readonly changes: FrontendChanges | undefined
  /** How often one was refused. */
  readonly refusals: number
  /** What it says and a running process cannot take over. */
  readonly needsRestart: readonly ConfigurationProblem[]
  /** The last one, unless another has been taken over since. */
  readonly refused: { readonly at: number; readonly problems: readonly ConfigurationProblem[] } | undefined
}

export interface GenerationsOptions {
  /** Told of every one that is served. */
  readonly onTaken?: (configuration: Configuration) => void
  /** Seconds since the epoch. Tests pass their own. */
  readonly now?: () => number
}

/** Of a long list of names, the log needs no more. */
const mostNames = 20

export function createGenerations(
  first: Configuration,
  { onTaken, now = () => Date.now() / 1000 }: GenerationsOptions = {},
): Generations {
  let current = first
  let status: ConfigurationStatus = {
    generation: 1,
    takenOverAt: now(),
    changes: undefined,
    refusals: 0,
    needsRestart: [],
    refused: undefined,
  }
  return {
    current: () => current,
    status: () => status,
    report: () => reportOf(status),

    took(configuration, { added, changed, removed }) {
      current = configuration
      const { kept: needsRestart } = configuration
      const changes = {
        added: added.slice(0, mostNames),
        changed: changed.slice(0, mostNames),
        removed: removed.slice(0, mostNames),
      }
      const { generation, refusals } = status
      status = { generation: generation + 1, takenOverAt: now(), changes, refusals, needsRestart, refused: undefined }
      publish({ type: 'server.configuration.taken-over', generation: status.generation, ...changes })
      if (needsRestart.length > 0)
        publish({ type: 'server.configuration.needs-restart', settings: needsRestart.map(lineOf) })
      onTaken?.(configuration)
    },

    refuse(problems) {
      status = { ...status, refusals: status.refusals + 1, refused: { at: now(), problems } }
      publish({
        type: 'server.configuration.refused',
        serves: status.generation,
        problems: problems.map(lineOf),
      })
    },
  }
}

/** As `check` says it. */
export function lineOf({ where, pointer, problem, remedy }: ConfigurationProblem): string {
  return `${where === undefined ? '' : `${where} `}${pointer || '/'} ${problem}. ${remedy}`
}

function reportOf(status: ConfigurationStatus): ConfigurationReport {
  const { generation, takenOverAt, changes, needsRestart, refused } = status
  return {
    generation,
    takenOverAt,
    ...(changes && { changes }),
    needsRestart: needsRestart.map(lineOf),
    ...(refused && { refused: { at: refused.at, problems: refused.problems.map(lineOf) } }),
  }
}
