import type { SecureContextOptions } from 'node:tls'

/**
 * TLS 1.3, or TLS 1.2 with nothing but the four suites that RFC 9325 recommends (FAPI 2.0 §5.2.2). Node's defaults also
 * take CBC and CCM suites. For our listeners and for every HTTPS call we make.
 */
export const tlsPreset = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
  ].join(':'),
  honorCipherOrder: true,
} as const satisfies SecureContextOptions
