import { randomBytes } from 'node:crypto'
import { hashPassword } from '../authorization-server/sign-in/password.js'
import { generateSigningJwk, publicHalf, type SignatureAlgorithm } from '../jose/jwk.js'

export interface SigningKeyTexts {
  /** For the gateway alone: a file of it can be named in the configuration. */
  readonly privateKey: string
  /** For the authorization server. */
  readonly publicKey: string
}

export function signingKeyTexts(algorithm: SignatureAlgorithm): SigningKeyTexts {
  const jwk = generateSigningJwk(algorithm)
  return { privateKey: `${JSON.stringify(jwk)}\n`, publicKey: `${JSON.stringify(publicHalf(jwk))}\n` }
}

/** 32 random bytes, for `Bff.SealingKeys`. */
export function sealingKeyText(): string {
  return `${randomBytes(32).toString('base64url')}\n`
}

/** The first line of a stream: a password that comes so is in no process list and no shell history. */
export async function firstLine(input: AsyncIterable<Buffer | string>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of input) {
    chunks.push(Buffer.from(chunk))
    if (chunks.at(-1)?.includes(0x0a)) break
  }
  const [line = ''] = Buffer.concat(chunks).toString('utf8').split(/\r?\n/)
  return line
}

/** What goes into `PasswordHash`. */
export async function passwordHashText(password: string): Promise<string> {
  if (password === '') throw new Error('there is no password on standard input')
  return `${await hashPassword(password)}\n`
}
