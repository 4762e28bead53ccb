/** Parsers that turn a setting's text into its value: one for each kind, each with its error messages. */
import { isIP } from 'node:net'

/** `wrong` names the faulty items of a list. */
export type Parsed<T> = { readonly value: T } | { readonly mistake: string; readonly wrong?: string }

export interface Kind<T> {
  /** Shown in the reference, for example `whole number, 1 to 65535`. */
  readonly shown: string
  parse(text: string): Parsed<T>
}

export function matching(shown: string, pattern: RegExp, hint: string): Kind<string> {
  return { shown, parse: (value) => (pattern.test(value) ? { value } : { mistake: `must be ${hint}` }) }
}

/** At most 255 characters, all of a kind that may stand anywhere in the value of a header. */
export function printable(min: number): Kind<string> {
  const shown = `${min} to 255 printable characters without spaces`
  return matching(shown, new RegExp(`^[\\x21-\\x7e]{${min},255}$`), shown)
}

export function wholeNumber(min: number, max: number): Kind<number> {
  const shown = `whole number, ${min} to ${max}`
  return {
    shown,
    parse(value) {
      const number = Number(value)
      const good = /^\d{1,15}$/.test(value) && number >= min && number <= max
      return good ? { value: number } : { mistake: `must be a ${shown}` }
    },
  }
}

export function oneOf<const T extends string>(...values: readonly T[]): Kind<T> {
  const shown = values.map((v) => `\`${v}\``).join(', ')
  return {
    shown,
    parse(value) {
      const found = values.find((v) => v === value)
      return found === undefined ? { mistake: `must be one of: ${values.join(', ')}` } : { value: found }
    },
  }
}

export function onOff(): Kind<boolean> {
  const { shown, parse } = oneOf('on', 'off')
  return {
    shown,
    parse(value) {
      const parsed = parse(value)
      return 'value' in parsed ? { value: parsed.value === 'on' } : parsed
    },
  }
}

export function httpUrl(): Kind<string> {
  return {
    shown: 'URL',
    parse(value) {
      const url = URL.canParse(value) ? new URL(value) : null
      // The text itself is checked, since it is later compared letter for letter: what the URL parser forgives, such as
      // a line break, is a mistake here.
      if (url !== null && /^https?:\/\/[^\s?#@\\]{1,247}$/.test(value)) return { value }
      return {
        mistake:
          'must be an http or https URL without spaces, user, query or fragment, such as https://auth.example.com',
      }
    },
  }
}

export function databaseUrl(): Kind<string> {
  return {
    shown: 'URL',
    parse(value) {
      const url = URL.canParse(value) ? new URL(value) : null
      if (url !== null && /^postgres(ql)?:$/.test(url.protocol) && isEscapedWell(value)) return { value }
      return { mistake: 'must be postgres://user:password@host:5432/database, or unset for SQLite' }
    },
  }
}

function isEscapedWell(text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

/**
 * Headers that already have a meaning to clients, browsers, proxies or this service. A credential under such a name
 * would not arrive, would break the request, or would be taken for something else.
 */
const TAKEN_HEADERS = new Set(
  `authorization cache-control connection cookie date dnt expect forwarded from host idempotency-key keep-alive max-forwards
  origin pragma prefer priority range referer set-cookie te traceparent tracestate trailer transfer-encoding upgrade
  upgrade-insecure-requests user-agent via warning x-device-id x-device-token x-real-ip x-request-id x-requested-with`.split(
    /\s+/,
  ),
)
const TAKEN_KINDS = /^(accept(-|$)|access-control-|content-|if-|proxy-|sec-|x-forwarded-)/

/** The name of a header that is free for a credential; `alsoTaken` lists further names, in lower case, that are not. */
export function headerName(alsoTaken: readonly string[] = []): Kind<string> {
  const shown = 'header name'
  const named = matching(shown, /^[A-Za-z][A-Za-z0-9-]{0,63}$/, 'a header name: letters, digits and hyphens')
  const isTaken = (name: string) =>
    TAKEN_HEADERS.has(name) || TAKEN_KINDS.test(name) || alsoTaken.includes(name)
  return {
    shown,
    parse: (value) =>
      isTaken(value.toLowerCase())
        ? { mistake: 'must be the name of a header that has no other meaning' }
        : named.parse(value),
  }
}

export function timeZone(): Kind<string> {
  return {
    shown: 'time zone',
    parse(value) {
      // Asking for any other zone loads the tables of all zones, which takes 20 ms of a start.
      if (value === 'UTC') return { value }
      try {
        new Intl.DateTimeFormat('en', { timeZone: value })
        return { value }
      } catch {
        return { mistake: 'must be an IANA time zone, such as UTC or Asia/Yerevan' }
      }
    },
  }
}

function list(shown: string, isItem: (text: string) => boolean, hint: string): Kind<readonly string[]> {
  return {
    shown: `${shown}, separated by commas`,
    parse(value) {
      const items = value.split(',').map((part) => part.trim())
      const wrong = items.filter((part) => !isItem(part))
      return wrong.length === 0 ? { value: items } : { mistake: `must be ${hint}`, wrong: wrong.join(', ') }
    },
  }
}

/** Origins spelt exactly as browsers send them: any other spelling would never match. */
export function origins(): Kind<readonly string[]> {
  const isOrigin = (text: string) =>
    /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text
  return list('origins', isOrigin, 'an origin as browsers write it, such as https://app.example.com')
}

export function addressRanges(): Kind<readonly string[]> {
  const isRange = (text: string) => {
    const [address = '', prefix = '1', ...more] = text.split('/')
    const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
    // A prefix of 0 would trust every address; the library that uses these ranges refuses it too.
    return more.length === 0 && /^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= bits
  }
  return list('addresses or ranges', isRange, 'an address or a range such as 10.0.0.0/8')
}
