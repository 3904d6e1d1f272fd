/** What is wrong with one member of a frontend's or a route's options. */
export interface MemberProblem {
  /** Its place below the frontend's or the route's options. */
  readonly member: string
  readonly problem: string
  readonly remedy: string
}

export function wrong(member: string, problem: string, remedy: string): MemberProblem {
  return { member, problem, remedy }
}
