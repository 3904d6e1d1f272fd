import { KeyObject } from 'node:crypto'

/** Whether two options say the same: what is made of them need not be made again. Functions are the same only as themselves. */
export function isSameOptions(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  if (Object.getPrototypeOf(one) !== Object.getPrototypeOf(other)) return false
  if (one instanceof URL) return one.href === (other as URL).href
  if (one instanceof KeyObject) return one.equals(other as KeyObject)
  if (one instanceof Uint8Array) return Buffer.compare(one, other as Uint8Array) === 0
  if (one instanceof Map) return isSameOptions([...one], [...(other as Map<unknown, unknown>)])
  if (one instanceof Set) return isSameOptions([...one], [...(other as Set<unknown>)])
  const members = Object.keys(one)
  return (
    members.length === Object.keys(other).length &&
    members.every((name) => Object.hasOwn(other, name) && isSameOptions(member(one, name), member(other, name)))
  )
}

function member(holder: object, name: string): unknown {
  return (holder as Record<string, unknown>)[name]
}
