import { isDeepStrictEqual } from 'node:util'
import { ProtocolError } from '../../errors.js'
import { compileSchema } from '../../http/json-schema.js'
import { isJsonObject, parseJsonArray } from '../../jose/json-object.js'
import type { AuthorizationDetail, AuthorizationDetailTypeOptions, ClientOptions } from '../options.js'

/** What a user may allow in more words than a scope has. @see {@link https://www.rfc-editor.org/rfc/rfc9396#section-2 RFC 9396 §2} */
export interface AuthorizationDetails {
  /** `authorization_details` of an authorization request. @throws ProtocolError `invalid_authorization_details` */
  requested(parameter: string | undefined, client: ClientOptions): readonly AuthorizationDetail[]
  /**
   * What the tokens of a token request are for: all that was granted, or what of it the request names, each element as it
   * was granted. @throws ProtocolError `invalid_authorization_details` for anything else
   */
  assigned(parameter: string | undefined, granted: readonly AuthorizationDetail[]): readonly AuthorizationDetail[]
  /** For the person who is asked: text, not markup. */
  described(detail: AuthorizationDetail): string
}

/** `authorization_details` of a token and of a token response (RFC 9396 §7 and §9.1). */
export function detailsMember(details: readonly AuthorizationDetail[]) {
  return details.length > 0 ? { authorization_details: details } : {}
}

/** Bytes of all elements together, and how many: a person is to read them, and an access token with them to fit into a header. */
const [maxBytes, mostDetails] = [4096, 20]

export function createAuthorizationDetails(options: readonly AuthorizationDetailTypeOptions[]): AuthorizationDetails {
  const types = new Map(
    options.map(({ type, schema, consent }) => [type, { misfitOf: compileSchema(schema), consent }] as const),
  )
  return {
    requested(parameter, { authorizationDetailTypes = [] }) {
      const details = parsed(parameter)
      for (const [index, detail] of details.entries()) {
        const type = types.get(detail.type)
        if (type === undefined || !authorizationDetailTypes.includes(detail.type))
          refuse(`the type of authorization_details/${index} is unknown, or not for this client`)
        const misfit = type.misfitOf(detail)
        if (misfit !== undefined) refuse(`authorization_details/${index} is not as its type has it (${misfit})`)
      }
      return details
    },

    assigned(parameter, granted) {
      if (parameter === undefined) return granted
      const wanted = parsed(parameter)
      if (!wanted.every((detail) => granted.some((other) => isDeepStrictEqual(detail, other))))
        refuse('authorization_details were not part of the authorization')
      return wanted
    },

    described(detail) {
      const template = types.get(detail.type)?.consent
      return template === undefined ? plain(detail) : filled(template, detail)
    },
  }
}

function parsed(parameter: string | undefined): readonly AuthorizationDetail[] {
  if (parameter === undefined) return []
  if (Buffer.byteLength(parameter) > maxBytes) refuse('authorization_details is too long')
  const value = parseJsonArray(parameter)
  if (value === undefined)
    refuse('authorization_details is no JSON array, names a member twice, or is nested too deeply')
  if (value.length > mostDetails) refuse('authorization_details has too many elements')
  if (!value.every(isDetail)) refuse('an element of authorization_details is no object with a type')
  return value
}

function isDetail(value: unknown): value is AuthorizationDetail {
  return isJsonObject(value) && typeof value.type === 'string' && value.type !== ''
}

/** `{amount.value}` is a member of the element. What is not there is a dash: a person sees that it is missing. */
function filled(template: string, detail: AuthorizationDetail): string {
  return template.replaceAll(/\{([\w.-]+)\}/g, (_, path: string) => {
    const value = path
      .split('.')
      .reduce<unknown>((at, name) => (isJsonObject(at) && Object.hasOwn(at, name) ? at[name] : undefined), detail)
    return value === undefined ? '–' : Array.isArray(value) ? value.map(plain).join(', ') : plain(value)
  })
}

/** Without what makes text look like other text: control characters, marks that turn its direction, and what is not seen. */
function plain(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029]/gu, ' ')
}

function refuse(message: string): never {
  throw new ProtocolError('invalid_authorization_details', message)
}
