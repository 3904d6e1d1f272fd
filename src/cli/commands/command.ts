import { InvalidArgumentError, Option } from 'commander'
import { durationRemedy, isDuration } from '../../config/duration.js'
import { describeError, styleFor } from '../report.js'

/** The option of every command that reads a configuration. */
export function configOption(): Option {
  return new Option('-c, --config <file>', 'configuration file').default('./frontends.json')
}

export function jsonOption(): Option {
  return new Option('--json', 'print a JSON document')
}

/** Takes a duration as the configuration writes it, and says how to write what was meant. */
export function durationArgument(text: string): string {
  if (!isDuration(text))
    throw new InvalidArgumentError(durationRemedy(text) ?? 'Write hours, minutes and seconds: 08:00:00.')
  return text
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
