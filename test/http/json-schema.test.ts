import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { compileSchema } from '../../src/http/json-schema.js'

const pattern = '^(a+)+$'

test('a pattern that takes too long over a text does not fit, and nothing waits for it', (t) => {
  const misfitOf = compileSchema({ type: 'string', pattern })
  t.is(misfitOf('aaaa'), undefined)
  t.is(misfitOf('aab'), 'pattern')
  const began = performance.now()
  t.is(misfitOf(`${'a'.repeat(50)}b`), 'pattern, which takes too long')
  t.true(performance.now() - began < 10_000)
})

// A machine that gives other programs their turn stops this one in the middle, too; SIGSTOP does it for certain.
const program = `
  import { compileSchema } from ${JSON.stringify(import.meta.resolve('../../src/http/json-schema.js'))}
  const misfitOf = compileSchema({ type: 'string', pattern: ${JSON.stringify(pattern)} })
  let text = ''
  // Some milliseconds of work.
  for (const began = performance.now(); performance.now() - began < 5; ) {
    text += 'a'
    misfitOf(text + 'b')
  }
  const answer = () => {
    console.log(misfitOf(text + 'b'))
    setImmediate(answer)
  }
  answer()
`

test('a process that is stopped for longer than a pattern may take refuses nothing for it', async (t) => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const answers: string[] = []
  createInterface(child.stdout).on('line', (line) => answers.push(line))
  await once(child.stdout, 'data')
  for (let round = 0; round < 5; round++) {
    child.kill('SIGSTOP')
    // Longer than the work of a pattern may take, by the clock.
    await delay(150)
    child.kill('SIGCONT')
    const { length } = answers
    while (answers.length < length + 3) await once(child.stdout, 'data')
  }
  t.deepEqual([...new Set(answers)], ['pattern'])
})
