import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { type SignatureAlgorithm, signatureAlgorithms } from '../jose/jwk.js'
import { packageRoot } from './package-root.js'
import { describeError, styleFor } from './report.js'

/** The command line. Each command loads what it needs and no more. Every one ends with exit code 0, or says what to do and ends with 1. */
export function program(): Command {
  const sallyport = new Command('sallyport')
    .description('A FAPI 2.0 gateway for browser apps, an authorization server and a DPoP validator')
    .version(version(), '-v, --version')
    .showHelpAfterError('(add --help for what there is)')
    .showSuggestionAfterError()
  const commands = [
    startCommand(),
    devCommand(),
    checkCommand(),
    explainCommand(),
    dpopExplainCommand(),
    keygenCommand(),
    initCommand(),
    schemaCommand(),
  ]
  for (const command of commands) sallyport.addCommand(command.copyInheritedSettings(sallyport))
  return sallyport
}

function config(): Option {
  return new Option('-c, --config <file>', 'configuration file').default('./frontends.json')
}

function startCommand(): Command {
  return new Command('start')
    .description('run what the configuration describes; drains on SIGTERM')
    .addOption(config())
    .action(({ config: file }: { readonly config: string }) =>
      explained(async () => {
        const { start } = await import('./start.js')
        await start({ file })
      }),
    )
}

function devCommand(): Command {
  return new Command('dev')
    .description('run gateway, authorization server, sample API and sample application, with two users')
    .addOption(
      new Option('-p, --port <port>', 'of the gateway; authorization server and sample API get the next two').argParser(
        portNumber,
      ),
    )
    .action(({ port }: { readonly port?: number }) =>
      explained(async () => {
        const { dev } = await import('./dev.js')
        await dev({ ...(port !== undefined && { port }) })
      }),
    )
}

function checkCommand(): Command {
  return new Command('check')
    .description('look for everything that is wrong with a configuration, and try it out')
    .addOption(config())
    .option('--offline', 'look at the file only; call no server')
    .option('--json', 'print a JSON document')
    .action((options: { readonly config: string; readonly offline?: true; readonly json?: true }) =>
      explained(async () => {
        const { check } = await import('./check.js')
        const isFine = await check({
          file: options.config,
          network: options.offline ? 'none' : 'try',
          format: options.json ? 'json' : 'text',
        })
        if (!isFine) process.exitCode = 1
      }),
    )
}

function explainCommand(): Command {
  return new Command('explain')
    .description('tell what happens to a request: frontend, route, rules, token, headers, final URL')
    .argument('<method>', 'such as GET')
    .argument('<url>', 'as the browser sees it')
    .addOption(config())
    .option('--claims <file>', 'JSON with the claims of a user, to be told whether they may in')
    .option('--json', 'print a JSON document')
    .action((method: string, url: string, { config: file, claims: claimsFile, json }: ExplainArguments) =>
      explained(async () => {
        const { explain } = await import('./explain.js')
        await explain({ method, url, file, format: json ? 'json' : 'text', claimsFile })
      }),
    )
}

function dpopExplainCommand(): Command {
  return new Command('dpop-explain')
    .description('tell why an API refuses a DPoP proof; paste the DPoP and Authorization headers into standard input')
    .argument('<method>', 'of the request that was refused, such as GET')
    .argument('<url>', 'that the API believes it was called by')
    .action((method: string, url: string) =>
      explained(async () => {
        const { explainPasted } = await import('./dpop-explain.js')
        if (process.stdin.isTTY) process.stderr.write('Paste the header lines, then Ctrl+D:\n')
        const chunks: Buffer[] = []
        for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
        const text = Buffer.concat(chunks).toString('utf8')
        if (!explainPasted({ method: method.toUpperCase(), url, text })) process.exitCode = 1
      }),
    )
}

