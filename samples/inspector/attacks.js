import { element, outward } from './element.js'

const groups = {
  api: 'Against the API',
  gateway: 'Against the gateway and its users',
  'authorization-server': 'Against the authorization server',
}

/** @param onSee shows a flow */
export function showAttacks({ list, all, allResult }, attacks, onSee) {
  const lists = Object.entries(groups).map(([at, title]) => {
    const own = element('ul', '', { className: 'attack-list' })
    list.append(element('h3', title), own)
    return [at, own]
  })
  const listOf = Object.fromEntries(lists)
  const tries = attacks.map((attack) => {
    const result = element('p', '', { className: 'result', role: 'status' })
    const button = element('button', 'Try it', { type: 'button' })
    button.dataset.attack = attack.name
    button.setAttribute('aria-label', `Try it: ${attack.title}`)
    const run = async () => {
      button.disabled = true
      result.replaceChildren('…')
      try {
        return await attempt(attack, result, onSee)
      } catch {
        result.replaceChildren('The inspector did not answer.')
        return false
      } finally {
        button.disabled = false
      }
    }
    button.addEventListener('click', run)
    listOf[attack.at].append(
      element('li', [element('h4', attack.title), element('p', attack.says, { className: 'soft' }), button, result]),
    )
    return run
  })
  all.addEventListener('click', async () => {
    all.disabled = true
    let refused = 0
    for (const run of tries) {
      if (await run()) refused++
      allResult.textContent = `${refused} of ${tries.length} refused as they should be`
    }
    all.disabled = false
  })
}

async function attempt({ name, remedy, href, expected }, result, onSee) {
  const answer = await fetch(`/attacks/${name}`, { method: 'POST', headers: { 'X-CSRF': '1' } })
  const { asExpected, status, code, reason, flow, exchange, title, detail } = await answer.json()
  if (!answer.ok) {
    result.replaceChildren(element('b', title), ` ${detail ?? ''}`)
    return false
  }
  const see = element('button', 'See it in the diagram', { type: 'button', className: 'link' })
  see.addEventListener('click', () => onSee(flow, exchange))
  result.replaceChildren(
    element('b', asExpected ? `Refused: ${status} ${code}` : `Not as expected (${expected}): ${status} ${code ?? ''}`, {
      className: asExpected ? 'good' : 'bad',
    }),
    ...(reason ? [element('span', reason, { className: 'block' })] : []),
    element('span', [`For who means no harm: ${remedy} `, outward('More', href)], { className: 'block soft' }),
    see,
  )
  result.dataset.code = code ?? ''
  return asExpected
}
