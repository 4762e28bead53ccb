import type { Composed } from '../compose.ts'
import type { Service } from '../serve.ts'
import type { Settings } from '../settings/settings.ts'
import type { OpenedStore } from '../store/store.ts'

/** What the commands stand on; put together in `main.ts`. */
export interface Context {
  /** @throws {SettingsError} with every mistake at once */
  settings(): Settings
  openStore(settings: Settings): Promise<OpenedStore>
  open(settings: Settings): Promise<Composed & { close(): Promise<void> }>
  startService(settings: Settings): Promise<Service>
}

/** Runs `work` with everything open, and closes it whatever happens. */
export async function withDeps<T>(context: Context, work: (opened: Composed) => Promise<T>): Promise<T> {
  const opened = await context.open(context.settings())
  try {
    return await work(opened)
  } finally {
    await opened.close()
  }
}
