/** Output to the terminal, and questions to the operator. */

/** An error that the operator can mend; printed without a stack. */
export class CommandError extends Error {
  override name = 'CommandError'
}

/** @throws {CommandError} with all mistakes at once, if there are any */
export function refuse(mistakes: readonly string[]): void {
  if (mistakes.length > 0) throw new CommandError(mistakes.join('; '))
}

/** The operator left a question with Ctrl-C; nothing is printed. */
export class Interrupted extends Error {
  override name = 'Interrupted'
}

/** Whether the operating system or SQLite refused something; the message of such an error says enough. */
export function isSystemError(error: unknown): error is Error {
  return error instanceof Error && ('syscall' in error || 'errcode' in error)
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Asks a question; null if standard input is no terminal. @throws {Interrupted} */
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

/** All of standard input without the final line break; for passwords from a pipe. */
export async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)).replace(/\r?\n$/, '')
  } catch {
    throw new CommandError('standard input is no UTF-8: write the password in UTF-8')
  }
}

/** Prints rows in columns under their headings. */
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

/** Replaces control and format characters: text that users have entered must not move the cursor of this terminal. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '?')
}
