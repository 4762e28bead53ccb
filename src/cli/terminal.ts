/** Talking to whoever sits at the terminal. */

/** Something that the person at the terminal can mend; printed without a stack. */
export class CommandError extends Error {
  override name = 'CommandError'
}

/** The person at the terminal left a question with Ctrl-C: nothing is to be said. */
export class Interrupted extends Error {
  override name = 'Interrupted'
}

/** Whether the system or SQLite refused something, of which the message says enough. */
export function isSystemError(error: unknown): error is Error {
  return error instanceof Error && ('syscall' in error || 'errcode' in error)
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Asks a question; null where nobody can answer. @throws {Interrupted} */
export async function ask(
  question: string,
  options: { readonly hidden?: boolean } = {},
): Promise<string | null> {
  if (!process.stdin.isTTY) return null
  const { createInterface } = await import('node:readline/promises')
  const { Writable } = await import('node:stream')
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  if (options.hidden === true) process.stdout.write(question)
  const output = options.hidden === true ? silent : process.stdout
  const terminal = createInterface({ input: process.stdin, output, terminal: true })
  try {
    const answer = await terminal.question(options.hidden === true ? '' : question)
    // A password may begin and end with spaces.
    return options.hidden === true ? answer : answer.trim()
  } catch (error) {
    throw (error as Error).name === 'AbortError' ? new Interrupted() : error
  } finally {
    terminal.close()
    if (options.hidden === true) process.stdout.write('\n')
  }
}

/** All of standard input, without the last line break; for passwords from a pipe. */
export async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)).replace(/\r?\n$/, '')
  } catch {
    throw new CommandError('standard input is no UTF-8')
  }
}

/** Rows under their headings, in columns. */
export function printTable(headings: readonly string[], rows: readonly (readonly string[])[]): void {
  const all = [headings, ...rows]
  const widths = headings.map((_, i) => Math.max(...all.map((row) => (row[i] ?? '').length)))
  for (const row of all)
    print(
      row
        .map((cell, i) => printable(cell).padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}

/** What people typed elsewhere must not move the cursor here. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '?')
}
