/** The parts of FAPI 2.0 Message Signing that a plan uses: the suite's `fapi_request_method` and `fapi_response_mode`. */
export interface MessageSigning {
  /** `signed_non_repudiation`: what is pushed is a request object. */
  readonly requests: 'unsigned' | 'signed_non_repudiation'
  readonly responses: 'plain_response' | 'jarm'
}

export const nothingSigned: MessageSigning = { requests: 'unsigned', responses: 'plain_response' }
export const everythingSigned: MessageSigning = { requests: 'signed_non_repudiation', responses: 'jarm' }

/** For the titles of tests. */
export function titleOf({ requests, responses }: MessageSigning): string {
  return `${requests === 'unsigned' ? '' : ', signed requests'}${responses === 'jarm' ? ', JARM' : ''}`
}

/** Whether every variant is run in full, as `npm run test:conformance` does: they differ in little, and take their time. */
export const inFull = process.env.SALLYPORT_CONFORMANCE === 'full'
