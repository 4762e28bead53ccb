/** Arbitrary requests for fuzzing: methods, paths, headers and bodies, most of them derived from existing routes. */
import fc from 'fast-check'
import type { RouteFacts } from './routes.ts'

export interface FuzzRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer | null
  /** The route that the request is derived from; null if its method or path is arbitrary. */
  readonly route: RouteFacts | null
}

export interface Genuine {
  readonly key: string
  readonly accessToken: string
  readonly refreshToken: string
  readonly ids: readonly string[]
}

/** Text that Node's HTTP client accepts in a header, and below in a path. Tests on raw sockets send other bytes. */
const headerText = fc
  .string({ unit: 'binary', maxLength: 300 })
  .map((text) =>
    text.replace(/[^\t\x20-\x7e\x80-\xff]/g, (c) => String.fromCharCode(0x80 | (c.charCodeAt(0) & 0x7f))),
  )
const pathText = fc
  .string({ unit: 'binary-ascii', maxLength: 80 })
  .map((text) => text.replace(/[^\x21-\x7e]/g, '%'))

const spiteful = fc.constantFrom(
  '',
  '0',
  '-1',
  '1e300',
  'null',
  'true',
  '[]',
  '{}',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  "' or 1=1 --",
  '%00',
  '\u202e',
  '￿',
  '\ud800',
  '\0',
  'a'.repeat(300),
  '99999999999999999999',
  'Correct-Horse-1',
  'ani@example.com',
)

const value: fc.Arbitrary<unknown> = fc.oneof(
  spiteful,
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.integer({ min: -5, max: 5 }),
  fc.double(),
  fc.constantFrom(null, true, false, [], {}),
  fc.jsonValue({ maxDepth: 2 }),
)

export function fuzzRequests(routes: readonly RouteFacts[], genuine: Genuine): fc.Arbitrary<FuzzRequest> {
  const known = fc.constantFrom(...routes).chain((route) =>
    fc.record({
      method: fc.constant(route.method),
      path: pathOf(route, genuine),
      headers: headersOf(genuine),
      body: bodyOf(route),
      route: fc.constant(route),
    }),
  )
  const unknown = fc.record({
    method: fc.constantFrom(
      'GET',
      'POST',
      'PUT',
      'PATCH',
      'DELETE',
      'OPTIONS',
      'HEAD',
      'TRACE',
      'PROPFIND',
      'QUERY',
    ),
    path: fc.oneof(
      pathText.map((text) => `/${text}`),
      fc.constantFrom(...routes).map(({ path }) => path),
    ),
    headers: headersOf(genuine),
    body: bodyOf(null),
    route: fc.constant(null),
  })
  return fc.oneof({ weight: 5, arbitrary: known }, { weight: 1, arbitrary: unknown })
}

function pathOf({ path, parameters }: RouteFacts, { ids }: Genuine): fc.Arbitrary<string> {
  const id = fc.oneof(
    fc.constantFrom(...ids),
    fc.constantFrom('0', '1', '-2', '-3', '007', '%31', '%', '%ff', 'x', '9'.repeat(30), '1'.repeat(300)),
    fc.string({ unit: 'binary', maxLength: 30 }).map((text) => encodeURIComponent(text.toWellFormed())),
  )
  const names = parameters.filter((one) => one.in === 'query').map(({ name }) => name)
  const query = fc.dictionary(
    fc.oneof(fc.constantFrom('x', ...names), pathText),
    fc.oneof(fc.constantFrom('0', '1', '10', '-1', '1574418837'), pathText),
    { maxKeys: 5 },
  )
  return fc.tuple(fc.array(id, { minLength: 3, maxLength: 3 }), query, pathText).map(([some, pairs, end]) => {
    let i = 0
    const filled = path.replaceAll(/\{\w+\}/g, () => some[i++ % some.length] ?? '1')
    const text = Object.entries(pairs)
      .map(([name, text_]) => `${name}=${text_}`)
      .join('&')
    return `${filled}${text === '' ? '' : `?${text}`}${end.length > 70 ? `?${end}` : ''}`.replaceAll(
      '#',
      '%23',
    )
  })
}

