/** How browsers of this machine come to trust a certificate authority, and how they forget it. */
export function trustAdvice(caFile: string, platform: NodeJS.Platform = process.platform): readonly string[] {
  return [
    'Browsers warn until they trust the authority of this folder, which is good for localhost only:',
    ...commands(caFile, platform),
  ]
}

function commands(caFile: string, platform: NodeJS.Platform): readonly string[] {
  const path = /[\s'"]/.test(caFile) ? JSON.stringify(caFile) : caFile
  switch (platform) {
    case 'darwin':
      return [`  security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db ${path}`]
    case 'win32':
      return [`  certutil -user -addstore Root ${path}`]
    default:
      return [
        `  Chromium: certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n sallyport-localhost -i ${path}`,
        `  Firefox: Settings, Privacy & Security, View Certificates, Authorities, Import: ${path}`,
      ]
  }
}
