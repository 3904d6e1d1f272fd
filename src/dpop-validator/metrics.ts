/** Counts for Prometheus, without a dependency: a subscriber of nothing, an `observe` away from everything. */
export interface ValidatorMetrics {
  accepted(proofAge: number | undefined, cached: boolean): void
  refused(check: string, code: string, beforeCrypto: boolean): void
  /** The text exposition format. */
  text(): string
}

/** Seconds. The tails show clocks that are wrong before they are so wrong that proofs are refused. */
const ageBounds = [-5, -1, 0, 1, 2, 5, 10, 30, 60]

export function createMetrics(): ValidatorMetrics {
  const accepted = { known: 0, new: 0 }
  const refusals = new Map<string, number>()
  const ages = new Array<number>(ageBounds.length + 1).fill(0)
  let ageSum = 0

  return {
    accepted(proofAge, cached) {
      accepted[cached ? 'known' : 'new']++
      if (proofAge === undefined) return
      const bucket = ageBounds.findIndex((bound) => proofAge <= bound)
      const index = bucket === -1 ? ageBounds.length : bucket
      ages[index] = (ages[index] ?? 0) + 1
      ageSum += proofAge
    },

    refused(check, code, beforeCrypto) {
      // Checks and codes are a closed list: this map cannot grow without bound.
      const labels = `check="${check}",code="${code}",crypto="${beforeCrypto ? 'before' : 'after'}"`
      refusals.set(labels, (refusals.get(labels) ?? 0) + 1)
    },

    text() {
      let count = 0
      const buckets = [...ageBounds, '+Inf'].map((bound, index): Sample => {
        count += ages[index] ?? 0
        return [`_bucket{le="${bound}"}`, count]
      })
      return [
        ...lines(
          'sallyport_validator_accepted_total',
          'counter',
          'Requests let through, by whether their access token was known.',
          Object.entries(accepted).map(([token, n]) => [`{token="${token}"}`, n]),
        ),
        ...lines(
          'sallyport_validator_refused_total',
          'counter',
          'Requests refused, by the check that failed.',
          [...refusals].map(([labels, n]) => [`{${labels}}`, n]),
        ),
        ...lines(
          'sallyport_validator_proof_age_seconds',
          'histogram',
          'Age of accepted proofs: the difference of two clocks.',
          [...buckets, ['_sum', ageSum], ['_count', count]],
        ),
        '',
      ].join('\n')
    },
  }
}

/** What follows a metric's name on one line, and the value. */
type Sample = readonly [suffix: string, value: number]

function lines(
  name: string,
  type: 'counter' | 'histogram',
  help: string,
  samples: readonly Sample[],
): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples.map(([suffix, n]) => `${name}${suffix} ${n}`)]
}
