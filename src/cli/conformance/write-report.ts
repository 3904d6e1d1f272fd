import { writeFileSync } from 'node:fs'
import type { Configuration } from '../../config/load.js'
import { issuersOf } from '../../gateway/authorities/authorities.js'
import { printableJson } from '../../http/printable-json.js'
import type { Trial } from '../probe/probe.js'
import { type Conformance, conformanceOf } from './conformance.js'
import { reportPage } from './report-page.js'

export interface WriteReportOptions {
  /** What is written: HTML, or JSON where its name ends so. */
  readonly report: string
  readonly file: string
  readonly version: string
  readonly configuration: Configuration
  readonly network: 'try' | 'none'
  readonly trials: readonly Trial[]
  /** Tests pass their own. */
  readonly now?: () => Date
}

/** Writes the report for an auditor, over one that is there. */
export function writeReport({
  report,
  file,
  version,
  configuration,
  network,
  trials,
  now = () => new Date(),
}: WriteReportOptions): Conformance {
  const conformance = conformanceOf(configuration, trials)
  const facts = factsOf({ file, version, configuration, network, trials, madeAt: now() })
  const text = report.endsWith('.json')
    ? `${printableJson({ ...facts, ...conformance }, 2)}\n`
    : reportPage(conformance, facts)
  writeFileSync(report, text)
  return conformance
}

type FactSources = Pick<WriteReportOptions, 'file' | 'version' | 'configuration' | 'network' | 'trials'> & {
  readonly madeAt: Date
}

function factsOf({ configuration, ...rest }: FactSources) {
  const frontends = configuration.gateway?.frontends ?? []
  const own = configuration.plan.authorizationServer?.settings.Issuer
  const authorities = new Set([...frontends.flatMap(issuersOf), ...(own === undefined ? [] : [own])])
  return {
    ...rest,
    profile: configuration.plan.bff?.Profile ?? 'Fapi2',
    frontends: frontends.map(({ name, publicUrl, pathPrefix }) => `${name} (${publicUrl.origin}${pathPrefix}/)`),
    servers: [...authorities].map((authority) => (authority === own ? `${authority} (embedded)` : authority)),
  }
}
