/**
 * Runs a route of the Duktig face. `run` makes the checks in the order of the contract (section 2): key or token, role,
 * target, query, body. So the body of a request without a good credential is never read.
 */
import { isIP } from 'node:net'
import type { RoleId } from '../../core/account.ts'
import type { Application } from '../../core/application.ts'
import { type Denial, deny, isDenial } from '../../core/denial.ts'
import { type Caller, authenticate, hasRole } from '../../usecases/authenticate.ts'
import type { Deps } from '../../usecases/deps.ts'
import type { Action, ActionCode } from '../../usecases/events.ts'
import { identifyApplication } from '../../usecases/identify-application.ts'
import { keepsPassword } from '../../usecases/keeps-password.ts'
import { confirmEnd } from '../../usecases/sign-out.ts'
import { type Answer, json } from '../answer.ts'
import { type JsonObject, readJsonObject } from '../body.ts'
import { type HttpRequest, type HttpRoute, header } from '../route.ts'
import type { DateFormat } from '../../core/dates.ts'
import { bodyProblemAnswer, denialAnswer } from './denials.ts'
import { type Documented, operationOf } from './operation.ts'
import { type Rule, wholeNumber } from './rules.ts'
import { type BodyRules, type Mistakes, validateBody, validateQuery } from './validation.ts'

/** What all routes of this face share. */
export interface Face {
  /** The headers of the contract with the names that the settings give them, for the API reference. */
  readonly renamed: Readonly<Record<string, string>>
  readonly deps: Deps
  readonly dates: DateFormat
  /** The names of the credentials' headers in lower case, for reading requests. */
  readonly headers: { readonly authKey: string; readonly accessToken: string; readonly refreshToken: string }
}

/** What a handler receives besides, by the credential that its route takes. */
interface ByCredential {
  readonly none: unknown
  readonly application: { readonly application: Application }
  readonly access: { readonly caller: Caller }
}

export type Credential = keyof ByCredential

/** What a handler receives once the checks have passed. */
export type Call<C extends Credential = Credential> = AnyCall & ByCredential[C]

interface AnyCall {
  readonly request: HttpRequest
  readonly body: JsonObject
  readonly query: Readonly<Record<string, string>>
  /** The ids in the path. */
  readonly userId: number
  readonly sessionId: string
}

export interface DuktigRoute<C extends Credential = Credential> extends Documented {
  readonly method: HttpRoute['method']
  readonly path: string
  readonly credential: C
  readonly roles?: readonly RoleId[]
  /** Checks the account that the path names, before the body is read; null lets the call pass. */
  readonly target?: (face: Face, userId: number) => Promise<Denial | null>
  readonly query?: Readonly<Record<string, Rule>>
  readonly body?: BodyRules
  /** The body may repeat the caller's present password, which then stays, whatever the policy asks of a new one. */
  readonly mayKeepPassword?: boolean
  readonly params?: HttpRoute['params']
  readonly always?: boolean
  /** The route may end the caller's own session; who repeats it is then told that the session is over. */
  readonly endsOwnSession?: boolean
  /** As `HttpRoute.isUncounted`. */
  readonly isUncounted?: boolean
  /** As `HttpRoute.hasRoom`. */
  readonly hasRoom?: (deps: Deps) => boolean
  handle(face: Face, call: Call<C>): Promise<Answer> | Answer
}

/** User ids in paths: integers above 0. */
export const USER_ID = {
  userId: {
    pattern: /^[1-9]\d{0,18}$/,
    schema: { type: 'integer', minimum: 1 },
    description: 'The id of an account.',
  },
}

/** Session ids in paths: opaque strings, so whatever fills a segment counts. */
export const SESSION_ID = {
  sessionId: {
    pattern: /^[^]+$/,
    schema: { type: 'string', minLength: 1 },
    description: 'The id of a session, as the list of sessions has it.',
  },
}

/** The value of an `Authorization` header with an access token, as browsers and proxies send it. */
const BEARER = /^Bearer +([^ ]+) *$/i

export function httpRoute(face: Face, route: DuktigRoute): HttpRoute {
  const { method, path, params, always, isUncounted, hasRoom } = route
  return {
    method,
    path,
    ...(params === undefined ? {} : { params }),
    ...(always === undefined ? {} : { always }),
    ...(isUncounted === undefined ? {} : { isUncounted }),
    ...(hasRoom === undefined ? {} : { hasRoom: () => hasRoom(face.deps) }),
    handle: (request) => run(face, route, request),
    operation: operationOf(route, face.deps.passwordPolicy, (name) => face.renamed[name] ?? name),
  }
}

