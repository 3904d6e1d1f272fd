import * as api from '@opentelemetry/api'
import { defaultResource } from '@opentelemetry/resources'
import {
  AlwaysOnSampler,
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import type { ExecutionContext } from 'ava'
import { createHeadSampling } from '../../src/telemetry/head-sampling.js'
import { traceWith } from '../../src/telemetry/tracing.js'

/** The spans of this process, from now on until the test is over. */
export function collectSpans(
  t: ExecutionContext,
  sampler: Sampler = new AlwaysOnSampler(),
): () => readonly ReadableSpan[] {
  const exporter = new InMemorySpanExporter()
  const processor = new SimpleSpanProcessor(exporter)
  const source = {
    api,
    processor,
    resource: defaultResource(),
    instrumentationScope: { name: 'test' },
  }
  traceWith({ sampling: createHeadSampling(api, sampler), source })
  t.teardown(async () => {
    traceWith(undefined)
    await processor.shutdown()
  })
  return () => exporter.getFinishedSpans()
}

/** All that a collector gets of a span. */
export function textOf({ name, attributes, events, links, status, resource }: ReadableSpan): string {
  return JSON.stringify({ name, attributes, events, links, status, resource: resource.attributes })
}
