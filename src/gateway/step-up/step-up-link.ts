import { timingSafeEqual } from 'node:crypto'
import type { Seal } from '../../store/seal.js'
import { parametersOf, type RequirementParameters, type Requirements, requirementsOf } from './requirements.js'

/** Makes and recognises login links that ask for a stronger or more recent sign-in: those that the gateway itself has given. */
export interface StepUpLinks {
  /** Parameters of the link. */
  parametersOf(requirements: Requirements): Readonly<Record<string, string>>
  /** Undefined for any other link, and for one that was changed. */
  requirementsIn(query: URLSearchParams): Requirements | undefined
}

/** The parameter by which a link is known to be the gateway's. */
export const stepUpParameter = 'step_up'

/**
 * Nothing is kept: the link itself says what it asks for, with a code that only the sealing key makes. So a page cannot ask
 * for what no API and no route asks, whatever `LoginParameters` says.
 */
export function createStepUpLinks(seal: Pick<Seal, 'blindIndexes'>, frontend: string): StepUpLinks {
  const codesOf = ({ acr_values: acrValues = '', max_age: maxAge = '' }: RequirementParameters) =>
    seal.blindIndexes(`step-up ${frontend} ${maxAge} ${acrValues}`)

  return {
    parametersOf(requirements) {
      const parameters = parametersOf(requirements)
      return { ...parameters, [stepUpParameter]: codesOf(parameters)[0] }
    },

    requirementsIn(query) {
      const [code = '', ...more] = query.getAll(stepUpParameter)
      if (code === '' || more.length > 0) return undefined
      const [acrValues, maxAge] = [query.get('acr_values'), query.get('max_age')]
      const parameters = {
        ...(acrValues !== null && { acr_values: acrValues }),
        ...(maxAge !== null && { max_age: maxAge }),
      }
      return codesOf(parameters).some((own) => isSame(own, code)) ? requirementsOf(parameters) : undefined
    },
  }
}

function isSame(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}
