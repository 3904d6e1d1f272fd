import type { Environment } from '../config/environment.js'
import { type Configuration, readConfiguration } from '../config/load.js'
import { ConfigurationError, type ConfigurationProblem } from '../errors.js'
import { printableJson } from '../http/printable-json.js'
import { packageVersion } from '../server/package.js'
import { advice } from './advice.js'
import type { Conformance } from './conformance/conformance.js'
import type { WriteReportOptions } from './conformance/write-report.js'
import type { Trial } from './probe/probe.js'
import { describeProblems, type Output, printed, type Style, styleFor } from './report.js'
import { traceDestination } from './trace-destination.js'

export interface CheckOptions {
  readonly file: string
  /** `try`: ask the authorization servers and upstreams. */
  readonly network: 'try' | 'none'
  readonly format: 'text' | 'json'
  /** A file for the auditor's report: HTML, or JSON where its name ends so. Not written for a configuration that is wrong. */
  readonly report?: string | undefined
  /** Default: the environment of the process. */
  readonly environment?: Environment
  /** Default: standard output. */
  readonly output?: Output
}

/** `sallyport check`: true when nothing is wrong. */
export async function check({
  file,
  network,
  format,
  report,
  environment = process.env,
  output = process.stdout,
}: CheckOptions): Promise<boolean> {
  const { problems, configuration } = loaded(file, environment)
  const trials =
    configuration === undefined
      ? []
      : [
          ...advice(configuration),
          ...traceDestination(environment),
          ...(network === 'try' ? await tried(configuration) : []),
        ]
  const isFine = problems.length === 0 && trials.every(({ outcome }) => outcome !== 'failed')
  const conformance =
    report === undefined || configuration === undefined
      ? undefined
      : await reported({ report, file, version: packageVersion(), configuration, network, trials })
  if (format === 'json') {
    const document = { ok: isFine, file, problems, trials, ...(conformance && { conformance }) }
    output.write(`${printableJson(document, 2)}\n`)
    return isFine
  }
  const style = styleFor(output)
  if (problems.length > 0) output.write(describeProblems(problems, style))
  else {
    output.write(`${style.green('ok')}    ${file}: the configuration is in order\n`)
    for (const trial of trials) output.write(describeTrial(trial, style))
    const failed = trials.filter(({ outcome }) => outcome === 'failed').length
    if (failed > 0) output.write(`\n${failed === 1 ? '1 trial' : `${failed} trials`} failed.\n`)
    if (conformance !== undefined) output.write(reportLine(report ?? '', conformance))
  }
  return isFine
}

/** Loaded only when it is asked for: looking at a file needs none of the products. */
async function tried(configuration: Configuration): Promise<readonly Trial[]> {
  const { tryOut } = await import('./probe/probes.js')
  return tryOut(configuration)
}

async function reported(options: WriteReportOptions): Promise<Conformance> {
  const { writeReport } = await import('./conformance/write-report.js')
  return writeReport(options)
}

function reportLine(report: string, { summary: { met, deviates, operator, elsewhere } }: Conformance): string {
  return `\nmade ${report}: ${met} rules met, ${deviates} deviate, ${operator} yours, ${elsewhere} another server's\n`
}

function loaded(
  file: string,
  environment: Environment,
): { readonly problems: readonly ConfigurationProblem[]; readonly configuration?: Configuration } {
  try {
    return { problems: [], configuration: readConfiguration({ file, environment, state: 'look' }) }
  } catch (error) {
    if (error instanceof ConfigurationError) return { problems: error.problems }
    throw error
  }
}

function describeTrial({ subject, outcome, result, remedy }: Trial, { red, green, yellow }: Style): string {
  const mark = outcome === 'passed' ? green('ok   ') : outcome === 'failed' ? red('error') : yellow('note ')
  return `${mark} ${printed(`${subject}: ${result}`)}\n${remedy === undefined ? '' : `      → ${printed(remedy)}\n`}`
}
