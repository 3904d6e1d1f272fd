import { signatureKey, signatureOf, signatureOfInPool } from './algorithm.js'
import type { JsonObject } from './compact-jws.js'
import type { SigningKey } from './jwk.js'

/*
 * The tokens of the authorization server, four in each login with a refresh. By hand, because jose signs by WebCrypto, on
 * another thread: in µs of CPU, by hand against jose's `SignJWT`, ES256 36 and 95 to 105 on 20.20, 32 and 118 on 24.21. That
 * is 0.3 ms of the 3 to 4 that a flow of `bench:as` takes. docs/decisions/06-own-prover.md has what whole flows say.
 */

/** A compact JWS (RFC 7515 §3.1) whose payload is a claims set. */
export async function signJws(
  { algorithm, privateKey }: SigningKey,
  header: JsonObject,
  claims: JsonObject,
): Promise<string> {
  const signed = `${encoded(header)}.${encoded(claims)}`
  const key = signatureKey(algorithm, privateKey)
  const data = Buffer.from(signed)
  // RSA takes the better part of a millisecond: not on the thread that serves all requests.
  const signature = algorithm === 'PS256' ? await signatureOfInPool(key, data) : signatureOf(key, data)
  return `${signed}.${signature.toString('base64url')}`
}

function encoded(value: JsonObject): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
