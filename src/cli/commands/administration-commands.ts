import { Argument, Command, Option } from 'commander'
import { levels } from '../../server/administration/api-schemas.js'
import type { LogLevel } from '../../telemetry/log-level.js'
import { configOption, durationArgument, explained, jsonOption } from './command.js'

interface FileArguments {
  readonly config: string
  readonly json?: true
}

export function upstreamsCommand(): Command {
  return new Command('upstreams')
    .description('which upstream of a running Sallyport is down and which is slow, by its admin API')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(({ config: file, json }: FileArguments) =>
      explained(async () => {
        const { listUpstreams } = await import('../administration/upstreams.js')
        await listUpstreams({ file, format: json ? 'json' : 'text' })
      }),
    )
}

export function refusalsCommand(): Command {
  return new Command('refusals')
    .description('what a running Sallyport has refused lately, why, and what to do, by its admin API')
    .addOption(configOption())
    .option('--request-id <id>', 'of this request alone: the id on the error page')
    .addOption(jsonOption())
    .action(({ config: file, requestId, json }: FileArguments & { readonly requestId?: string }) =>
      explained(async () => {
        const { listRefusals } = await import('../administration/refusals.js')
        await listRefusals({ file, format: json ? 'json' : 'text', ...(requestId !== undefined && { requestId }) })
      }),
    )
}

export function logLevelCommand(): Command {
  return new Command('log-level')
    .description('what a running Sallyport logs from which level on, or another level for a while, by its admin API')
    .addArgument(new Argument('[level]', 'the new one; without it, the one in force is shown').choices(levels))
    .addOption(configOption())
    .addOption(
      new Option('--for <duration>', 'how long, a day at most; ten minutes if nothing is said').argParser(
        durationArgument,
      ),
    )
    .addOption(jsonOption())
    .action(
      (level: LogLevel | undefined, { config: file, for: time, json }: FileArguments & { readonly for?: string }) =>
        explained(async () => {
          const { logLevel } = await import('../administration/log-level.js')
          const change = { ...(level !== undefined && { level }), ...(time !== undefined && { time }) }
          await logLevel({ file, format: json ? 'json' : 'text', ...change })
        }),
    )
}
