import test from 'ava'
import { type Output, styleFor } from '../../src/cli/report.js'

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
