export { type AttackFailure, type AttackReport, type AttackTarget, attack, attackCatalogue } from './attack.js'
export type { AttackCase } from './attack-case.js'
export type { ExpectedAnswer } from './expected-answer.js'
export {
  createTestClock,
  generateTestKey,
  type MintedProof,
  type MintedToken,
  startTestIssuer,
  type TestClock,
  type TestIssuer,
  type TestIssuerOptions,
  type TestKey,
} from './test-issuer.js'