function headersOf(genuine: Genuine): fc.Arbitrary<Record<string, string>> {
  const token = (text: string) =>
    fc.oneof(
      { weight: 6, arbitrary: fc.constant(text) },
      { weight: 1, arbitrary: mutated(text) },
      { weight: 1, arbitrary: headerText },
    )
  const some = (arbitrary: fc.Arbitrary<string>) => fc.option(arbitrary, { nil: undefined })
  const named = fc.record(
    {
      'X-Auth-Key': some(token(genuine.key)),
      'Access-Token': some(token(genuine.accessToken)),
      'Refresh-Token': fc.option(token(genuine.refreshToken), { nil: undefined, freq: 2 }),
      Authorization: fc.option(
        fc.oneof(
          token(genuine.accessToken).map((text) => `Bearer ${text}`),
          headerText,
        ),
        { nil: undefined, freq: 2 },
      ),
      'Content-Type': some(
        fc.oneof(
          { weight: 5, arbitrary: fc.constant('application/json') },
          { weight: 1, arbitrary: fc.constantFrom(';;', '/', 'application/json;charset=', 'text/plain') },
          { weight: 1, arbitrary: headerText },
        ),
      ),
      'X-Forwarded-For': fc.option(fc.oneof(fc.ipV4(), fc.ipV6(), headerText), { nil: undefined, freq: 3 }),
      'Idempotency-Key': fc.option(headerText, { nil: undefined, freq: 3 }),
      'X-Device-Id': fc.option(headerText, { nil: undefined, freq: 3 }),
      'X-Device-Token': fc.option(token(genuine.refreshToken), { nil: undefined, freq: 3 }),
      'User-Agent': fc.option(headerText, { nil: undefined, freq: 3 }),
      'X-Http-Method-Override': fc.option(fc.constantFrom('DELETE', 'PUT'), { nil: undefined, freq: 5 }),
      Range: fc.option(headerText, { nil: undefined, freq: 5 }),
      Origin: fc.option(headerText, { nil: undefined, freq: 5 }),
    },
    { requiredKeys: [] },
  )
  return named.map((all) =>
    Object.fromEntries(Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined)),
  )
}

/** A token that is cut, or has one character removed, replaced or inserted. */
function mutated(token: string): fc.Arbitrary<string> {
  const at = fc.nat({ max: token.length - 1 })
  const letter = fc.constantFrom(...'AZaz09-_.=+/ ')
  return fc.oneof(
    at.map((i) => token.slice(0, i)),
    at.map((i) => token.slice(0, i) + token.slice(i + 1)),
    fc.tuple(at, letter).map(([i, c]) => token.slice(0, i) + c + token.slice(i + 1)),
    fc.tuple(at, letter).map(([i, c]) => token.slice(0, i) + c + token.slice(i)),
    fc.tuple(at, at).map(([i, j]) => token.slice(Math.min(i, j), Math.max(i, j))),
  )
}

const GOOD: Readonly<Record<string, readonly unknown[]>> = {
  firstName: ['Ani', 'Աննա', '😀😀'],
  lastName: ['Sarkis'],
  email: ['ani@example.com', 'nobody@example.com'],
  password: ['Correct-Horse-1', 'Another-Horse-2'],
  phone: ['37411223344'],
  comment: ['', 'a comment'],
  roleId: [1, 4, '4'],
  status: [1, 0, 2, '1'],
}

function bodyOf(route: RouteFacts | null): fc.Arbitrary<string | Buffer | null> {
  const fields = route?.bodyFields ?? []
  const shaped = fc
    .tuple(
      fc.record(
        Object.fromEntries(
          fields.map((name) => [
            name,
            fc.oneof(
              { weight: 4, arbitrary: fc.constantFrom(...(GOOD[name] ?? ['x'])) },
              { weight: 1, arbitrary: value },
            ),
          ]),
        ),
        { requiredKeys: fields.slice(0, fields.length / 2) },
      ),
      fc.option(fc.dictionary(fc.string({ maxLength: 10 }), value, { maxKeys: 2 }), { nil: {}, freq: 4 }),
    )
    .map(([good, extra]) => JSON.stringify({ ...good, ...extra }))
  return fc.oneof(
    { weight: fields.length > 0 ? 8 : 1, arbitrary: shaped },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: fc.constant(null) },
    {
      weight: 1,
      arbitrary: fc.tuple(shaped, fc.nat()).map(([text, cut]) => text.slice(0, cut % (text.length + 1))),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.constantFrom('['.repeat(10_000), 'x'.repeat(17_000), '{"a":'.repeat(1000)) },
  )
}
