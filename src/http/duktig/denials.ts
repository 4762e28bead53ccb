/** How the Duktig face words every denial (contract, section 3). */
import type { Denial, DenialCode } from '../../core/denial.ts'
import { type Answer, json, rawJson } from '../answer.ts'
import type { BodyProblem } from '../body.ts'

/** The header that tells the holder of a genuine token why the session is over. */
export const REASON_HEADER = 'X-Session-End-Reason'
export const CHALLENGE_HEADER = 'WWW-Authenticate'

type Wording = readonly [status: number, body: unknown, headers?: Readonly<Record<string, string>>]
const message = (status: number, text: string): Wording => [status, { status: 'error', message: text }]
/**
 * A 401 names the way to authenticate (RFC 9110, section 15.5.2). No registered scheme fits application keys and passwords, so
 * the one for access tokens stands there too.
 */
const unauthorized = (text: string, challenge = 'Bearer realm="duktig"'): Wording => [
  401,
  { status: 'error', message: text },
  { [CHALLENGE_HEADER]: challenge },
]
/** RFC 6750, section 3.1. */
const tokenRefused = (text: string) => unauthorized(text, 'Bearer realm="duktig", error="invalid_token"')

const INACTIVE = 'Due to the status of your account, you are not able to access this resource'

const WORDINGS: Record<DenialCode, Wording> = {
  'credential-missing': unauthorized('Unauthorized'),
  'application-unknown': unauthorized('Unauthorized'),
  'application-wrong': unauthorized('Unauthorized'),
  'token-invalid': tokenRefused('Invalid token'),
  'token-expired': tokenRefused('Access-Token Expired'),
  'session-over': tokenRefused('Invalid token'),
  'account-unknown': tokenRefused('Account not exists'),
  'account-inactive': message(403, INACTIVE),
  'credentials-wrong': unauthorized('Incorrect credentials'),
  forbidden: message(403, 'Forbidden'),
  'not-found': message(404, 'Resource not found'),
  'target-unknown': message(404, 'Account not found'),
  'target-terminated': message(404, 'Account terminated'),
  'own-account': message(422, 'You are not able to terminate your own account!'),
  'last-super-admin': message(422, 'The last active super admin must stay one'),
  'email-taken': [422, { email: ['Email address is already registered'] }],
  'too-many-attempts': message(429, 'Too many requests'),
  'try-again': message(503, 'Service Unavailable'),
}

const ANSWERS = new Map(Object.entries(WORDINGS).map(([code, wording]) => [code, json(...wording)] as const))

export function denialAnswer(denial: Denial): Answer {
  const answer = ANSWERS.get(denial.denied) as Answer
  const { reason, retryAfterSeconds } = denial
  if (reason === undefined && retryAfterSeconds === undefined) return answer
  return {
    ...answer,
    headers: {
      ...answer.headers,
      ...(reason === undefined || reason === 'unknown' ? {} : { [REASON_HEADER]: reason }),
      ...(retryAfterSeconds === undefined ? {} : { 'Retry-After': String(retryAfterSeconds) }),
    },
  }
}

const JSON_STRING_REQUIRED = 'Required valid json string'
const CLOSE = { Connection: 'close' }

const BODY_PROBLEMS: Record<BodyProblem, Answer> = {
  'too-large': json(413, { status: 'error', message: 'Payload Too Large' }, CLOSE),
  // RFC 9110, sections 15.5.16 and 12.5.3: these headers name what would have been accepted.
  'wrong-type': json(
    415,
    { status: 'error', message: 'Unsupported Media Type' },
    { Accept: 'application/json', 'Accept-Encoding': 'identity' },
  ),
  empty: json(400, [JSON_STRING_REQUIRED]),
  'not-an-object': json(400, [JSON_STRING_REQUIRED]),
  syntax: json(400, [`Json Error 4: Syntax error. ${JSON_STRING_REQUIRED}`]),
  'too-deep': json(400, [`Json Error 1: Maximum stack depth exceeded. ${JSON_STRING_REQUIRED}`]),
  'not-utf8': json(400, [`Json Error 5: Malformed UTF-8 characters. ${JSON_STRING_REQUIRED}`]),
  aborted: json(400, [JSON_STRING_REQUIRED], CLOSE),
}

export function bodyProblemAnswer(problem: BodyProblem): Answer {
  return BODY_PROBLEMS[problem]
}

export const NOT_FOUND = denialAnswer({ denied: 'not-found' })

/** The service or its store cannot answer now; the client should try again. */
export const UNAVAILABLE = rawJson(503, '{"status":"error","message":"Service Unavailable"}', {
  'Retry-After': '1',
})

export const MAINTENANCE = rawJson(503, UNAVAILABLE.text, { 'Retry-After': '60' })
