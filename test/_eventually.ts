/** How often something is looked at: often at first, and seldom while a program starts or a browser loads, which needs the processor. */
const pauses = { first: 2, longest: 50, growth: 1.25 }

export interface EventuallyOptions {
  /** Seconds until it is given up. Default: 20. */
  readonly within?: number
}

/** Waits until something holds. @throws Error when it has not in time, naming what did not come to hold */
export async function eventually(
  holds: () => boolean | Promise<boolean>,
  { within = 20 }: EventuallyOptions = {},
): Promise<void> {
  const limit = performance.now() + within * 1000
  let pause = pauses.first
  while (!(await holds())) {
    if (performance.now() > limit) throw new Error(`did not come to hold within ${within} s: ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, pause))
    pause = Math.min(pause * pauses.growth, pauses.longest)
  }
}
