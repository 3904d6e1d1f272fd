import { ProtocolError } from '../errors.js'
import type { ResourceOptions } from './options.js'

/** Which APIs a token is for. @see {@link https://www.rfc-editor.org/rfc/rfc8707#section-2 RFC 8707 §2} */
export interface Resources {
  /** @throws ProtocolError `invalid_target` for one that is not configured. */
  parse(parameter: string | undefined): readonly string[]
  /** `aud` for what is named now, within what was named when the user agreed. @throws ProtocolError `invalid_target` */
  audience(parameter: string | undefined, granted: readonly string[]): readonly string[]
}

export function createResources(resources: readonly ResourceOptions[], defaultAudience: string): Resources {
  const audiences = new Map(resources.map(({ indicator, audience = indicator }) => [indicator, audience]))
  const parse = (parameter: string | undefined): readonly string[] => {
    const named = [...new Set((parameter ?? '').split(' ').filter((uri) => uri !== ''))]
    if (!named.every((uri) => audiences.has(uri)))
      throw new ProtocolError('invalid_target', 'a resource is not known to this server')
    return named
  }
  return {
    parse,
    audience(parameter, granted) {
      const named = parse(parameter)
      if (granted.length > 0 && !named.every((uri) => granted.includes(uri)))
        throw new ProtocolError('invalid_target', 'a resource was not part of the authorization')
      const wanted = named.length > 0 ? named : granted
      return wanted.length === 0 ? [defaultAudience] : [...new Set(wanted.map((uri) => audiences.get(uri) ?? uri))]
    },
  }
}
