/** Checks values against the part of JSON Schema that the API reference uses. Any other keyword throws. */
export type Schema = Readonly<Record<string, unknown>>

/** The mistakes in a value, each with its place; empty if there are none. `$ref` points into `root`. */
export function schemaMistakes(root: Schema, schema: Schema, value: unknown, place = '$'): readonly string[] {
  return Object.entries(schema).flatMap(([keyword, stated]) => {
    const check = KEYWORDS[keyword]
    if (check === undefined) throw new Error(`the checker does not know ${JSON.stringify(keyword)}`)
    return check(stated, value, { root, schema, place })
  })
}

interface Context {
  readonly root: Schema
  readonly schema: Schema
  readonly place: string
}

type Check = (stated: unknown, value: unknown, context: Context) => readonly string[]

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  integer: Number.isInteger,
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  boolean: (value) => typeof value === 'boolean',
  null: (value) => value === null,
}

const KEYWORDS: Readonly<Record<string, Check>> = {
  type: (stated, value, { place }) => {
    const types = (Array.isArray(stated) ? stated : [stated]) as string[]
    return unless(
      types.some((type) => TYPES[type]?.(value) === true),
      `${place} is not ${types.join(' or ')}`,
    )
  },
  const: (stated, value, { place }) =>
    unless(same(stated, value), `${place} is not ${JSON.stringify(stated)}`),
  enum: (stated, value, { place }) =>
    unless(
      (stated as unknown[]).some((one) => same(one, value)),
      `${place} is none of ${JSON.stringify(stated)}`,
    ),
  pattern: (stated, value, { place }) =>
    unless(
      typeof value !== 'string' || new RegExp(stated as string, 'u').test(value),
      `${place} does not match ${String(stated)}`,
    ),
  minLength: bound('string', (value) => [...(value as string)].length, 'min'),
  maxLength: bound('string', (value) => [...(value as string)].length, 'max'),
  minimum: bound('number', Number, 'min'),
  maximum: bound('number', Number, 'max'),
  minItems: bound('array', (value) => (value as unknown[]).length, 'min'),
  maxItems: bound('array', (value) => (value as unknown[]).length, 'max'),
  minProperties: bound('object', (value) => Object.keys(value as object).length, 'min'),
  maxProperties: bound('object', (value) => Object.keys(value as object).length, 'max'),
  required: (stated, value, { place }) =>
    isObject(value)
      ? (stated as string[])
          .filter((name) => !Object.hasOwn(value, name))
          .map((name) => `${place}.${name} is missing`)
      : [],
  items: (stated, value, { root, place }) =>
    Array.isArray(value)
      ? value.flatMap((item, i) => schemaMistakes(root, stated as Schema, item, `${place}[${i}]`))
      : [],
  properties: (_stated, value, context) => propertyMistakes(value, context),
  patternProperties: (_stated, value, context) =>
    context.schema['properties'] === undefined ? propertyMistakes(value, context) : [],
  additionalProperties: (_stated, value, context) =>
    context.schema['properties'] === undefined && context.schema['patternProperties'] === undefined
      ? propertyMistakes(value, context)
      : [],
  anyOf: (stated, value, { root, place }) => {
    const all = (stated as Schema[]).map((one) => schemaMistakes(root, one, value, place))
    return all.some((mistakes) => mistakes.length === 0) ? [] : all.flat()
  },
  $ref: (stated, value, { root, place }) =>
    schemaMistakes(root, referred(root, String(stated)), value, place),
  // Only schemas of requests have it, as a hint for people.
  format: () => [],
  description: () => [],
}

/** Checks properties by name, by pattern, and all others. Only one of the three keywords of a schema calls this. */
function propertyMistakes(value: unknown, { root, schema, place }: Context): readonly string[] {
  if (!isObject(value)) return []
  const named = (schema['properties'] ?? {}) as Record<string, Schema>
  const patterns = Object.entries((schema['patternProperties'] ?? {}) as Record<string, Schema>)
  const others = schema['additionalProperties']
  return Object.entries(value).flatMap(([name, inner]) => {
    const at = `${place}.${name}`
    const stated = [
      ...(Object.hasOwn(named, name) ? [named[name] as Schema] : []),
      ...patterns.filter(([pattern]) => new RegExp(pattern, 'u').test(name)).map(([, one]) => one),
    ]
    if (stated.length > 0) return stated.flatMap((one) => schemaMistakes(root, one, inner, at))
    if (others === false) return [`${at} should not be there`]
    return isObject(others) ? schemaMistakes(root, others, inner, at) : []
  })
}

function bound(type: string, measure: (value: unknown) => number, side: 'min' | 'max'): Check {
  return (stated, value, { place }) => {
    if (TYPES[type]?.(value) !== true) return []
    const size = measure(value)
    return unless(
      side === 'min' ? size >= Number(stated) : size <= Number(stated),
      `${place} measures ${size}, ${side} ${String(stated)}`,
    )
  }
}

function referred(root: Schema, reference: string): Schema {
  const names = reference.replace(/^#\//, '').split('/')
  return names.reduce((inside: Schema, name) => inside[name] as Schema, root)
}

function unless(good: boolean, mistake: string): readonly string[] {
  return good ? [] : [mistake]
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
