/** What a route answers: a value, which `write-answer.ts` writes to the connection. */
export interface Answer {
  readonly status: number
  readonly contentType: string | null
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
}

const JSON_TYPE = 'application/json; charset=utf-8'

export function json(status: number, value: unknown, headers?: Readonly<Record<string, string>>): Answer {
  return rawJson(status, JSON.stringify(value), headers)
}

/** An answer whose JSON is already serialized. */
export function rawJson(status: number, text: string, headers?: Readonly<Record<string, string>>): Answer {
  return headers === undefined
    ? { status, contentType: JSON_TYPE, text }
    : { status, contentType: JSON_TYPE, text, headers }
}

export function empty(status: number, headers?: Readonly<Record<string, string>>): Answer {
  return { status, contentType: null, text: '', ...(headers === undefined ? {} : { headers }) }
}
