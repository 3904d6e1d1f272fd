import test from 'ava'
import { examplesOf, publicDeclarations } from './_public-declarations.js'
import { shownPrograms } from './_shown-programs.js'

/* What an editor shows to those who use the package: docstrings, of everything that can be imported. */

const declarations = await publicDeclarations()

test('everything that can be imported has a docstring, and so have its members', (t) => {
  t.true(declarations.length > 130, `${declarations.length} found`)
  const silent = declarations.flatMap(({ title, docstring, members }) => [
    ...(docstring === '' ? [title] : []),
    ...members.filter(([, own]) => own === '').map(([name]) => `${title}.${name}`),
  ])
  t.deepEqual(silent, [])
})

test('every function and value that can be imported has an example', (t) => {
  const callable = declarations.filter(({ kind }) => kind === 'function' || kind === 'const')
  t.true(callable.length > 40, `${callable.length} found`)
  t.deepEqual(
    callable.filter((one) => examplesOf(one).length === 0).map(({ title }) => title),
    [],
  )
})

test('an example is fenced as a program, so that it is run', (t) => {
  for (const { title, docstring } of declarations)
    t.is(examplesOf({ docstring }).length, docstring.split('@example').length - 1, title)
})

test('the examples in docstrings compile, and those that need no browser run', async (t) => {
  t.timeout(180_000)
  const { problems, load } = await shownPrograms('docstrings')
  t.is(problems, '')
  await t.notThrowsAsync(load())
})
