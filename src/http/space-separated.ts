/** A list as OAuth writes them: `scope`, `acr_values`, `ui_locales`. */
export function listOf(text: string | undefined): readonly string[] {
  return (text ?? '').split(' ').filter((item) => item !== '')
}
