import { errorReference } from '../../../../http/problem-details.js'

const documents = errorReference.slice(0, errorReference.lastIndexOf('/'))

/** Where the documents speak of something. */
export function page(name: string): string {
  return `${documents}/${name}`
}

export function errorPage(code: string): string {
  return `${errorReference}#${code}`
}
