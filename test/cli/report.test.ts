import test from 'ava'
import { describeProblems, type Output, styleFor } from '../../src/cli/report.js'

const terminal: Output = { write: () => true, hasColors: () => true }
const pipe: Output = { write: () => true }

test('colours are for terminals that have them, and never with NO_COLOR (no-color.org)', (t) => {
  t.is(styleFor(terminal, {}).red('error'), '\u001b[31merror\u001b[39m')
  t.is(styleFor(terminal, {}).soft('aside'), '\u001b[2maside\u001b[22m')
  t.is(styleFor(terminal, { NO_COLOR: '1' }).red('error'), 'error')
  t.is(styleFor(terminal, { NO_COLOR: '1', FORCE_COLOR: '3' }).red('error'), 'error')
  t.is(styleFor({ hasColors: () => false }, {}).red('error'), 'error')
  t.is(styleFor(pipe, {}).red('error'), 'error')
})

test('it is the terminal that is asked, about the environment that counts', (t) => {
  const asked: object[] = []
  const environment = { TERM: 'dumb' }
  styleFor({ hasColors: (about) => asked.push(about) > 0 }, environment)
  t.deepEqual(asked, [environment])
})

test('a name in a file cannot look like another line of the report', (t) => {
  const name = 'x\u001b[2J\nok    all is well'
  const text = describeProblems(
    [{ pointer: `/${name}`, problem: 'is unknown', remedy: 'Take it out.', where: name }],
    styleFor(pipe, {}),
  )
  t.notRegex(text, /^ok/m)
  t.false(text.includes('\u001b'))
})
