import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createMetrics, metricsServer } from '../../src/operations/metrics.ts'
import { LIMITS } from '../../src/settings/limits.ts'
import { openConnection, statusOf } from '../support/raw-socket.ts'

test('what is counted stands in the text for Prometheus, by its labels', async () => {
  const metrics = createMetrics({ waiting: 7 })
  metrics.observe('/user', 200, 0.5)
  metrics.observe('/user', 200, 5)
  metrics.observe('/user', 401, 3000)
  metrics.observe('/users/{userId}', 200, 1)
  metrics.action('User->getAccount')
  metrics.action('User->getAccount')
  metrics.refresh('kept')
  metrics.actionsDropped(3)
  const lines = new Set((await metrics.registry.metrics()).split('\n'))
  const name = 'duktig_http_request_duration_seconds'
  for (const line of [
    `${name}_bucket{le="0.001",route="/user",status="200"} 1`,
    `${name}_bucket{le="0.0025",route="/user",status="200"} 1`,
    `${name}_bucket{le="0.005",route="/user",status="200"} 2`,
    `${name}_bucket{le="2.5",route="/user",status="200"} 2`,
    `${name}_bucket{le="+Inf",route="/user",status="200"} 2`,
    `${name}_sum{route="/user",status="200"} 0.0055`,
    `${name}_count{route="/user",status="200"} 2`,
    `${name}_bucket{le="2.5",route="/user",status="401"} 0`,
    `${name}_bucket{le="+Inf",route="/user",status="401"} 1`,
    `${name}_bucket{le="0.001",route="/users/{userId}",status="200"} 1`,
    'duktig_actions_total{code="User->getAccount"} 2',
    'duktig_refreshes_total{result="kept"} 1',
    'duktig_refreshes_total{result="reuse"} 0',
    'duktig_actions_dropped_total 3',
    'duktig_password_hashes_waiting 7',
  ])
    assert.ok(lines.has(line), line)
})

test('who sends slowly is cut off as by the service, soon after his time', async (t) => {
  const server = metricsServer(createMetrics({ waiting: 0 }))
  assert.deepEqual([server.headersTimeout, server.requestTimeout], [LIMITS.headersMs, LIMITS.requestMs])
  // The real time-outs would make this test slow. The interval at which they are checked stays as it is.
  server.headersTimeout = 50
  server.requestTimeout = 50
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const connection = await openConnection(`http://127.0.0.1:${port}`)
  connection.write('GET /metrics HTTP/1.1\r\nHost: x\r\nX-Slow: ')
  const startedMs = performance.now()
  assert.equal(statusOf(await connection.untilClosed()), 408)
  assert.ok(performance.now() - startedMs < 5000)
})
