/** What is wrong with one member of a frontend's options. */
export interface MemberProblem {
  /** Its name in the configuration file, below the frontend. */
  readonly member: string
  readonly problem: string
  readonly remedy: string
}

export function wrong(member: string, problem: string, remedy: string): MemberProblem {
  return { member, problem, remedy }
}
