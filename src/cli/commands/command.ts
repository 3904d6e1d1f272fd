import { Option } from 'commander'
import { describeError, styleFor } from '../report.js'

/** The option of every command that reads a configuration. */
export function configOption(): Option {
  return new Option('-c, --config <file>', 'configuration file').default('./frontends.json')
}

export function jsonOption(): Option {
  return new Option('--json', 'print a JSON document')
}

/** Runs a command. What went wrong is told with what to do about it, and the exit code is 1. */
export async function explained(command: () => Promise<unknown>): Promise<void> {
  try {
    await command()
  } catch (error) {
    process.stderr.write(describeError(error, styleFor(process.stderr)))
    process.exitCode = 1
  }
}
