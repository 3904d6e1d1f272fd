import ava from 'ava'

export { registerCompletionHandler } from 'ava'

/*
 * Several test files in one worker. What a file declares is kept until all of them are loaded, because AVA starts with the first
 * declaration; then it is declared as serial, so that files of one worker disturb each other as little as those of two.
 */
const declarations = []
let loading

function collect(flags) {
  return new Proxy(ava, {
    apply: (_ava, _this, args) => void declarations.push({ file: loading, flags, args }),
    get(_ava, name) {
      if (name === 'macro' || name === 'meta') return ava[name]
      if (name.endsWith('Each'))
        throw new TypeError(`test.${name} would run for the whole room: call a function instead`)
      return collect([...flags, name])
    },
  })
}

function declare({ file, flags, args }) {
  const chained = (way) => way.reduce((chain, flag) => chain[flag], ava)
  if (flags.includes('before') || flags.includes('after')) return chained(flags)(...args)
  const [given, implementation, ...rest] = typeof args[0] === 'string' ? args : [undefined, ...args]
  const title = `${file} › ${implementation?.title?.(given, ...rest) ?? given}`
  const serially = chained(['serial', ...flags.filter((flag) => flag !== 'serial')])
  if (implementation === undefined) serially(title)
  else serially(title, implementation.exec ?? implementation, ...rest)
}

/** What `import test from 'ava'` is below build/test: AVA itself for a file that runs alone. */
export const test = () => (loading === undefined ? ava : collect([]))

/** @param files What loads each test file, by its name. */
export async function runTogether(files) {
  for (const [file, load] of Object.entries(files)) {
    loading = file
    await load()
  }
  for (const declaration of declarations) declare(declaration)
}
