/** One metric, as Prometheus has it. Units are base units, and the name says which. */
export interface MetricDefinition {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly name: string
  readonly help: string
  /** What the configuration names, and codes of closed lists: never what a caller can choose. */
  readonly labels: readonly string[]
  /** Of a histogram. */
  readonly buckets?: readonly number[]
  /** How the processes of one machine are put together. Default: added up. */
  readonly aggregator?: 'min' | 'max' | 'first'
}

/** Seconds: from a call that hardly takes any time to one that its caller gives up. */
const durations = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** Seconds. The tails show clocks that are wrong before they are so wrong that proofs are refused. */
const ages = [-5, -1, 0, 1, 2, 5, 10, 30, 60]

/** Every name once: the documentation, the dashboard and the alarms are compared with this table. */
export const metricDefinitions = {
  logins: counter(
    'sallyport_logins_total',
    'Logins, by frontend, outcome and, where users choose it, authorization server.',
    'frontend',
    'authority',
    'outcome',
  ),
  forwarded: histogram(
    'sallyport_forwarded_seconds',
    'Forwarded requests and the seconds they took, by frontend, route, method and class of status.',
    'frontend',
    'route',
    'method',
    'status',
  ),
  ownTime: histogram(
    'sallyport_forwarded_own_seconds',
    'Of these, until the request was sent on: session, rules, a fresh token.',
    'frontend',
    'route',
  ),
  upstreamTime: histogram(
    'sallyport_forwarded_upstream_seconds',
    'Of these, until the answer of the upstream began, every attempt.',
    'frontend',
    'route',
  ),
  replays: counter(
    'sallyport_forward_replays_total',
    'Forwarded requests sent again, for a nonce or a stale connection.',
    'frontend',
  ),
  inFlight: gauge('sallyport_requests_in_flight', 'Requests, sockets and streams that are not finished.'),
  upstreamUp: {
    ...gauge(
      'sallyport_upstream_up',
      '1 when requests go to it, 0 when its health check fails or its circuit breaker is open.',
      'frontend',
      'route',
      'upstream',
    ),
    aggregator: 'min',
  },
  sessionsActive: {
    ...gauge('sallyport_sessions_active', 'Sessions in the store, of all replicas: an estimate.', 'frontend'),
    aggregator: 'max',
  },
  upstreamFailures: counter(
    'sallyport_upstream_failures_total',
    'Failed attempts, by upstream and route; told once a minute.',
    'upstream',
    'route',
  ),
  issuerCalls: histogram(
    'sallyport_issuer_call_seconds',
    'Calls of authorization servers, by issuer, endpoint and class of status.',
    'issuer',
    'endpoint',
    'status',
  ),
  issuerFailures: counter(
    'sallyport_issuer_failures_total',
    'Calls of an authorization server that failed; told once a minute.',
    'issuer',
  ),
  storeOperations: histogram(
    'sallyport_store_operation_seconds',
    'Operations of the store, by kind and outcome.',
    'operation',
    'outcome',
  ),
  storeFailures: counter(
    'sallyport_store_failures_total',
    'Operations that the store did not answer; told once a minute.',
  ),
  refreshes: counter(
    'sallyport_token_refreshes_total',
    'Access token refreshes, by frontend and outcome.',
    'frontend',
    'outcome',
  ),
  revocations: counter(
    'sallyport_token_revocations_total',
    'Tokens of ended sessions that were to be revoked, by frontend and outcome.',
    'frontend',
    'outcome',
  ),
  sessionsEnded: counter(
    'sallyport_sessions_ended_total',
    'Sessions ended, by frontend and cause.',
    'frontend',
    'cause',
  ),
  refusals: counter(
    'sallyport_refusals_total',
    'Requests refused, by product, code and route.',
    'product',
    'code',
    'route',
  ),
  limited: counter('sallyport_limited_total', 'Requests refused by a limit, by product and limit.', 'product', 'limit'),
  failures: counter('sallyport_failures_total', 'Requests that failed through a fault of ours, by product.', 'product'),
  tokensIssued: counter('sallyport_tokens_issued_total', 'Token responses, by client and grant.', 'client', 'grant'),
  signIns: counter('sallyport_sign_ins_total', 'Sign-ins at the authorization server, by outcome.', 'outcome'),
  validatorAccepted: counter(
    'sallyport_validator_accepted_total',
    'Requests that the validator let through, by whether their access token was known.',
    'token',
  ),
  validatorRefused: counter(
    'sallyport_validator_refused_total',
    'Requests refused, by the check that failed.',
    'check',
    'code',
    'crypto',
  ),
  validatorProofAge: {
    ...histogram('sallyport_validator_proof_age_seconds', 'Age of accepted proofs: the difference of two clocks.'),
    buckets: ages,
  },
  keyFetches: counter('sallyport_issuer_key_fetches_total', 'Fetches of key sets, by outcome.', 'outcome'),
  alarms: counter('sallyport_alarms_total', 'What the operator should look at, by kind.', 'kind'),
  linesLost: counter(
    'sallyport_log_lines_lost_total',
    'Lines of the log that could not be written, by cause.',
    'cause',
  ),
  auditRecordsLost: counter(
    'sallyport_audit_records_lost_total',
    'Records of the audit that did not arrive, by destination.',
    'destination',
  ),
  configurationGeneration: gauge(
    'sallyport_configuration_generation',
    'How many configurations this process has served, this one included.',
  ),
  configurationLastSuccess: gauge(
    'sallyport_configuration_last_success_timestamp_seconds',
    'When this configuration was taken over.',
  ),
  configurationRefused: counter(
    'sallyport_configuration_refused_total',
    'Configurations that were to take its place and did not work.',
  ),
  storeUp: { ...gauge('sallyport_store_up', '1 when the store answers, 0 when it does not.'), aggregator: 'min' },
  storeRecords: {
    ...gauge('sallyport_store_records', 'Records in the store of this process or machine.'),
    aggregator: 'max',
  },
  storeBytes: { ...gauge('sallyport_store_bytes', 'Bytes that they take.'), aggregator: 'max' },
  storeMaxBytes: {
    ...gauge('sallyport_store_max_bytes', 'Bytes beyond which new records are refused.'),
    aggregator: 'max',
  },
  storeRefusedWrites: counter('sallyport_store_refused_writes_total', 'Writes that found no room.'),
  build: {
    ...gauge('sallyport_build_info', 'Always 1: which Sallyport on which Node.', 'version', 'node'),
    aggregator: 'first',
  },
} as const satisfies Record<string, MetricDefinition>

function counter<const Label extends string>(name: string, help: string, ...labels: Label[]) {
  return { kind: 'counter', name, help, labels } as const
}

function gauge<const Label extends string>(name: string, help: string, ...labels: Label[]) {
  return { kind: 'gauge', name, help, labels } as const
}

function histogram<const Label extends string>(name: string, help: string, ...labels: Label[]) {
  return { kind: 'histogram', name, help, labels, buckets: durations } as const
}
