/** A disk that is full, read-only or broken: clear refusals, no false success, and recovery without a restart. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertAllGoesOn, assertRefuses, peopleFrom, untilReady, untilRotated } from './degraded.ts'
import { faultVariables } from './fault-variables.ts'
import { populate } from './population.ts'
import { startReal } from './real-service.ts'
import { buildShim, reason, skip } from './shim.ts'

const DISKS = [
  { name: 'full', error: constants.errno.ENOSPC },
  { name: 'read-only', error: constants.errno.EROFS },
  { name: 'broken', error: constants.errno.EIO },
]

for (const { name, error } of DISKS) {
  test(`a ${name} disk is told clearly, nothing is lost, and no restart is needed${reason}`, {
    skip,
  }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'duktig-disk-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const variables = faultVariables(folder)
    const people = peopleFrom(await populate(variables, 3))
    const faulty = join(folder, 'switch')
    const environment = {
      LD_PRELOAD: buildShim('refusing', folder),
      REFUSING_DIR: join(folder, 'data'),
      REFUSING_SWITCH: faulty,
    }
    const service = await startReal(variables, { environment })
    t.after(() => service.kill())
    await untilRotated(service.address, people)
    for (let round = 0; round < 2; round++) {
      writeFileSync(faulty, String(error))
      await assertRefuses(service.address, people)
      rmSync(faulty)
      await untilReady(service.address)
    }
    await assertAllGoesOn(service.address, people)
  })
}
