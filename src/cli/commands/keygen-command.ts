import { existsSync, writeFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { type SignatureAlgorithm, signatureAlgorithms } from '../../jose/jwk.js'
import { explained } from './command.js'

export function keygenCommand(): Command {
  return new Command('keygen')
    .description('make a key pair for client authentication, a sealing key, or the hash of a password')
    .addOption(new Option('--alg <algorithm>', 'of the key pair').choices([...signatureAlgorithms]).default('ES256'))
    .addOption(new Option('--sealing', 'a 32-byte key for Bff.SealingKeys').conflicts('password'))
    .addOption(new Option('--password', 'the PasswordHash for a password, typed or on standard input'))
    .option('-o, --out <file>', 'write the secret to a file that only you can read')
    .action((options: KeygenOptions) =>
      explained(async () => {
        const { firstLine, passwordHashText, sealingKeyText, signingKeyTexts } = await import('../keygen.js')
        const { promptForPassword } = await import('../password-prompt.js')
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

interface KeygenOptions {
  readonly alg: SignatureAlgorithm
  readonly sealing?: true
  readonly password?: true
  readonly out?: string
}
