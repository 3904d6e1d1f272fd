/** Reports the first refusal at once, and those of each minute after it together: a flood of calls is no flood of lines. */
export function createRefusalReport(
  report: (network: string, refused: number) => void,
  intervalMs = 60_000,
): (network: string) => void {
  let timer: NodeJS.Timeout | undefined
  let last = ''
  let refused = 0

  const tell = (): void => {
    timer = undefined
    if (refused === 0) return
    report(last, refused)
    refused = 0
    timer = setTimeout(tell, intervalMs).unref()
  }
  return (network) => {
    last = network
    refused += 1
    if (timer === undefined) tell()
  }
}
