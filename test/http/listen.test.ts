/** If the service cannot listen on an address or a port, the error names the setting to change. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { CannotListen, reasonOf } from '../../src/http/listen.ts'
import { startTestService } from '../support/service.ts'

const others = [createServer(), createServer()]
let taken: string
let takenToo: string
before(async () => {
  const [first, second] = await Promise.all(others.map(portOf))
  taken = String(first)
  takenToo = String(second)
})
after(() => {
  for (const other of others) other.close()
})

async function portOf(server: Server): Promise<number> {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

async function refusal(variables: Readonly<Record<string, string>>): Promise<string> {
  try {
    const service = await startTestService(variables)
    await service.stop()
    return ''
  } catch (error) {
    assert.ok(error instanceof CannotListen, String(error))
    return error.message
  }
}

describe('a start is refused', () => {
  for (const prefix of ['DUKTIG', 'DUKTIG_METRICS']) {
    test(`for ${prefix}_PORT, when something else listens there`, async () => {
      assert.equal(
        await refusal({ [`${prefix}_PORT`]: taken }),
        `port ${taken} of 127.0.0.1 is taken already; set ${prefix}_PORT to a free one`,
      )
    })
    test(`for ${prefix}_HOST, when another machine has that address`, async () => {
      assert.equal(
        await refusal({ [`${prefix}_HOST`]: '192.0.2.1' }),
        `192.0.2.1 is no address of this machine; set ${prefix}_HOST to one that it has`,
      )
    })
    test(`for ${prefix}_HOST, when nobody has that name`, async () => {
      assert.equal(
        await refusal({ [`${prefix}_HOST`]: 'nobody.invalid' }),
        `the name nobody.invalid has no address; set ${prefix}_HOST to an address of this machine`,
      )
    })
  }
  test('for both ports at once, when other programs listen there', async () => {
    const message = await refusal({ DUKTIG_PORT: taken, DUKTIG_METRICS_PORT: takenToo })
    assert.deepEqual(message.split('\n'), [
      'The service cannot listen:',
      `  - port ${taken} of 127.0.0.1 is taken already; set DUKTIG_PORT to a free one`,
      `  - port ${takenToo} of 127.0.0.1 is taken already; set DUKTIG_METRICS_PORT to a free one`,
    ])
  })
  test('for a port that only the administrator may open, and for what is rare', () => {
    const place = { host: '::1', port: 80, hostVariable: 'THE_HOST', portVariable: 'THE_PORT' }
    const refused = (code: string) => reasonOf(Object.assign(new Error(`listen ${code}`), { code }), place)
    assert.equal(refused('EACCES'), 'port 80 may not be opened by this user; set THE_PORT to one above 1023')
    assert.equal(refused('EAFNOSUPPORT'), 'listen EAFNOSUPPORT; look at THE_HOST and THE_PORT')
  })
})
