import type { Readable } from 'node:stream'

/** A terminal that keys are typed at. */
export interface Terminal extends Readable {
  setRawMode(on: boolean): unknown
}

/**
 * Asks for a password twice, without showing it: a typing mistake would be noticed at the first sign-in only.
 * @throws Error when the two differ, or it is broken off with Ctrl+C
 */
export async function promptForPassword(terminal: Terminal, write: (text: string) => void): Promise<string> {
  const password = await typedLine(terminal, write, 'Password (it is not shown): ')
  const again = await typedLine(terminal, write, 'Once more: ')
  if (password !== again) throw new Error('the two differ; nothing was made')
  return password
}

function typedLine(terminal: Terminal, write: (text: string) => void, question: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed = ''
    const done = (settle: () => void): void => {
      terminal.off('data', read)
      terminal.setRawMode(false)
      terminal.pause()
      write('\n')
      settle()
    }
    const read = (chunk: Buffer | string): void => {
      const text = chunk.toString()
      // An arrow or function key is no part of a password.
      if (text.startsWith('\u001b')) return
      for (const key of text) {
        // Enter and Ctrl+D end it, Ctrl+C breaks it off, the two erasing keys take one character back.
        if (key === '\r' || key === '\n' || key === '\u0004') {
          done(() => resolve(typed))
          return
        }
        if (key === '\u0003') {
          done(() => reject(new Error('broken off; nothing was made')))
          return
        }
        if (key === '\u007f' || key === '\b') typed = [...typed].slice(0, -1).join('')
        else if (key >= ' ') typed += key
      }
    }
    write(question)
    terminal.setEncoding('utf8')
    terminal.setRawMode(true)
    terminal.on('data', read)
    terminal.resume()
  })
}
