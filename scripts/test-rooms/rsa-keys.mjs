import crypto, { createPrivateKey, createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

/*
 * An RSA key takes a quarter of a second of processor time, and most servers of the tests make one: those of a run take turns with
 * a few that ava.config.mjs has made. A file that is run alone makes its own.
 */
const made = JSON.parse(readFileSync('build/rooms/rsa-keys.json', 'utf8'))
const { generateKeyPairSync } = crypto
let turn = 0

crypto.generateKeyPairSync = (type, options = {}) => {
  const { modulusLength, privateKeyEncoding, publicKeyEncoding } = options
  if (type !== 'rsa' || modulusLength !== 2048) return generateKeyPairSync(type, options)
  const privateKey = createPrivateKey(made[turn++ % made.length])
  const publicKey = createPublicKey(privateKey)
  return {
    privateKey: privateKeyEncoding === undefined ? privateKey : privateKey.export(privateKeyEncoding),
    publicKey: publicKeyEncoding === undefined ? publicKey : publicKey.export(publicKeyEncoding),
  }
}
syncBuiltinESMExports()
