import { type JsonSchema, jsonSchema } from './schema.js'
import { alternatives } from './schema-walk.js'

/**
 * The section that has a setting of this name, where it stands in a section that has not: as the reference writes it,
 * `Bff.Frontends[].Routes[]`. It is the only one of that name, or one level up or down from there, or the process that serves the
 * gateway; of others no one can tell.
 */
export function sectionOf(name: string, written: readonly (string | number)[]): string | undefined {
  const here = written.map(String).filter((segment) => !/^\d+$/.test(segment))
  const having = sections(jsonSchema, []).filter(({ members }) => members.includes(name))
  const near = having.filter(({ path }) => isOnTheWay(path, here) || isOnTheWay(here, path))
  const next = near.filter(({ path }) => Math.abs(path.length - here.length) === 1)
  const candidates = having.length === 1 ? having : next
  if (candidates.length === 0 && here.join() === 'Bff' && having.some(({ title }) => title === 'Server'))
    return 'Server'
  return candidates.length === 1 ? candidates[0]?.title : undefined
}

interface NamedSection {
  readonly path: readonly string[]
  readonly title: string
  readonly members: readonly string[]
}

function sections(schema: JsonSchema, path: readonly string[], title = ''): readonly NamedSection[] {
  return alternatives(schema).flatMap((one) => {
    const { items, properties } = one
    if (items !== undefined) return sections(items, path, `${title}[]`)
    if (properties === undefined) return []
    const below = Object.entries(properties).flatMap(([name, member]) =>
      sections(member, [...path, name], title === '' ? name : `${title}.${name}`),
    )
    return path.length === 0 ? below : [{ path, title, members: Object.keys(properties) }, ...below]
  })
}

function isOnTheWay(way: readonly string[], path: readonly string[]): boolean {
  return way.every((segment, index) => path[index] === segment)
}
