import { isDeepStrictEqual } from 'node:util'
import { compileSchema } from '../../http/json-schema.js'
import { isJsonObject, parseJsonArray } from '../../jose/json-object.js'
import type { FrontendOptions } from '../options.js'
import type { AuthorizationDetail } from '../route-options.js'

/** `authorization_details` of a login: those of the configuration, and what of the link's may be. */
export interface LoginDetails {
  /** Text for the authorization request; undefined: there are none. @param ignored told why the link's, or one of them, is left out */
  parameter(ofLink: string | undefined, ignored: (reason: string) => void): string | undefined
}

/** Characters of a link's: a login link is a URL. */
const maxLength = 4096

/** Undefined where a login asks for none, as nearly all do: the compiler of schemas is loaded by who has one. */
export function createLoginDetails(options: FrontendOptions): LoginDetails | undefined {
  const { loginDetailTypes = [], loginParameters = [] } = options
  const fixed = fixedDetails(options)
  const fromLinks = loginParameters.includes('authorization_details')
  if (fixed.length === 0 && !fromLinks) return undefined
  const types = new Map(loginDetailTypes.map(({ type, schema }) => [type, compileSchema(schema)]))

  const allowed = (text: string, ignored: (reason: string) => void): readonly AuthorizationDetail[] => {
    if (text.length > maxLength) {
      ignored(`it is longer than ${maxLength} characters`)
      return []
    }
    const details = elementsOf(text)
    if (details === undefined) ignored('it is not a JSON array of objects with a type, each member named once')
    return (details ?? []).filter((detail) => {
      const fits = types.get(detail.type)
      const misfit = fits === undefined ? 'LoginDetailTypes does not have its type' : fits(detail)
      if (misfit !== undefined) ignored(fits === undefined ? misfit : `it does not fit its schema (${misfit})`)
      return misfit === undefined
    })
  }

  return {
    parameter(ofLink, ignored) {
      const details = [...fixed, ...(ofLink === undefined || !fromLinks ? [] : allowed(ofLink, ignored))]
      return details.length === 0 ? undefined : JSON.stringify(details)
    },
  }
}

/** Those of the frontend and of its routes, each once. */
export function fixedDetails({ authorizationDetails = [], routes }: FrontendOptions): readonly AuthorizationDetail[] {
  const all = [...authorizationDetails, ...routes.flatMap((route) => route.authorizationDetails ?? [])]
  return all.filter((detail, index) => all.findIndex((other) => isDeepStrictEqual(other, detail)) === index)
}

function elementsOf(text: string): readonly AuthorizationDetail[] | undefined {
  const value = parseJsonArray(text)
  return value?.every(isDetail) === true ? value : undefined
}

function isDetail(value: unknown): value is AuthorizationDetail {
  return isJsonObject(value) && typeof value.type === 'string'
}
