import pino, { type DestinationStream, type Logger } from 'pino'
import { LIMITS } from '../settings/limits.ts'

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>

const STANDARD_OUTPUT = 1

/** One JSON line per event, by default on standard output. What is logged is named field by field; requests never are. */
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
 * A file, or an open one by its descriptor. What cannot be written waits for the next line, up to a bound; beyond it lines are
 * dropped, each with one more try to write what waits. A reader who stops reading makes nobody wait.
 */
export function logTo(dest: number | string): DestinationStream {
  const bounds = { minLength: 1, maxLength: LIMITS.logBytesWaiting, retryEAGAIN: () => false }
  const stream = pino.destination({ dest, sync: true, ...bounds })
  stream.on('drop', () => stream.flush())
  // Without a listener it would throw where something is logged: a service without a log is better than none.
  stream.on('error', () => {})
  return stream
}
