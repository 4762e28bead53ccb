import { docsPage } from './docs-page.ts'
import { rawJson } from './answer.ts'
import { type ApiNames, type HeaderObject, openApiDocument } from './openapi.ts'
import type { HttpRoute } from './route.ts'

const PAGE_HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
}

/** Serves the API reference of `routes`: the OpenAPI document, and a page made from it that needs no scripts. */
export function referenceRoutes(routes: readonly HttpRoute[], names: ApiNames): readonly HttpRoute[] {
  let page: string | null = null
  const own: readonly HttpRoute[] = [
    {
      method: 'GET',
      path: '/openapi.json',
      isPublic: true,
      handle: () => rawJson(200, text),
      operation: operation('openapi', 'The OpenAPI 3.1 document', 'application/json', { type: 'object' }),
    },
    {
      method: 'GET',
      path: '/docs',
      isPublic: true,
      handle: () => {
        page ??= docsPage(document)
        return { status: 200, contentType: 'text/html; charset=utf-8', text: page, headers: PAGE_HEADERS }
      },
      operation: operation(
        'docs',
        'The API reference as a page',
        'text/html',
        { type: 'string' },
        always(PAGE_HEADERS),
      ),
    },
  ]
  const document = openApiDocument([...routes, ...own], names)
  const text = JSON.stringify(document)
  return own
}

function operation(
  operationId: string,
  summary: string,
  type: string,
  schema: object,
  headers?: object,
): HttpRoute['operation'] {
  const responses = { 200: { description: summary, headers, content: { [type]: { schema } } } }
  return { operationId, summary, tags: ['System'], security: [], responses }
}

function always(headers: Readonly<Record<string, string>>): Readonly<Record<string, HeaderObject>> {
  const stated = Object.entries(headers).map(
    ([name, value]) =>
      [name, { description: `Always \`${value}\`.`, required: true, schema: { const: value } }] as const,
  )
  return Object.fromEntries(stated)
}