/** The caller, if session, account and role allow the request at this moment. */
async function admit(face: Face, route: DuktigRoute, request: HttpRequest): Promise<Caller | Denial> {
  const caller = await (route.endsOwnSession === true ? leavingCaller : callerOf)(face, request)
  if (isDenial(caller) || route.roles === undefined || hasRole(caller, route.roles)) return caller
  return deny('forbidden')
}

async function run(face: Face, route: DuktigRoute, received: HttpRequest): Promise<Answer> {
  let request = received
  let application: Application | undefined
  let caller: Caller | undefined
  let query: HttpRequest['query'] | undefined
  let body: JsonObject | undefined
  if (route.credential === 'application') {
    const key = header(request, face.headers.authKey)
    const identified = await identifyApplication(face.deps, key, request)
    if (isDenial(identified)) return denialAnswer(identified)
    application = identified
    request = forwarded(request, identified)
  }
  if (route.credential === 'access') {
    const admitted = await admit(face, route, request)
    if (isDenial(admitted)) return denialAnswer(admitted)
    caller = admitted
  }
  const { userId: id, sessionId } = request.params
  const userId = id === undefined ? undefined : wholeNumber(id)
  if (route.target !== undefined) {
    const denial = await route.target(face, userId as number)
    if (denial !== null) return denialAnswer(denial)
  }
  if (route.query !== undefined) {
    const mistakes = validateQuery(route.query, request.query)
    if (hasMistakes(mistakes)) return json(422, mistakes)
    query = request.query
  }
  if (route.body !== undefined) {
    const read = await readJsonObject(request.raw)
    if ('problem' in read) return bodyProblemAnswer(read.problem)
    body = read.value
    if (caller !== undefined) {
      // A body may arrive slowly: the caller is checked again, since session and account may have changed meanwhile.
      const admitted = await admit(face, route, request)
      if (isDenial(admitted)) return denialAnswer(admitted)
      caller = admitted
    }
    const mistakes = validateBody(route.body, body, face.deps.passwordPolicy)
    // Only if nothing else is wrong: otherwise a caller could test passwords with a request that changes nothing.
    if (
      route.mayKeepPassword === true &&
      caller !== undefined &&
      Object.keys(mistakes).join() === 'password'
    ) {
      const keeps = await keepsPassword(face.deps, caller, body['password'], request)
      if (typeof keeps === 'object') return denialAnswer(keeps)
      if (keeps) delete mistakes['password']
    }
    if (hasMistakes(mistakes)) return json(422, mistakes)
  }
  return route.handle(face, { request, application, caller, body, query, userId, sessionId } as Call)
}

/** The caller whose access token came with a request. Denials: `credential-missing` and those of `authenticate`. */
export function callerOf(face: Face, request: HttpRequest): Promise<Caller | Denial> | Denial {
  const token = accessTokenOf(face, request)
  return token === '' ? deny('credential-missing') : authenticate(face.deps, token, request)
}

/** The caller of a route that may end the caller's own session; an end that is there already is confirmed first. */
export async function leavingCaller(face: Face, request: HttpRequest): Promise<Caller | Denial> {
  const caller = await callerOf(face, request)
  if (isDenial(caller) && caller.denied === 'session-over')
    await confirmEnd(face.deps, accessTokenOf(face, request))
  return caller
}

/** The access token of a request; empty when there is none. */
function accessTokenOf(face: Face, request: HttpRequest): string {
  return (
    header(request, face.headers.accessToken) || (BEARER.exec(header(request, 'authorization'))?.[1] ?? '')
  )
}

/** The refresh token of a request; empty when there is none. */
export function refreshTokenOf(face: Face, request: HttpRequest): string {
  return header(request, face.headers.refreshToken) || header(request, 'x-refresh-token')
}

/** The request with its user's address if `application` is a trusted backend that names a valid one in `X-Real-Ip`. */
export function forwarded(request: HttpRequest, application: Application): HttpRequest {
  const address = application.trustedBackend ? header(request, 'x-real-ip') : ''
  return isIP(address) === 0 ? request : { ...request, address }
}

/** An action of the caller, for the audit trail. */
export function actionBy(call: Call<'access'>, code: ActionCode, message: string): Action {
  const { account, session } = call.caller
  const { address } = call.request
  return { accountId: account.accountId, code, message, sessionId: session.sessionId, address }
}

/** The answer of an operation that has no result to return. */
export function done(message: string): Answer {
  return json(200, { status: 'OK', message })
}

function hasMistakes(mistakes: Mistakes): boolean {
  return Object.keys(mistakes).length > 0
}