function keygenCommand(): Command {
  return new Command('keygen')
    .description('make a key pair for client authentication, a sealing key, or the hash of a password')
    .addOption(new Option('--alg <algorithm>', 'of the key pair').choices([...signatureAlgorithms]).default('ES256'))
    .addOption(new Option('--sealing', 'a 32-byte key for Bff.SealingKeys').conflicts('password'))
    .addOption(new Option('--password', 'the PasswordHash for a password, typed or on standard input'))
    .option('-o, --out <file>', 'write the secret to a file that only you can read')
    .action((options: KeygenOptions) =>
      explained(async () => {
        const { firstLine, passwordHashText, sealingKeyText, signingKeyTexts } = await import('./keygen.js')
        const { promptForPassword } = await import('./password-prompt.js')
        // Standard output has what a file is to hold, and nothing else; everything for people goes beside it.
        const tell = (text: string): void => void process.stderr.write(text)
        const put = (secret: string): void => {
          if (options.out === undefined) process.stdout.write(secret)
          else if (existsSync(options.out)) throw new Error(`${options.out} is there already, and was left alone`)
          else writeFileSync(options.out, secret, { mode: 0o600, flag: 'wx' })
        }
        if (options.sealing) return put(sealingKeyText())
        if (options.password) {
          const password = process.stdin.isTTY
            ? await promptForPassword(process.stdin, tell)
            : await firstLine(process.stdin)
          return put(await passwordHashText(password))
        }
        const { privateKey, publicKey } = signingKeyTexts(options.alg)
        put(privateKey)
        tell(
          `The private key is ${options.out === undefined ? 'on standard output' : `in ${options.out}`}, for ClientSigningKeyJwk: only the gateway may be able to read it.\n` +
            'Its public half, for the authorization server:\n',
        )
        if (options.out === undefined) tell(publicKey)
        else process.stdout.write(publicKey)
      }),
    )
}

function initCommand(): Command {
  return new Command('init')
    .description('write a configuration to start from, with fresh keys; nothing is overwritten')
    .argument('[folder]', 'where', '.')
    .addOption(new Option('--embedded', 'with the embedded authorization server, and a user').conflicts('authority'))
    .option('--authority <url>', 'the issuer identifier of your authorization server')
    .action((folder: string, { embedded, authority }: { readonly embedded?: true; readonly authority?: string }) =>
      explained(async () => {
        const { initialise } = await import('./init.js')
        const server = embedded
          ? ({ kind: 'embedded' } as const)
          : authority === undefined
            ? undefined
            : ({ kind: 'foreign', authority } as const)
        const { created, kept, password } = await initialise(folder, server)
        for (const name of created) process.stdout.write(`made ${name}\n`)
        for (const name of kept) process.stdout.write(`left ${name} as it was\n`)
        const file = folder === '.' ? '' : ` --config ${join(folder, 'frontends.json')}`
        process.stdout.write(
          [
            '',
            ...(password === undefined ? [] : [`Sign in as alice with ${password}: it is shown this once.`]),
            ...(embedded || authority !== undefined
              ? []
              : ['Write your authorization server into frontends.json, as Authority.']),
            `Next: npx --no-install sallyport check${file}`,
            `      npx --no-install sallyport start${file}`,
            'Then open http://localhost:3000 in a browser.',
            '',
          ].join('\n'),
        )
      }),
    )
}

function schemaCommand(): Command {
  return new Command('schema')
    .description('print the JSON Schema of the configuration')
    .option('--reference', 'the reference in Markdown instead')
    .option('-o, --out <file>', 'write to a file')
    .action(({ reference, out }: { readonly reference?: true; readonly out?: string }) =>
      explained(async () => {
        const { jsonSchema } = await import('../config/schema/schema.js')
        const { configurationReference } = await import('../config/schema/reference.js')
        const text = reference ? configurationReference() : `${JSON.stringify(jsonSchema, null, 2)}\n`
        if (out === undefined) process.stdout.write(text)
        else writeFileSync(out, text)
      }),
    )
}

interface ExplainArguments {
  readonly config: string
  readonly claims?: string
  readonly json?: true
}

interface KeygenOptions {
  readonly alg: SignatureAlgorithm
  readonly sealing?: true
  readonly password?: true
  readonly out?: string
}

function portNumber(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65_533)
    throw new InvalidArgumentError('Write a number from 1 to 65533: the next two are used as well.')
  return port
}

async function explained(command: () => Promise<unknown>): Promise<void> {
  try {
    await command()
  } catch (error) {
    process.stderr.write(describeError(error, styleFor(process.stderr)))
    process.exitCode = 1
  }
}

function version(): string {
  const { version: text } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
    readonly version: string
  }
  return text
}
