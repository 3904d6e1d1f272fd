import test from 'ava'
import { readyRule } from '../../../src/gateway/access/access-rule.js'
import type { AccessRule } from '../../../src/gateway/route-options.js'

const holds = test.macro({
  title: (_, claims: unknown, rule: AccessRule) => `${JSON.stringify(claims)} satisfies ${JSON.stringify(rule)}`,
  exec(t, claims: Record<string, unknown>, rule: AccessRule) {
    t.true(readyRule(rule).holds(claims))
  },
})

const fails = test.macro({
  title: (_, claims: unknown, rule: AccessRule) => `${JSON.stringify(claims)} does not satisfy ${JSON.stringify(rule)}`,
  exec(t, claims: Record<string, unknown>, rule: AccessRule) {
    t.false(readyRule(rule).holds(claims))
  },
})

const staff: AccessRule = { claim: 'roles', anyOf: ['staff', 'chief'] }

test(holds, { roles: ['staff'] }, staff)
test(holds, { roles: ['guest', 'chief'] }, staff)
test(holds, { roles: 'staff' }, staff)
test(holds, { roles: 'guest staff' }, staff)
test(holds, { roles: 'Sales Team' }, { claim: 'roles', anyOf: ['Sales Team'] })
test(holds, { roles: ['Sales Team'] }, { claim: 'roles', anyOf: ['Sales Team'] })
test(holds, { level: 3 }, { claim: 'level', anyOf: ['3'] })
test(holds, { email_verified: true }, { claim: 'email_verified', anyOf: ['true'] })
test(holds, { realm_access: { roles: ['staff'] } }, { ...staff, claim: 'realm_access.roles' })
test(holds, { 'https://example.com/roles': ['staff'] }, { ...staff, claim: 'https://example.com/roles' })
test(holds, { 'my.roles': ['staff'] }, { ...staff, claim: ['my.roles'] })
test(
  holds,
  { resource_access: { 'my.client': { roles: ['staff'] } } },
  { ...staff, claim: ['resource_access', 'my.client', 'roles'] },
)

test(fails, {}, staff)
test(fails, { roles: [] }, staff)
test(fails, { roles: '' }, staff)
test(fails, { roles: null }, staff)
test(fails, { roles: 'Staff' }, staff)
test(fails, { roles: 'staff,chief' }, staff)
test(fails, { roles: 'staffed' }, staff)
test(fails, { roles: ['not staff'] }, staff)
test(fails, { roles: [['staff']] }, staff)
test(fails, { roles: { staff: true } }, staff)
test(fails, { roles: [{ name: 'staff' }] }, staff)
test(fails, { role: 'staff' }, staff)
test(fails, { 'realm_access.roles': ['staff'] }, { ...staff, claim: 'realm_access.roles' })
test(fails, { realm_access: ['staff'] }, { ...staff, claim: 'realm_access.0' })
test(fails, { https: { '//example': { 'com/roles': 'staff' } } }, { ...staff, claim: 'https://example.com/roles' })
test(fails, { my: { roles: ['staff'] } }, { ...staff, claim: ['my.roles'] })
test(fails, { roles: 'staff' }, { claim: 'roles.length', anyOf: ['5'] })
test(fails, { email_verified: false }, { claim: 'email_verified', anyOf: ['true'] })
test(fails, {}, { claim: 'constructor.name', anyOf: ['Object'] })
test(fails, {}, { claim: ['__proto__', 'constructor', 'name'], anyOf: ['Object'] })
