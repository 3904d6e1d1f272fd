import test from 'ava'
import { aPlantedGateway, codeOf, navigation } from '../gateway/_planted.js'

const callbacks = [
  'code=a&code=b&state=s',
  'code=a&state=s&state=t',
  'code=a&state=s&iss=http://127.0.0.1:9&iss=https://evil.example',
  'error=access_denied&error=access_denied&state=s',
  'code=a&state=s&%63ode=b',
  'response=x&response=y',
]

test('a callback with a repeated parameter is refused before anything is looked up', async (t) => {
  const world = await aPlantedGateway(t)
  for (const query of callbacks) {
    const answer = await world.call(`/bff/callback?${query}`, { headers: navigation })
    t.is(answer.status, 400, query)
    t.is(codeOf(answer), 'bff.request.malformed')
  }
})

test('odd callbacks get an answer, never a crash and never a 500', async (t) => {
  const world = await aPlantedGateway(t)
  const odd = [
    '',
    '?',
    '?state',
    '?state=&code=&iss=',
    '?code[]=a&state[x]=b',
    `?state=${'s'.repeat(8000)}`,
    '?iss=%00',
    '?%',
    '?state=%ff%fe&iss=http://127.0.0.1:9',
    '?iss=http://127.0.0.1:9&state=__proto__&code=constructor',
    '?iss=http://127.0.0.1:9&state=s&id_token=x&token=y',
    '?iss=http://127.0.0.1:9&state=s&error=%3Cscript%3E',
  ]
  for (const query of odd) {
    const answer = await world.call(`/bff/callback${query}`, { headers: navigation })
    t.is(answer.status, 400, query)
    t.false(answer.text.includes('<script>'))
  }
})

test('a logout token that comes twice in one body is refused', async (t) => {
  const world = await aPlantedGateway(t)
  const answer = await world.call('/bff/backchannel-logout', {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: 'logout_token=a&logout_token=b',
  })
  t.is(answer.status, 400)
})

test('repeated parameters of a login or logout link count as absent', async (t) => {
  const world = await aPlantedGateway(t)
  const { cookie, id } = await world.plant()
  const session = await world.sessionsOf('app').open(id)
  const answer = await world.call(`/bff/logout?sid=wrong&sid=${session?.handle}`, {
    headers: { ...navigation, Cookie: cookie },
  })
  t.is(codeOf(answer), 'bff.logout.sid_mismatch')
})
