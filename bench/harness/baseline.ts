/** What rows are measured against: a bare node:http server that answers 700 bytes of JSON to everything. */
import { createServer } from 'node:http'

const body = JSON.stringify({ status: 'OK', text: 'x'.repeat(700 - '{"status":"OK","text":""}'.length) })
const headers = { 'Content-Type': 'application/json', 'Content-Length': String(body.length) }

const server = createServer((_request, response) => {
  response.writeHead(200, headers).end(body)
})
server.listen(Number(process.env['PORT']), '127.0.0.1')
