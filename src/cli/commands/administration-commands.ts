import { Command } from 'commander'
import { configOption, explained, jsonOption } from './command.js'

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
