import type { LocalCertificate } from './local-authority.js'

export interface DemoPlace {
  /** Of the gateway; the authorization server, the sample API and the inspector get the next three. */
  readonly port: number
  readonly certificate: LocalCertificate | undefined
}

/** Where the example says that it is. */
export const examplePort = 3000

export function inspectorPort(gatewayPort: number): number {
  return gatewayPort + 3
}

/** Where the flow inspector is. */
export function inspectorUrl(gatewayPort: number): string {
  return `http://localhost:${inspectorPort(gatewayPort)}/`
}

/** Everything that the example says of ports and schemes, as variables over it. Those of the process go over these. */
export function demoSettings({ port, certificate }: DemoPlace): Readonly<Record<string, string>> {
  return {
    ...(port === examplePort ? {} : moved(port)),
    ...(port === examplePort && certificate === undefined
      ? {}
      : named(port, certificate === undefined ? 'http' : 'https')),
    ...(certificate !== undefined && encrypted(certificate)),
  }
}

function moved(port: number): Record<string, string> {
  const [front, issuer, api] = [port, port + 1, port + 2].map(String)
  return {
    Server__Listen: `127.0.0.1:${front}`,
    // A second demo beside the first: the system finds a free one.
    Server__AdminListen: '127.0.0.1:0',
    Bff__Frontends__0__Routes__0__Upstreams__0: `http://127.0.0.1:${api}`,
    Bff__Frontends__1__Routes__0__Upstreams__0: `http://127.0.0.1:${api}`,
    OpenIddict__Listen: `127.0.0.1:${issuer}`,
    Authentication__OpenIddict__Listen: `127.0.0.1:${api}`,
    Authentication__OpenIddict__Audience: `http://127.0.0.1:${api}`,
  }
}

function named(port: number, scheme: 'http' | 'https'): Record<string, string> {
  const issuer = `${scheme}://localhost:${port + 1}`
  return {
    Bff__PublicUrl: `${scheme}://localhost:${port}`,
    OpenIddict__Issuer: issuer,
    Authentication__OpenIddict__Issuer: issuer,
  }
}

/** Browsers see https; the sample API is called on this machine. */
function encrypted({ certFile, keyFile, caFile }: LocalCertificate): Record<string, string> {
  return {
    Server__Tls__CertFile: certFile,
    Server__Tls__KeyFile: keyFile,
    OpenIddict__Tls__CertFile: certFile,
    OpenIddict__Tls__KeyFile: keyFile,
    Bff__AuthorityCaFile: caFile,
    Authentication__OpenIddict__AuthorityCaFile: caFile,
  }
}
