/**
 * Begins to measure; what it returns says the milliseconds that were spent at most. CPU time is that of all workers of the
 * process, and a clock goes on while others have the processor: the lesser of the two is never too little.
 */
export function measureSpent(): () => number {
  const [cpu, began] = [process.cpuUsage(), performance.now()]
  return () => {
    const { user, system } = process.cpuUsage(cpu)
    return Math.min((user + system) / 1000, performance.now() - began)
  }
}
