import test from 'ava'
import { ConfigurationError, ProtocolError, UpstreamError, unreachable } from '../src/errors.js'

test('a configuration error says where, what and what to do, for everything at once', (t) => {
  const error = new ConfigurationError([
    { pointer: '/Bff/Frontends/0/ClientID', problem: 'is not a known setting', remedy: 'Write ClientId.' },
    { pointer: '', problem: 'has no Bff section', remedy: 'Add one.' },
  ])
  t.is(
    error.message,
    '/Bff/Frontends/0/ClientID: is not a known setting. Write ClientId.\n/: has no Bff section. Add one.',
  )
})

test('every error keeps its cause and its code', (t) => {
  const cause = new Error('ECONNREFUSED')
  t.like(new ProtocolError('invalid_grant', 'the code was used before', { cause }), { code: 'invalid_grant', cause })
  t.like(new UpstreamError('timeout', 'the token endpoint did not answer', { cause }), { code: 'timeout', cause })
})

test('a case that was left out is a fault of ours', (t) => {
  t.throws(() => unreachable('new' as never), { instanceOf: TypeError, message: /"new"/ })
})
