/** The API reference as one page of plain HTML: no scripts, no further requests, readable in print. */
import type { HeaderObject, OpenApiDocument, OperationObject, ParameterObject } from './openapi.ts'

type Schema = Readonly<Record<string, unknown>>

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --mark: #0a7d5a }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 2rem 1.25rem 5rem }
h1 { margin: 0 } h2 { margin: 3rem 0 .5rem } h3 { font-size: 1rem; margin: 0 }
nav ul { columns: 2; padding-left: 1rem } nav a { text-decoration: none } a { color: var(--mark) }
section { border: 1px solid var(--line); border-radius: .5rem; margin: 1rem 0; overflow: hidden }
section > header { background: var(--soft); padding: .6rem 1rem; display: flex; gap: .8rem; flex-wrap: wrap; align-items: baseline }
section > div { padding: .4rem 1rem 1rem }
code, pre { font: .875rem/1.5 ui-monospace, monospace } pre { background: var(--soft); padding: .75rem; overflow-x: auto; border-radius: .4rem }
.method { font-weight: 700; color: var(--mark); min-width: 4.2rem } .summary { opacity: .85 }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .6rem .3rem 0; border-top: 1px solid var(--line); vertical-align: top }
h4 { margin: 1rem 0 .3rem }
@media (max-width: 40rem) { nav ul { columns: 1 } }`

export function docsPage(document: OpenApiDocument): string {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))]
  const groups = tags.map((tag) => ({
    tag,
    entries: operations.filter((o) => o.operation.tags.includes(tag)),
  }))
  const index = groups.map(
    ({ tag, entries }) =>
      `<h4>${escape(tag)}</h4><ul>${entries
        .map(
          (o) =>
            `<li><a href="#${o.operation.operationId}"><code>${o.method} ${escape(o.path)}</code></a></li>`,
        )
        .join('')}</ul>`,
  )
  const body = groups.map(
    ({ tag, entries }) =>
      `<h2>${escape(tag)}</h2>${entries.map((o) => section(document, o.method, o.path, o.operation)).join('')}`,
  )
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(document.info.title)} API reference</title><style>${STYLE}</style>
<h1>${escape(document.info.title)} <small>${escape(document.info.version)}</small></h1>
<p>${inline(document.info.description)} The same as data: <a href="/openapi.json">openapi.json</a>.</p>
<nav>${index.join('')}</nav>${body.join('')}</html>`
}

function section(
  document: OpenApiDocument,
  method: string,
  path: string,
  operation: OperationObject,
): string {
  const { operationId, summary, description, parameters, requestBody, responses } = operation
  const parts = [
    description === undefined ? '' : `<p>${inline(description)}</p>`,
    credentials(document, operation),
    parameters.length === 0 ? '' : parameterTable(parameters),
    requestBody === undefined ? '' : `<h4>Body</h4>${bodyOf(requestBody)}`,
    `<h4>Answers</h4>${Object.entries(responses)
      .map(([status, response]) => answer(status, response))
      .join('')}`,
  ]
  return `<section id="${operationId}"><header><span class="method">${method}</span><h3><code>${escape(path)}</code></h3>
<span class="summary">${inline(summary)}</span></header><div>${parts.join('')}</div></section>`
}

function credentials(document: OpenApiDocument, operation: OperationObject): string {
  const schemes = document.components.securitySchemes as Record<string, { name?: string }>
  const names = operation.security.flatMap((requirement) => Object.keys(requirement))
  if (names.length === 0) return ''
  const texts = names.map((name) => `<code>${escape(schemes[name]?.name ?? 'Authorization: Bearer')}</code>`)
  return `<p>Credential: ${texts.join(' or ')}</p>`
}

function parameterTable(parameters: readonly ParameterObject[]): string {
  const rows = parameters.map(
    (p) =>
      `<tr><td><code>${escape(p.name)}</code><td>${p.in}${p.required === true ? ', required' : ''}<td>${shape(p.schema)}<td>${inline(p.description ?? '')}`,
  )
  return `<h4>Parameters</h4><table>${rows.join('')}</table>`
}

function bodyOf(body: object): string {
  const { description } = body as { description?: string }
  return (description === undefined ? '' : `<p>${inline(description)}</p>`) + schemaOf(body)
}

function answer(status: string, response: object): string {
  const { description, headers = {} } = response as {
    description: string
    headers?: Readonly<Record<string, HeaderObject>>
  }
  const stated = Object.entries(headers).map(
    ([name, header]) =>
      `<br><code>${escape(name)}</code>${header.required ? '' : ' (optional)'}: ${inline(header.description)}`,
  )
  return `<p><b>${status}</b> ${inline(description)}${stated.join('')}</p>${Number(status) < 400 ? schemaOf(response) : ''}`
}

function schemaOf(holder: object): string {
  const { content } = holder as { content?: Record<string, { schema: Schema }> }
  const [type, media] = Object.entries(content ?? {})[0] ?? []
  if (type === undefined || media === undefined) return ''
  return `<pre>${escape(type === 'application/json' ? example(media.schema, '') : type)}</pre>`
}

/** A schema, written as the JSON that it describes, with types in place of values. */
function example(schema: Schema, indent: string): string {
  if (schema['const'] !== undefined) return JSON.stringify(schema['const'])
  const inner = `${indent}  `
  if (schema['type'] === 'array') return `[${example(schema['items'] as Schema, indent)}, …]`
  if (schema['properties'] === undefined) return plainShape(schema)
  const required = (schema['required'] ?? []) as readonly string[]
  const lines = Object.entries(schema['properties'] as Record<string, Schema>).map(([name, property]) => {
    const optional = required.includes(name) ? '' : '  (optional)'
    return `${inner}${JSON.stringify(name)}: ${example(property, inner)}${optional}`
  })
  return `{\n${lines.join(',\n')}\n${indent}}`
}

function shape(schema: Schema): string {
  return escape(plainShape(schema))
}

function plainShape(schema: Schema): string {
  if (schema['const'] !== undefined) return JSON.stringify(schema['const'])
  if (Array.isArray(schema['anyOf'])) return (schema['anyOf'] as Schema[]).map(plainShape).join(' | ')
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => JSON.stringify(value)).join(' | ')
  const { minLength, maxLength, minimum, format, description } = schema as Readonly<
    Record<string, number | string | undefined>
  >
  const type = ([] as unknown[]).concat(schema['type'] ?? 'any').join(' or ')
  // A description says more than the bounds do.
  if (description !== undefined) return `${type}: ${description}`
  const least = minLength === undefined ? 'at most' : `${minLength} to`
  return [
    format === undefined ? type : `${type} (${format})`,
    ...(maxLength === undefined ? [] : [`${least} ${maxLength} characters`]),
    ...(minimum === undefined ? [] : [`at least ${minimum}`]),
  ].join(', ')
}

function inline(text: string): string {
  return escape(text).replace(/`([^`]+)`/g, '<code>$1</code>')
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`)
}
