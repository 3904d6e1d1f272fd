import type { Environment } from '../../config/environment.js'
import { printableJson } from '../../http/printable-json.js'
import type { Output } from '../report.js'
import { type AdminClient, createAdminClient } from './admin-client.js'

/** What every command has that asks a running Sallyport. */
export interface AdminCommandOptions {
  readonly file: string
  readonly format: 'text' | 'json'
  /** Default: the environment of the process. */
  readonly environment?: Environment
  /** Default: standard output. */
  readonly output?: Output
}

export interface AdminCommand extends AdminClient {
  /** Writes an answer: as JSON it is whole, as text what people want of it. @param textOf ends with a line feed */
  show<Answer extends object>(answer: Answer, textOf: (answer: Answer, output: Output) => string): void
}

export function adminCommand({
  file,
  format,
  environment = process.env,
  output = process.stdout,
}: AdminCommandOptions): AdminCommand {
  return {
    ...createAdminClient(file, environment),
    show: (answer, textOf) =>
      void output.write(format === 'json' ? `${printableJson(answer, 2)}\n` : textOf(answer, output)),
  }
}
