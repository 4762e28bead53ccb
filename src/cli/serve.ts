import { flushCompileCache } from 'node:module'
import { availableParallelism } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import type { Service } from '../serve.ts'
import type { Context } from './context.ts'
import { print } from './terminal.ts'

/**
 * Full garbage collections wait until the heap holds three times what lives. All requests wait for one; what lives here is
 * little, and left to itself V8 has one every 8 MiB. One that does not know the flag says so and goes on.
 */
const GARBAGE_COLLECTION = '--heap-growing-percent=200'
/**
 * V8 puts straight among the old what comes from a place in the code whose objects have lived long. A crowd that waits, as sign-ins
 * for their hash, makes such places of those that every request passes, and V8 keeps to it until the process ends.
 */
const ALL_BEGIN_YOUNG = '--no-allocation-site-pretenuring'
/** On a single processor the threads that would help to collect what is young take turns with the one that waits for them. */
const ON_ONE_PROCESSOR = '--no-parallel-scavenge'

/** `duktig serve`: runs the service until it is told to stop. Knows no command line, which a start need not load. */
export async function runService(context: Pick<Context, 'settings' | 'startService'>): Promise<void> {
  const service = await context.startService(context.settings(), showKey)
  // First: who is told the address may stop it at once.
  stopOnSignal(service)
  announce(service)
  // Left to the end of the process, it would not be written by one that is killed, and every start would be a first one.
  flushCompileCache()
  // Not before: compiled sources are good only under the flags that they were compiled with.
  setFlagsFromString(GARBAGE_COLLECTION)
  setFlagsFromString(ALL_BEGIN_YOUNG)
  if (availableParallelism() === 1) setFlagsFromString(ON_ONE_PROCESSOR)
}

function showKey(key: string): void {
  print(`Application key: ${key}   (shown only now; DUKTIG_AUTH_KEY sets your own)`)
}

function announce({ address, metricsAddress, hasNoAccount }: Service): void {
  print(`Duktig listens on ${address}`)
  if (hasNoAccount) print('  First administrator:  ./bin/duktig account create --email you@example.com')
  print(`  API reference:        ${address}/docs`)
  print(`  Metrics:              ${metricsAddress}`)
}

/** The first signal drains and stops; more of them do not cut what is being answered. */
function stopOnSignal(service: Service): void {
  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    service.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`duktig: ${error instanceof Error ? error.message : String(error)}\n`)
        process.exit(1)
      },
    )
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop)
  // Started by our own launcher: when that is gone, nobody is left to stop us.
  if (process.channel !== undefined) process.on('disconnect', stop)
}
