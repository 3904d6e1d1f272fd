/** A pattern, what takes its place, and a text without which it cannot match: to look for that costs next to nothing. */
const secrets: readonly (readonly [RegExp, string, string])[] = [
  // A JOSE object in compact form: access token, ID token, proof, assertion.
  [/eyJ[\w-]{8,}(?:\.[\w-]*){0,4}/g, '[token]', 'eyJ'],
  [/\b(Basic|Bearer|DPoP) [\w~+/.-]{16,}=*/gi, '$1 [token]', ' '],
  [
    /((?:access_token|refresh_token|id_token|client_assertion|client_secret|code|code_verifier|password)=)[^&\s"\\]+/gi,
    '$1[secret]',
    '=',
  ],
  [/("(?:d|p|q|dp|dq|qi|k)\\{0,7}":\s?\\{0,7}")[\w-]{16,}/g, '$1[key]', '":'],
  [/((?:__(?:Host|Secure)|sallyport-(?:bff|as))-[\w.~-]{1,64}=)[^;\s"\\]+/gi, '$1[cookie]', '='],
  [/(\b\w{1,32}:\/\/[^\s:/@"]*:)[^\s@/"]+@/g, '$1[secret]@', '@'],
]

/** The text with whatever looks like a token, a private key member, a cookie of ours or a password blotted out. */
export function withoutSecrets(line: string): string {
  let text = line
  for (const [pattern, replacement, sign] of secrets) if (text.includes(sign)) text = text.replace(pattern, replacement)
  return text
}
