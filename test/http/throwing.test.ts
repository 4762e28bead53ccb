/** An error thrown while a request is served affects that request only: the next one is answered. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { HttpRoute } from '../../src/http/route.ts'
import type { ServerOptions } from '../../src/http/server.ts'
import { bareRoute, listenBare } from '../support/bare-server.ts'

const PAGE = 'https://app.example.com'
const GOOD = { status: 200, contentType: 'text/plain', text: 'good' }

const ROUTES: readonly HttpRoute[] = [
  bareRoute('/good', () => GOOD),
  bareRoute('/throws', () => {
    throw new Error('on purpose')
  }),
  bareRoute('/rejects', () => Promise.reject(new Error('on purpose'))),
  bareRoute('/unwritable', () => ({ ...GOOD, headers: { 'X-Header': 'no\r\nheader' } })),
  bareRoute('/denied', async () => ({ ...GOOD, status: 401 })),
  bareRoute('/public', () => GOOD, true),
  {
    ...bareRoute('/full', () => {
      throw new Error('nobody should look at it')
    }),
    hasRoom: () => false,
  },
  {
    ...bareRoute('/unknown', () => GOOD),
    hasRoom() {
      throw new Error('on purpose')
    },
  },
]

async function listening(t: TestContext, over: Partial<ServerOptions> = {}) {
  const faults: unknown[] = []
  const fault = (error: unknown) => {
    faults.push(error)
    return { status: 500, contentType: null, text: 'fault' }
  }
  return { address: await listenBare(t, { routes: ROUTES, fault, ...over }), faults }
}

test('a handler that throws or rejects, or whose answer cannot be written, answers with a fault', async (t) => {
  const { address, faults } = await listening(t)
  for (const path of ['/throws', '/rejects', '/unwritable']) {
    const response = await fetch(`${address}${path}`)
    assert.deepEqual([path, response.status, await response.text()], [path, 500, 'fault'])
  }
  assert.equal(faults.length, 3)
  assert.equal((await fetch(`${address}/good`)).status, 200)
})

test('who is too many is refused before anything of the request is looked at', async (t) => {
  const observed: unknown[] = []
  const observe = (path: string, status: number) => void observed.push([path, status])
  const { address, faults } = await listening(t, { observe })
  assert.equal((await fetch(`${address}/full`)).status, 503)
  assert.deepEqual([observed, faults], [[['/full', 503]], []])
  assert.equal((await fetch(`${address}/unknown`)).status, 500)
  assert.equal(faults.length, 1)
})

test('so does a gate that throws, before the handler and after it', async (t) => {
  const floodGate = {
    take() {
      throw new Error('on purpose')
    },
  }
  const { address } = await listening(t, { floodGate })
  assert.equal((await fetch(`${address}/public`)).status, 500)
  assert.equal((await fetch(`${address}/denied`)).status, 500)
  assert.equal((await fetch(`${address}/good`)).status, 200)
})

test('who counts the answers and throws takes no answer away', async (t) => {
  const observe = () => {
    throw new Error('on purpose')
  }
  const { address, faults } = await listening(t, { observe })
  for (let i = 0; i < 2; i++) assert.equal(await (await fetch(`${address}/good`)).text(), 'good')
  assert.equal(faults.length, 2)
})

test('a web page may read the fault that stands in for an answer which cannot be written', async (t) => {
  const { address } = await listening(t, { corsOrigins: [PAGE] })
  const response = await fetch(`${address}/unwritable`, { headers: { Origin: PAGE } })
  assert.equal(response.status, 500)
  assert.equal(response.headers.get('access-control-allow-origin'), PAGE)
  assert.equal(response.headers.get('vary'), 'Origin')
  assert.equal(response.headers.get('x-header'), null)
})

test('a fault that can be neither worded nor logged is told without words', async (t) => {
  const { address } = await listening(t, {
    fault() {
      throw new Error('on purpose')
    },
  })
  for (const path of ['/throws', '/rejects', '/unwritable']) {
    const response = await fetch(`${address}${path}`)
    assert.deepEqual([path, response.status, await response.text()], [path, 500, ''])
  }
})

test('where not even the fault can be written the connection is cut, and the next request is answered', async (t) => {
  const fault = () => ({ ...GOOD, status: 500, headers: { 'X-Header': 'no\r\nheader' } })
  const { address } = await listening(t, { fault })
  await assert.rejects(fetch(`${address}/throws`))
  assert.equal((await fetch(`${address}/good`)).status, 200)
})
