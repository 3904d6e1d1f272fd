import type { X509Certificate } from 'node:crypto'

/**
 * The subject of a certificate, as a registration names it: `tls_client_auth_subject_dn`, a string of RFC 4514.
 * @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-2.1.2 RFC 8705 §2.1.2}
 */
export function subjectNameOf({ subject }: X509Certificate): string {
  // Node has one line for each relative name, escaped as the string is, and the first one of the certificate comes first.
  return subject.split('\n').reverse().join(',')
}

/** Whether both name the same subject, however they are spelled. Values are compared exactly. */
export function isSameName(one: string, other: string): boolean {
  const [first, second] = [relativeNames(one), relativeNames(other)]
  return first !== undefined && second !== undefined && first.join() === second.join()
}

/** Whether it is a string of RFC 4514 that can be the subject of a certificate. */
export function isDistinguishedName(text: string): boolean {
  return relativeNames(text) !== undefined
}

/** Each relative name in one spelling. Undefined: it cannot be read, or is empty. */
function relativeNames(text: string): readonly string[] | undefined {
  if (text.length > 4096) return undefined
  const names = parts(text, ',').map(relativeName)
  return names.includes(undefined) ? undefined : (names as readonly string[])
}

/** Its attributes stand in no order (RFC 4514 §2.2). */
function relativeName(text: string): string | undefined {
  const attributes = parts(text, '+').map(attribute)
  return attributes.includes(undefined) ? undefined : JSON.stringify(attributes.sort())
}

function attribute(text: string): string | undefined {
  const [, type = '', written = ''] = /^\s*([A-Za-z][\w-]*|\d+(?:\.\d+)+)\s*=\s*((?:\\.|[^\\])*?)\s*$/s.exec(text) ?? []
  const value = written.startsWith('#') ? encodedText(written.slice(1)) : unescaped(written)
  if (type === '' || value === undefined || value === '') return undefined
  const name = type.toLowerCase()
  return JSON.stringify([identifiers[name] ?? name, value])
}

/** At separators that are not escaped. */
function parts(text: string, separator: ',' | '+'): readonly string[] {
  const found = ['']
  for (const [piece] of text.matchAll(/\\.|[^\\]|\\$/gs)) {
    if (piece === separator) found.push('')
    else found.push(`${found.pop()}${piece}`)
  }
  return found
}

/** `\,` is a comma, `\C3\B6` are two bytes of UTF-8. A space at the end counts where it is escaped. */
function unescaped(text: string): string | undefined {
  if (/(?<!\\)(?:\\\\)*["]|\\$/.test(text)) return undefined
  const bytes = [...text.matchAll(/\\([0-9a-f]{2})|\\(.)|([^\\])/gis)].map(([, hex, special, plain]) =>
    hex === undefined ? Buffer.from(special ?? plain ?? '') : Buffer.from(hex, 'hex'),
  )
  return Buffer.concat(bytes).toString('utf8')
}

/** `#` and the DER of a text: how RFC 4514 §2.4 writes the value of a type that has no short name. */
function encodedText(hex: string): string | undefined {
  if (!/^(?:[0-9a-f]{2})+$/i.test(hex)) return undefined
  const [tag = 0, length = 0, ...value] = Buffer.from(hex, 'hex')
  const isText = [utf8String, printableString, ia5String].includes(tag)
  return isText && length < 0x80 && value.length === length ? Buffer.from(value).toString('utf8') : undefined
}

const [utf8String, printableString, ia5String] = [0x0c, 0x13, 0x16]

/** Of the short names: those of RFC 4514 §3, and those of OpenSSL that certificates for banks and companies have. */
const identifiers: Readonly<Record<string, string>> = {
  cn: '2.5.4.3',
  serialnumber: '2.5.4.5',
  c: '2.5.4.6',
  l: '2.5.4.7',
  st: '2.5.4.8',
  street: '2.5.4.9',
  o: '2.5.4.10',
  ou: '2.5.4.11',
  businesscategory: '2.5.4.15',
  postalcode: '2.5.4.17',
  organizationidentifier: '2.5.4.97',
  dc: '0.9.2342.19200300.100.1.25',
  uid: '0.9.2342.19200300.100.1.1',
  emailaddress: '1.2.840.113549.1.9.1',
  jurisdictionl: '1.3.6.1.4.1.311.60.2.1.1',
  jurisdictionst: '1.3.6.1.4.1.311.60.2.1.2',
  jurisdictionc: '1.3.6.1.4.1.311.60.2.1.3',
}
