import { Command, Option } from 'commander'
import type { SessionFilter } from '../administration/admin-client.js'
import { configOption, durationArgument, explained, jsonOption } from './command.js'

interface SessionArguments extends SessionFilter {
  readonly config: string
  readonly all?: true
  readonly json?: true
}

export function sessionsCommand(): Command {
  return new Command('sessions')
    .description('list and end sessions of a running Sallyport, by its admin API')
    .addCommand(
      filtered(new Command('list').description('who is signed in')).action(
        ({ config: file, json, ...filter }: SessionArguments) =>
          explained(async () => {
            const { listSessions } = await import('../administration/sessions.js')
            await listSessions({ file, filter, format: json ? 'json' : 'text' })
          }),
      ),
    )
    .addCommand(
      filtered(new Command('end').description('end sessions, on all replicas; exit code 2 when there was none'))
        .argument('[handle]', 'of one session, as the list has it')
        .option('--all', 'every session, where nothing else is said')
        .action((handle: string | undefined, { config: file, json, all, ...filter }: SessionArguments) =>
          explained(async () => {
            const { endSessions } = await import('../administration/sessions.js')
            const format = json ? 'json' : 'text'
            const ended = await endSessions({ file, filter, format, handle, all: all === true })
            if (ended === 0) process.exitCode = 2
          }),
        ),
    )
}

function filtered(command: Command): Command {
  return command
    .addOption(configOption())
    .option('--sub <sub>', 'of this user')
    .option('--sid <sid>', 'of this session of the authorization server')
    .option('--frontend <name>', 'of this frontend')
    .option('--authority <issuer>', 'of this authorization server: its issuer identifier or, of several, its name')
    .addOption(
      new Option('--older-than <duration>', 'begun at least so long ago: 08:00:00, or 7.00:00:00 for days').argParser(
        durationArgument,
      ),
    )
    .addOption(jsonOption())
}
