import { z } from 'zod'
import { isLocalPath, isPathPrefix, isRoutePath } from '../../gateway/frontend/frontend-grammar.js'
import { defaultBrand } from '../../http/page.js'
import { durationOf, isDuration, notADuration } from '../duration.js'
import { isListenAddress } from '../listen-address.js'
import { isSocketAddress, isUnixSocket } from '../socket-address.js'

/** Text of at least one character. */
export const text = z.string().min(1)

export const duration = z
  .string()
  .refine(isDuration, notADuration)
  .meta({ examples: ['08:00:00'] })

/** A duration of which a product has the default. @param fallback seconds */
export function lasting(fallback: number, description: string) {
  const written = durationOf(fallback)
  return duration.default(written).meta({ description, examples: [written] })
}

/** How many, of which a product has the default. */
export function counted(fallback: number, description: string, least = 1, most?: number) {
  const range = most === undefined ? z.int().min(least) : z.int().min(least).max(most)
  return range.default(fallback).meta({ description, examples: [fallback] })
}

export const httpUrl = z
  .string()
  .refine(isHttpUrl, 'is not an absolute http or https URL')
  .meta({ format: 'uri', examples: ['https://app.example.com'] })

export const listenAddress = z
  .string()
  .refine(isListenAddress, 'is not a host and a port')
  .meta({ examples: ['127.0.0.1:3000'] })

/** A host and a port, or a Unix socket. */
export const socketAddressText = z.string().refine(isSocketAddress, 'is not a host and a port, nor a Unix socket')

/** A Unix socket that is called. */
export const unixSocket = z.string().refine(isUnixSocket, 'is not a Unix socket')

/** A path on our own origin: neither another origin in disguise nor a way up. */
export const localPath = z
  .string()
  .refine(isLocalPath, 'is not a path on this origin')
  .meta({ examples: ['/'] })

/** `''` or `/admin`. */
export const pathPrefix = z
  .string()
  .refine(isPathPrefix, 'is not a path prefix')
  .meta({ examples: ['/admin'] })

/** A path that routes are matched with: plain segments, no pattern, no encoding, no query. */
export const routePath = z
  .string()
  .refine(isRoutePath, 'is not a plain path')
  .meta({ examples: ['/api'] })

const fromFile = z.strictObject({ File: text }).meta({ required: ['File'] })
const fromEnvironment = z.strictObject({ Env: text }).meta({ required: ['Env'] })

/** A secret: written out, or the file or environment variable that has it. */
export const secret = z.union([text, fromFile, fromEnvironment]).meta({ examples: [{ Env: 'SECRET' }] })

/** A JSON Web Key, RFC 7517: as an object, as a string of JSON, or the file or variable that has it. */
export const jwk = z
  .union([text, fromFile, fromEnvironment, z.looseObject({ kty: text })])
  .meta({ examples: [{ File: './key.json' }] })

/** What a user's claims have to say. */
export const accessRules = z.array(
  z
    .strictObject({
      Claim: z
        .union([text, z.array(text)])
        .default([])
        .meta({
          description:
            'Name of the claim. Dots lead into objects: `realm_access.roles`. A text with `://` is one name: `https://example.com/roles`. A list is a path whose names are taken as they stand: `["resource_access", "my.client", "roles"]`.',
          examples: ['roles'],
        }),
      AnyOf: z
        .array(text)
        .default([])
        .meta({
          description:
            'The claim has one of these values: as a text, as an entry of a list, or as a word of a text with spaces.',
          examples: [['staff']],
        }),
    })
    .meta({ required: ['Claim', 'AnyOf'] }),
)

export type AccessRuleSettings = z.output<typeof accessRules>

export type Secret = z.output<typeof secret>
export type JwkSource = z.output<typeof jwk>

function isHttpUrl(value: string): boolean {
  if (!/^https?:\/\/[^/]/i.test(value) || /\s/.test(value)) return false
  try {
    const url = new URL(value)
    return url.username === '' && url.password === ''
  } catch {
    return false
  }
}

export const branding = z.strictObject({
  Name: text.default(defaultBrand).meta({ description: 'Above every page.', examples: ['Example Bank'] }),
  ThemeFile: text.optional().meta({
    description: 'CSS that comes after ours, such as `:root{--sp-accent:#7a1fa2}`.',
    examples: ['./theme.css'],
  }),
})

export type BrandingSettings = z.output<typeof branding>
