import { realpath, stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import mime from 'mime-types'
import Negotiator from 'negotiator'
import sendFile from 'send'
import { Refusal } from '../refusal.js'

/**
 * Answers with a file of the folder. A navigation to what is not there gets `index.html`, for the page has a router of its
 * own; a missing asset is 404, so that no script tag ever gets HTML.
 * @param path of the request, below the frontend's prefix, in its normal form
 * @throws Refusal `bff.asset.unknown`, `bff.asset.unreadable`, `bff.endpoint.method_not_allowed`
 */
export type ServeStaticFile = (
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  purpose: 'navigation' | 'asset',
) => Promise<void>

/**
 * @param folder of the built page. Looked at for each request: a new build is served without a restart.
 * @param readers `members`: of a page behind the login, which no shared cache keeps, and no browser for its next user
 */
export function createStaticFiles(folder: string, readers: 'anyone' | 'members' = 'anyone'): ServeStaticFile {
  const configured = resolve(folder)
  /** Links are followed while they stay inside: releases and mounted volumes are made of such. */
  const placeOf = async (root: string, name: string): Promise<string | undefined> => {
    try {
      const place = relative(root, await realpath(join(root, name)))
      return isPublic(place) && (await stat(join(root, place))).isFile() ? place : undefined
    } catch (error) {
      throwUnlessAbsent(error)
      return undefined
    }
  }
  const firstFile = async (root: string, names: readonly string[]): Promise<FoundFile | undefined> => {
    for (const name of names) {
      const place = await placeOf(root, name)
      if (place !== undefined) return { name, place }
    }
    return undefined
  }

  return async (request, response, path, purpose) => {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw new Refusal('bff.endpoint.method_not_allowed', 'the page is only read: GET or HEAD')
    const name = fileName(path)
    // Asked each time: the folder itself may be a link, which a new release moves.
    const root = name === undefined ? undefined : await realpath(configured).catch(throwUnlessAbsent)
    const found =
      name === undefined || root === undefined ? undefined : await firstFile(root, candidates(name, purpose))
    if (root === undefined || found === undefined) throw new Refusal('bff.asset.unknown', 'there is no such file')

    const { name: file } = found
    const encoded = await firstFile(root, siblings(file, request))
    if (compressible.test(file)) response.appendHeader('Vary', 'Accept-Encoding')
    if (readers === 'members') response.appendHeader('Vary', 'Cookie')
    const caching = cacheControl(file)
    response.setHeader('Cache-Control', readers === 'anyone' ? caching : forMembers(caching, response))
    response.setHeader(
      'Content-Type',
      mime.contentType(file.slice(file.lastIndexOf('/') + 1)) || 'application/octet-stream',
    )
    if (encoded !== undefined) response.setHeader('Content-Encoding', encoded.name.endsWith('.br') ? 'br' : 'gzip')
    await transfer(request, response, (encoded ?? found).place, root)
  }
}

interface FoundFile {
  /** As it was asked for: says the type and how long it is kept. */
  readonly name: string
  /** Where it really is, below the folder and with no link on the way. */
  readonly place: string
}

/**
 * What a name leads to in the end: not out of the folder, and nothing hidden. Segments that begin with two dots are how
 * Kubernetes keeps the versions of a mounted volume; they are reached by its own links only.
 */
function isPublic(place: string): boolean {
  const segments = place.split(sep)
  if (segments[0] === '..' || place === '' || isAbsolute(place)) return false
  return segments.every((segment, index) => !/^\.[^.]/.test(segment) || (index === 0 && segment === '.well-known'))
}

/** A path as the name of a file below the folder: nothing hidden, nothing that leads out. */
function fileName(path: string): string | undefined {
  let decoded: string
  try {
    decoded = decodeURIComponent(path)
  } catch {
    return undefined
  }
  if (decoded.includes('\0') || decoded.includes('\\') || (sep !== '/' && decoded.includes(sep))) return undefined
  if (decoded.split('/').includes('..')) return undefined
  const visible = decoded.startsWith('/.well-known/') ? decoded.slice('/.well-known'.length) : decoded
  return /\/\./.test(visible) ? undefined : decoded
}

function candidates(name: string, purpose: 'navigation' | 'asset'): readonly string[] {
  const own = name.endsWith('/') ? [`${name}index.html`] : [name]
  if (purpose === 'asset') return own
  return name.endsWith('/') ? [...own, '/index.html'] : [...own, `${name}.html`, '/index.html']
}

const compressible = /\.(?:html?|m?js|css|json|map|svg|wasm|txt|xml|webmanifest|ttf|otf)$/i

/** What a build step has compressed beforehand and this browser can read, best first. */
function siblings(file: string, request: IncomingMessage): readonly string[] {
  if (!compressible.test(file)) return []
  const accepted = new Negotiator(request).encodings(['br', 'gzip'])
  return [...(accepted.includes('br') ? [`${file}.br`] : []), ...(accepted.includes('gzip') ? [`${file}.gz`] : [])]
}

/**
 * Names that change with their content, as bundlers make them: hexadecimal or base32 anywhere, mixed case in the folders
 * that bundlers fill. Everything else is asked for again, with its ETag: a wrong guess here would stay for a year.
 */
const hashedName =
  /[.-](?:(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,64}|[A-Z2-7]{8})(?:\.[a-z]+){1,3}$|\/(?:assets|static|immutable)\/(?:[^/]+\/)*[^/]*[.-](?=\w*[a-z])\w(?=[\w-]*[A-Z0-9])[\w-]{7}\.[a-z0-9]+$/

function cacheControl(file: string): string {
  return hashedName.test(file) && !file.endsWith('.html') ? 'public, max-age=31536000, immutable' : 'no-cache'
}

function forMembers(caching: string, response: ServerResponse): string {
  // Beside anything else the session's cookie is one that a cache may hand to the next visitor.
  return response.hasHeader('Set-Cookie') ? 'no-store' : `private, ${caching.replace(/^public, /, '')}`
}

/**
 * A file that is there and cannot be read now is no file that is not there: a browser or a cache would believe the 404.
 * @throws Refusal `bff.asset.unreadable`
 */
function throwUnlessAbsent(error: unknown): undefined {
  const { code = '' } = error as NodeJS.ErrnoException
  if (/^(?:EMFILE|ENFILE|ENOMEM|EIO|ESTALE|ETIMEDOUT)$/.test(code))
    throw new Refusal('bff.asset.unreadable', 'the file cannot be read at the moment', { cause: error, reason: code })
}

/** ETag, Last-Modified, conditions and ranges are `send`'s. */
function transfer(request: IncomingMessage, response: ServerResponse, file: string, root: string): Promise<void> {
  return new Promise((done, refuse) => {
    // One that has closed while the file was looked for does not say so again.
    if (response.destroyed) return done()
    response.once('close', done)
    sendFile(request, encodeURI(file.split(sep).join('/')).replace(/[?#]/g, encodeURIComponent), {
      root,
      cacheControl: false,
      dotfiles: 'allow',
      index: false,
    })
      .on('error', (error: Error & { status?: number }) => {
        response.off('close', done)
        if (response.headersSent || response.destroyed) {
          response.destroy()
          done()
          return
        }
        for (const name of [
          'Content-Encoding',
          'Content-Type',
          'Content-Length',
          'Cache-Control',
          'ETag',
          'Last-Modified',
        ])
          response.removeHeader(name)
        if (error.status === 412 || error.status === 416) {
          response.once('close', done).writeHead(error.status).end()
          return
        }
        try {
          throwUnlessAbsent(error)
          refuse(new Refusal('bff.asset.unknown', 'there is no such file', { cause: error }))
        } catch (refusal) {
          refuse(refusal)
        }
      })
      .pipe(response)
  })
}
