import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import test from 'ava'
import { errorReference, problemDetails } from '../../src/http/problem-details.js'

interface Manifest {
  readonly repository: { readonly url: string }
  readonly bugs: string
  readonly homepage: string
}

test('the type of an error leads to its code in the errors page of the repository that package.json names', async (t) => {
  const { repository, bugs, homepage } = JSON.parse(await readFile('package.json', 'utf8')) as Manifest
  const [, address = ''] = /^git\+(https:.+)\.git$/.exec(repository.url) ?? []
  const [, page = ''] = /^(?:.*)\/blob\/main\/(.+)$/.exec(errorReference) ?? []
  t.is(errorReference, `${address}/blob/main/${page}`)
  t.true(existsSync(page), page)
  t.is(bugs, `${address}/issues`)
  t.is(homepage, `${address}#readme`)
  t.true((await readFile('.github/ISSUE_TEMPLATE/config.yml', 'utf8')).includes(`${address}/security/advisories/new`))
  const problem = problemDetails({ status: 404, title: 'a', detail: 'b', code: 'bff.route.unknown', requestId: 'c' })
  t.is(problem.type, `${errorReference}#bff.route.unknown`)
  t.true((await readFile(page, 'utf8')).includes('<a id="bff.route.unknown"></a>'))
})
