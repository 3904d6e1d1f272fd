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
