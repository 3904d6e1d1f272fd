import { type Output, printed, styleFor } from '../report.js'

export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => string
}

/** As wide as what is in it. What others have said is in it: it moves no cursor and begins no line. */
export function tableOf<Row>(columns: readonly Column<Row>[], rows: readonly Row[], output: Output): string {
  const { soft } = styleFor(output)
  const titles = columns.map(({ title }) => title)
  const cells = rows.map((row) => columns.map(({ cell }) => printed(cell(row)).replaceAll('\n', '?')))
  const widths = titles.map((title, index) => Math.max(title.length, ...cells.map((row) => row[index]?.length ?? 0)))
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, index) => text.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd()
  return `${[soft(line(titles)), ...cells.map(line)].join('\n')}\n`
}
