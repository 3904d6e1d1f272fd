import * as api from '@opentelemetry/api'
import {
  AlwaysOnSampler,
  InMemorySpanExporter,
  NodeTracerProvider,
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
  const sampling = createHeadSampling(api, sampler)
  const provider = new NodeTracerProvider({
    sampler,
    idGenerator: sampling.idGenerator,
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  })
  provider.register({ contextManager: null })
  traceWith({ api, sampling, tracer: provider.getTracer('test') })
  t.teardown(async () => {
    traceWith(undefined)
    await provider.shutdown()
    api.trace.disable()
    api.propagation.disable()
  })
  return () => exporter.getFinishedSpans()
}

/** All that a collector gets of a span. */
export function textOf({ name, attributes, events, links, status, resource }: ReadableSpan): string {
  return JSON.stringify({ name, attributes, events, links, status, resource: resource.attributes })
}
