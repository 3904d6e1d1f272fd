/** The header fields that matter here, with how often each was sent: a second one is never overlooked. */
export interface HeaderFields {
  authorization: string | undefined
  authorizations: number
  proof: string | undefined
  proofs: number
  host: string | undefined
  hosts: number
  /** `:authority` of HTTP/2. */
  authority: string | undefined
  upgrade: string | undefined
  origin: string | undefined
  preflight: boolean
}

/** One pass over the raw header fields. Their names are compared by length first. */
export function readHeaderFields(rawHeaders: readonly string[]): HeaderFields {
  const fields: HeaderFields = {
    authorization: undefined,
    authorizations: 0,
    proof: undefined,
    proofs: 0,
    host: undefined,
    hosts: 0,
    authority: undefined,
    upgrade: undefined,
    origin: undefined,
    preflight: false,
  }
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    const value = rawHeaders[at + 1] ?? ''
    switch (name.length) {
      case 4:
        if (isNamed(name, 'dpop')) {
          fields.proof = value
          fields.proofs++
        } else if (isNamed(name, 'host')) {
          fields.host = value
          fields.hosts++
        }
        break
      case 6:
        if (isNamed(name, 'origin')) fields.origin = value
        break
      case 7:
        if (isNamed(name, 'upgrade')) fields.upgrade = value
        break
      case 10:
        if (name === ':authority') fields.authority = value
        break
      case 13:
        if (isNamed(name, 'authorization')) {
          fields.authorization = value
          fields.authorizations++
        }
        break
      case 29:
        if (isNamed(name, 'access-control-request-method')) fields.preflight = true
        break
    }
  }
  return fields
}

/** Each value of a header field that is only rarely of interest. */
export function valuesOf(rawHeaders: readonly string[], wanted: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && isNamed(rawHeaders[at - 1] ?? '', wanted))
}

function isNamed(name: string, wanted: string): boolean {
  return name === wanted || name.toLowerCase() === wanted
}
