import { flushCompileCache } from 'node:module'
import { availableParallelism } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import type { Service } from '../serve.ts'
import type { Context } from './context.ts'
import { print } from './terminal.ts'

/**
 * Lets the heap grow to three times the live data before a full garbage collection, during which all requests wait. The
 * service has little live data, and V8 by default collects after every 8 MiB. A V8 that does not know the flag says so
 * and goes on (docs/decisions/0017).
 */
const GARBAGE_COLLECTION = '--heap-growing-percent=200'
/**
 * V8 allocates objects directly in the old generation if earlier objects from the same place in the code lived long. A
 * crowd of sign-ins that wait for their hashes can bring that about for places that every request passes, and V8 keeps
 * to it until the process ends. This flag turns it off (docs/decisions/0017).
 */
const ALL_BEGIN_YOUNG = '--no-allocation-site-pretenuring'
/** On a single processor, helper threads of a young collection only take turns with the thread that waits for them. */
const ON_ONE_PROCESSOR = '--no-parallel-scavenge'

/** `duktig serve`: runs the service until it is told to stop. A start need not load the rest of the command line. */
export async function runService(context: Pick<Context, 'settings' | 'startService'>): Promise<void> {
  const service = await context.startService(context.settings(), { showKey })
  // Before the announcement: a process that reads the address may send a signal at once.
  stopOnSignal(service)
  announce(service)
  // By default Node writes the compile cache at exit, so a process that is killed would leave none for the next start.
  flushCompileCache()
  // After the flush: the cache is valid only under the V8 flags with which its code was compiled.
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

/** The first signal drains and stops the service; further signals do not cut requests that are being answered. */
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
  // The launcher started this process: once the launcher is gone, nobody is left to stop it.
  if (process.channel !== undefined) process.on('disconnect', stop)
}
