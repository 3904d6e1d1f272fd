import { Command, InvalidArgumentError, Option } from 'commander'
import { configOption, explained } from './command.js'

export function startCommand(): Command {
  return new Command('start')
    .description('run what the configuration describes; drains on SIGTERM')
    .addOption(configOption())
    .action(({ config: file }: { readonly config: string }) =>
      explained(async () => {
        const { start } = await import('../start.js')
        await start({ file })
      }),
    )
}

export function devCommand(): Command {
  return new Command('dev')
    .description('run gateway, authorization server, sample API and sample application, with two users')
    .addOption(
      new Option(
        '-p, --port <port>',
        'of the gateway; authorization server, sample API and inspector get the next three',
      ).argParser(portNumber),
    )
    .option('--https', 'with a certificate for localhost of its own making, as Safari needs it')
    .action(({ port, https }: { readonly port?: number; readonly https?: true }) =>
      explained(async () => {
        const { dev } = await import('../dev/dev.js')
        await dev({ ...(port !== undefined && { port }), scheme: https ? 'https' : 'http' })
      }),
    )
}

function portNumber(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65_532)
    throw new InvalidArgumentError('Write a number from 1 to 65532: the next three are used as well.')
  return port
}
