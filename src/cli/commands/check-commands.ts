import { Command } from 'commander'
import { configOption, explained, jsonOption } from './command.js'

export function checkCommand(): Command {
  return new Command('check')
    .description('look for everything that is wrong with a configuration, and try it out')
    .addOption(configOption())
    .option('--offline', 'look at the file only; call no server')
    .option('--report <file>', 'write what it does about FAPI 2.0, rule by rule: .html, or .json')
    .addOption(jsonOption())
    .action((options: CheckArguments) =>
      explained(async () => {
        const { check } = await import('../check.js')
        const isFine = await check({
          file: options.config,
          network: options.offline ? 'none' : 'try',
          format: options.json ? 'json' : 'text',
          report: options.report,
        })
        if (!isFine) process.exitCode = 1
      }),
    )
}

export function routesCommand(): Command {
  return new Command('routes')
    .description('list what each route lets through: methods, token, scopes, access rules, limits')
    .addOption(configOption())
    .option('--audit', 'look for what is wider than it may need; exit code 2 when something is')
    .addOption(jsonOption())
    .action(({ config: file, audit, json }: { readonly config: string; readonly audit?: true; readonly json?: true }) =>
      explained(async () => {
        const { routes } = await import('../routes/routes.js')
        const findings = await routes({ file, format: json ? 'json' : 'text', look: audit ? 'audit' : 'list' })
        if (findings > 0) process.exitCode = 2
      }),
    )
}

export function explainCommand(): Command {
  return new Command('explain')
    .description('tell what happens to a request: frontend, route, rules, token, headers, final URL')
    .argument('<method>', 'such as GET')
    .argument('<url>', 'as the browser sees it')
    .addOption(configOption())
    .option('--claims <file>', 'JSON with the claims of a user, to be told whether they may in')
    .addOption(jsonOption())
    .action((method: string, url: string, { config: file, claims: claimsFile, json }: ExplainArguments) =>
      explained(async () => {
        const { explain } = await import('../explain.js')
        await explain({ method, url, file, format: json ? 'json' : 'text', claimsFile })
      }),
    )
}

export function dpopExplainCommand(): Command {
  return new Command('dpop-explain')
    .description('tell why an API refuses a DPoP proof; paste the DPoP and Authorization headers into standard input')
    .argument('<method>', 'of the request that was refused, such as GET')
    .argument('<url>', 'that the API believes it was called by')
    .action((method: string, url: string) =>
      explained(async () => {
        const { explainPasted } = await import('../dpop-explain.js')
        if (process.stdin.isTTY) process.stderr.write('Paste the header lines, then Ctrl+D:\n')
        const chunks: Buffer[] = []
        for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
        const text = Buffer.concat(chunks).toString('utf8')
        if (!explainPasted({ method: method.toUpperCase(), url, text })) process.exitCode = 1
      }),
    )
}

interface CheckArguments {
  readonly config: string
  readonly offline?: true
  readonly report?: string
  readonly json?: true
}

interface ExplainArguments {
  readonly config: string
  readonly claims?: string
  readonly json?: true
}
