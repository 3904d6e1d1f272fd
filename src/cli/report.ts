import { styleText } from 'node:util'
import { ConfigurationError, type ConfigurationProblem, UpstreamError } from '../errors.js'
import { unprintable } from '../http/printable-json.js'

/** Marks text up for a terminal, or not at all. */
export interface Style {
  bold(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
  soft(text: string): string
}

/** Colours are for people: only on a terminal that has them, and never with `NO_COLOR` (https://no-color.org). */
export function styleFor(
  stream: Pick<Output, 'hasColors'>,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Style {
  const isColoured = !environment.NO_COLOR && stream.hasColors?.(environment) === true
  const marked = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    isColoured ? styleText(format, text, { validateStream: false }) : text
  return {
    bold: marked('bold'),
    red: marked('red'),
    green: marked('green'),
    yellow: marked('yellow'),
    soft: marked('dim'),
  }
}

/** Where a command writes to. */
export interface Output {
  write(text: string): unknown
  /** As a terminal's stream has it. */
  hasColors?(environment: object): boolean
}

/**
 * What a terminal may be shown of a name in a file or of a server's words, which may come from an attacker: no control
 * character but the line feed, and no mark that turns the direction of writing.
 */
export function printed(text: string): string {
  return text.replace(unprintable, '?')
}

/** A name, which would otherwise look like the next line of a report. */
function inOneLine(text: string): string {
  return printed(text).replaceAll('\n', '?')
}

/** What went wrong, where, and what to do. A stack trace is for our own bugs only. */
export function describeError(error: unknown, style: Style): string {
  if (error instanceof ConfigurationError) return describeProblems(error.problems, style)
  if (error instanceof UpstreamError) {
    const cause = error.cause instanceof Error ? ` (${innermost(error.cause)})` : ''
    return `${style.red('error')} ${printed(error.message + cause)}\n`
  }
  if (error instanceof TypeError || !(error instanceof Error))
    return `${style.red('error')} this is a fault of Sallyport itself, please report it\n${error instanceof Error ? error.stack : String(error)}\n`
  return `${style.red('error')} ${printed(error.message)}\n`
}

export function describeProblems(problems: readonly ConfigurationProblem[], style: Style): string {
  const paragraphs = problems.map(({ pointer, problem, remedy, where }) =>
    [
      `${style.red('error')} ${style.bold(inOneLine(pointer) || '/')} ${printed(problem)}`,
      ...(where === undefined ? [] : [`      ${style.soft(inOneLine(where))}`]),
      `      → ${printed(remedy)}`,
    ].join('\n'),
  )
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  return `${paragraphs.join('\n\n')}\n\n${count}.\n`
}

/** The message at the bottom of a chain of causes: `connect ECONNREFUSED 127.0.0.1:6379`. */
export function innermost(error: Error): string {
  if (error.cause instanceof Error) return innermost(error.cause)
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return innermost(error.errors[0])
  return error.message || ((error as NodeJS.ErrnoException).code ?? error.name)
}
