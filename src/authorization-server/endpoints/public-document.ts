import type Koa from 'koa'

/** A JSON document that any caller may read, from any origin. */
export function publicDocument(read: () => unknown): Koa.Middleware {
  return async function publicDocument(ctx) {
    ctx.body = read()
    ctx.set('Cache-Control', 'public, max-age=300')
    ctx.set('Access-Control-Allow-Origin', '*')
    ctx.remove('Pragma')
  }
}
