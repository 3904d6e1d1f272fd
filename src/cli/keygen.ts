import { randomBytes } from 'node:crypto'
import { hashPassword } from '../authorization-server/password.js'
import { generateSigningJwk, publicHalf, type SignatureAlgorithm } from '../keys.js'

/** Two lines: a private JWK, and its public half. */
export function signingKeyText(algorithm: SignatureAlgorithm): string {
  const jwk = generateSigningJwk(algorithm)
  return `${JSON.stringify(jwk)}\n${JSON.stringify(publicHalf(jwk))}\n`
}

/** 32 random bytes, for `Bff.SealingKeys`. */
export function sealingKeyText(): string {
  return `${randomBytes(32).toString('base64url')}\n`
}

/** What goes into `PasswordHash`. The password comes from a stream, so that it is in no process list and no shell history. */
export async function passwordHashText(input: AsyncIterable<Buffer | string>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of input) {
    chunks.push(Buffer.from(chunk))
    if (chunks.at(-1)?.includes(0x0a)) break
  }
  const [password = ''] = Buffer.concat(chunks).toString('utf8').split(/\r?\n/)
  if (password === '') throw new Error('there is no password on standard input')
  return `${await hashPassword(password)}\n`
}
