import test from 'ava'
import { createOpenedSessions, type OpenedSession } from '../../../src/gateway/session/opened-sessions.js'

const opened = { sealed: { revision: 'as it was read' } } as OpenedSession

test('an opened session is kept from its second use on, and forgotten when it ends', (t) => {
  const sessions = createOpenedSessions()
  sessions.set('key', opened)
  t.is(sessions.get('key'), undefined)
  sessions.set('key', opened)
  t.is(sessions.get('key'), opened)
  sessions.touches.set('key', 1000)
  sessions.delete('key')
  t.is(sessions.get('key'), undefined)
  t.is(sessions.touches.get('key'), undefined)
})

test('one that this process has written a use of is kept at once', (t) => {
  const sessions = createOpenedSessions()
  sessions.touches.set('key', 1000)
  sessions.set('key', opened)
  t.is(sessions.get('key'), opened)
})
