import { randomBytes, timingSafeEqual } from 'node:crypto'
import { derive } from './password-threads.js'

/** Cost of one guess. @see {@link https://www.rfc-editor.org/rfc/rfc7914 RFC 7914} */
export interface ScryptCost {
  /** Binary logarithm of N. Memory is 128 · r · N bytes: 32 MiB with the default. Default: 15. */
  readonly ln?: number
  /** Default: 8. */
  readonly r?: number
  /** Default: 3. */
  readonly p?: number
}

interface ScryptHash {
  readonly ln: number
  readonly r: number
  readonly p: number
  readonly salt: Uint8Array
  readonly hash: Buffer
}

const phc = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

/**
 * A password's hash, for `UserOptions.passwordHash`, in the PHC string format: `$scrypt$ln=15,r=8,p=3$salt$hash`. It takes
 * about a quarter of a second and 32 MB, on purpose.
 * @example
 * ```ts
 * import { hashPassword, verifyPassword } from 'sallyport/authorization-server'
 *
 * const passwordHash = await hashPassword('wonderland')
 * console.assert(await verifyPassword('wonderland', passwordHash))
 * ```
 */
export async function hashPassword(password: string, { ln = 15, r = 8, p = 3 }: ScryptCost = {}): Promise<string> {
  const salt = randomBytes(16)
  const hash = Buffer.from(await derive({ password: typed(password), salt, length: 32, ln, r, p }))
  return `$scrypt$ln=${ln},r=${r},p=${p}$${unpadded(salt)}$${unpadded(hash)}`
}

/**
 * Whether it is this password. Compares in constant time.
 * @throws TypeError when `passwordHash` is not one of `hashPassword`
 * @example
 * ```ts
 * import { type VerifyUser, verifyPassword } from 'sallyport/authorization-server'
 *
 * const hashes = new Map<string, string>()
 * export const verifyUser: VerifyUser = async (username, password) => {
 *   const hash = hashes.get(username)
 *   return hash !== undefined && (await verifyPassword(password, hash)) ? { subject: username, claims: {} } : undefined
 * }
 * ```
 */
export async function verifyPassword(password: string, passwordHash: string): Promise<boolean> {
  const { hash, ...known } = parse(passwordHash)
  return timingSafeEqual(await derive({ password: typed(password), length: hash.length, ...known }), hash)
}

/** Whether a text is a hash that `verifyPassword` takes. */
export function isPasswordHash(text: string): boolean {
  try {
    parse(text)
    return true
  } catch {
    return false
  }
}

/** What a check of this hash costs. Equal texts are equal costs. */
export function costOf(passwordHash: string): string {
  const { ln, r, p } = parse(passwordHash)
  return `ln=${ln},r=${r},p=${p}`
}

/** A hash that no password fits and that costs as much to check as `like`: what an unknown user is compared with. */
export function unmatchable(like: string): string {
  const { ln, r, p, hash } = parse(like)
  return `$scrypt$ln=${ln},r=${r},p=${p}$${unpadded(randomBytes(16))}$${unpadded(randomBytes(hash.length))}`
}

function parse(text: string): ScryptHash {
  const [, ln, r, p, salt = '', hash = ''] = phc.exec(text) ?? []
  const parsed = {
    ln: Number(ln),
    r: Number(r),
    p: Number(p),
    salt: Uint8Array.from(Buffer.from(salt, 'base64')),
    hash: Buffer.from(hash, 'base64'),
  }
  // The upper limits keep a mistyped cost from eating the machine at sign-in: a gibibyte of memory is the most.
  const isSane = parsed.ln >= 1 && parsed.r >= 1 && parsed.r <= 32 && parsed.p >= 1 && parsed.p <= 16
  if (!(isSane && 128 * parsed.r * 2 ** parsed.ln <= 2 ** 30))
    throw new TypeError('is not a password hash in the form $scrypt$ln=…,r=…,p=…$salt$hash')
  return parsed
}

/** The same characters can be typed as different code points (é): NFKC makes them one, as RFC 8265 §4.2 has it. */
function typed(password: string): string {
  return password.normalize('NFKC')
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}
