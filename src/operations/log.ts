import pino, { type DestinationStream, type Logger } from 'pino'
import { LIMITS } from '../settings/limits.ts'

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>

const STANDARD_OUTPUT = 1

/** One JSON line per event, by default on standard output. Each field is logged by name; whole requests never are. */
export function createLog(level: string, to: DestinationStream = logTo(STANDARD_OUTPUT)): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    to,
  )
}

/**
 * A file, by its name or descriptor. Lines that cannot be written wait for the next line, up to a bound; further lines
 * are dropped, each with one more try to write those that wait. A reader that stops reading blocks nobody.
 */
export function logTo(dest: number | string): DestinationStream {
  const bounds = { minLength: 1, maxLength: LIMITS.logBytesWaiting, retryEAGAIN: () => false }
  const stream = pino.destination({ dest, sync: true, ...bounds })
  stream.on('drop', () => stream.flush())
  // Without a listener, errors would throw where something is logged: a service without a log is better than none.
  stream.on('error', () => {})
  return stream
}
