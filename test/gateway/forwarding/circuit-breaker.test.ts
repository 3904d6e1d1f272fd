import test from 'ava'
import { createCircuitBreaker } from '../../../src/gateway/forwarding/circuit-breaker.js'

/*
 * The state machine as a table: what happens, and what the breaker says then. `admits` is what it says to a request.
 * A breaker of three failures and a pause of one second; callers are named by the last number of their address.
 */
type Step =
  | 'reached'
  | 'unreachable'
  | `${'well' | 'down'} ${number}`
  | `wait ${number}`
  | `admits ${'yes' | 'no'}`
  | `reachable ${'yes' | 'no'}`

const times = (count: number, ...steps: readonly Step[]): readonly Step[] =>
  Array.from({ length: count }, () => steps).flat()

const rows: Readonly<Record<string, readonly Step[]>> = {
  'is closed to begin with': ['admits yes', 'reachable yes'],
  'opens after so many connections in a row that cannot be made': [
    ...times(2, 'unreachable'),
    'admits yes',
    'unreachable',
    'admits no',
    'reachable no',
  ],
  'counts connections in a row only': [...times(10, 'unreachable', 'unreachable', 'reached'), 'admits yes'],
  'stays closed whatever one caller is answered': [...times(1000, 'down 1'), 'admits yes'],
  'stays closed for one caller among many': [
    'well 2',
    'well 3',
    ...times(48, 'down 1', 'well 4', 'well 5'),
    'admits yes',
  ],
  'opens for as many callers, if they are at least half of all': [
    'down 1',
    'down 2',
    'admits yes',
    'down 3',
    'admits no',
  ],
  'one that answers badly can be reached': ['down 1', 'down 2', 'down 3', 'admits no', 'reachable yes'],
  'stays closed while more callers are well': [
    'down 1',
    'well 4',
    'well 5',
    'well 6',
    'well 7',
    'down 2',
    'down 3',
    'admits yes',
    'down 4',
    'admits no',
  ],
  'a vote is the last answer': ['down 1', 'down 2', 'well 1', 'well 2', 'down 3', 'admits yes'],
  'votes are forgotten after ten seconds': ['down 1', 'down 2', 'wait 11', 'down 3', 'admits yes'],
  'lets three try after its pause, and no more': [
    ...times(3, 'unreachable'),
    'wait 0.9',
    'admits no',
    'wait 0.1',
    ...times(3, 'admits yes'),
    'admits no',
  ],
  'closes when three have succeeded': [
    ...times(3, 'unreachable'),
    'wait 1',
    'admits yes',
    'reached',
    'reached',
    'admits yes',
    'admits yes',
    'admits no',
    'reached',
    ...times(9, 'admits yes'),
  ],
  'one that could not be reached closes by connections, whatever is answered': [
    ...times(3, 'unreachable'),
    'wait 1',
    ...times(3, 'admits yes', 'reached', 'down 1'),
    'admits yes',
  ],
  'opens again for twice as long when a try cannot connect': [
    ...times(3, 'unreachable'),
    'wait 1',
    'admits yes',
    'unreachable',
    'wait 1.9',
    'admits no',
    'wait 0.1',
    'admits yes',
  ],
  'never for longer than half a minute': [
    ...times(3, 'unreachable'),
    ...times(10, 'wait 30', 'admits yes', 'unreachable'),
    'wait 29',
    'admits no',
    'wait 1',
    'admits yes',
  ],
  'tries that never end are followed by others': [
    ...times(3, 'unreachable'),
    'wait 1',
    ...times(3, 'admits yes'),
    'admits no',
    'wait 1',
    ...times(3, 'admits yes'),
    'admits no',
  ],
  'opened by answers, it closes by good ones': [
    'down 1',
    'down 2',
    'down 3',
    'wait 1',
    ...times(3, 'admits yes', 'reached', 'well 4'),
    ...times(9, 'admits yes'),
  ],
  'opened by answers, one caller alone cannot keep it open': [
    'down 1',
    'down 2',
    'down 3',
    'wait 1',
    ...times(50, 'down 1'),
    'admits yes',
    ...times(3, 'well 2'),
    ...times(9, 'admits yes'),
  ],
  'opened by answers, it opens again for longer when as many callers get bad ones': [
    ...(['down 1', 'down 2', 'down 3', 'wait 1', 'admits yes', 'down 1', 'down 2', 'down 3'] as const),
    'wait 1.9',
    'admits no',
    'wait 0.1',
    'admits yes',
  ],
  'what was under way when it opened changes nothing': [
    ...times(3, 'unreachable'),
    ...times(3, 'reached', 'well 1', 'unreachable'),
    'admits no',
    'wait 1',
    'admits yes',
  ],
}

for (const [title, steps] of Object.entries(rows))
  test(title, (t) => {
    let time = 1000
    const breaker = createCircuitBreaker({ failures: 3, openFor: 1 }, () => time)
    for (const [index, step] of steps.entries()) {
      const [verb = '', object = ''] = step.split(' ')
      const where = `step ${index}: ${step}`
      if (verb === 'wait') time += Number(object)
      else if (verb === 'admits') t.is(breaker.admits(), object === 'yes', where)
      else if (verb === 'reachable') t.is(breaker.isReachable(), object === 'yes', where)
      else if (verb === 'well' || verb === 'down') breaker.answered(`192.0.2.${object}`, verb)
      else if (verb === 'reached') breaker.reached()
      else breaker.unreachable()
    }
  })

test('addresses of one network are one caller', (t) => {
  const breaker = createCircuitBreaker({ failures: 3 })
  for (let host = 0; host < 2000; host++) breaker.answered(`2001:db8:7:${host.toString(16)}::1`, 'down')
  t.true(breaker.admits())
})
