import { type MetricDefinition, metricDefinitions } from '../telemetry/metric-definitions.js'

/** Counts for Prometheus, without a dependency: a subscriber of nothing, an `observe` away from everything. */
export interface ValidatorMetrics {
  accepted(proofAge: number | undefined, cached: boolean): void
  refused(check: string, code: string, beforeCrypto: boolean): void
  /** The text exposition format. */
  text(): string
}

const ageBounds = metricDefinitions.validatorProofAge.buckets

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
          metricDefinitions.validatorAccepted,
          Object.entries(accepted).map(([token, n]) => [`{token="${token}"}`, n]),
        ),
        ...lines(
          metricDefinitions.validatorRefused,
          [...refusals].map(([labels, n]) => [`{${labels}}`, n]),
        ),
        ...lines(metricDefinitions.validatorProofAge, [...buckets, ['_sum', ageSum], ['_count', count]]),
        '',
      ].join('\n')
    },
  }
}

/** What follows a metric's name on one line, and the value. */
type Sample = readonly [suffix: string, value: number]

function lines({ name, kind, help }: MetricDefinition, samples: readonly Sample[]): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`, ...samples.map(([suffix, n]) => `${name}${suffix} ${n}`)]
}
