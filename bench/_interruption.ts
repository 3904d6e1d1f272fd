/**
 * Ends what was started when the run is given up: by Ctrl+C, by `kill`, or because the `npm run` around it has ended, which says
 * nothing to its child. Without it replicas and Redis would go on by themselves.
 * @returns what takes that back
 */
export function onInterruption(end: () => Promise<unknown>): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const parent = process.ppid
  const interrupted = (): void => {
    forget()
    // Who was in the midst of a request to what ends now must not end this process before all of it has ended.
    process.on('uncaughtException', () => undefined)
    console.error('interrupted: what was started is ended')
    void end().finally(() => process.exit(1))
  }
  const orphaned = setInterval(() => process.ppid !== parent && interrupted(), 500).unref()
  const forget = (): void => {
    clearInterval(orphaned)
    for (const signal of signals) process.off(signal, interrupted)
  }
  for (const signal of signals) process.once(signal, interrupted)
  return forget
}
