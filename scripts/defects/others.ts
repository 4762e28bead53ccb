/** Puts in defects of other systems, by their number in docs/defects.md: sessions, refreshing, signing in, failures. */
import type { Mutation } from './mutation.ts'

const REFRESHING = ['test/defects/refreshing.test.ts']
const SESSIONS = ['test/defects/sessions.test.ts']
const MATRIX = ['test/authorization/matrix.test.ts']
const SQLITE = ['test/store/sqlite.test.ts']

export const OTHERS: readonly Mutation[] = [
  {
    defect: '1',
    sentence: 'who lost a race gets a token of his own',
    file: 'src/core/refresh.ts',
    search: 'return { ...session, handedOutAtMs: nowMs, repeats: decision.repeats,',
    replace:
      'return { ...session, generation: session.generation + 1, handedOutAtMs: nowMs, repeats: decision.repeats,',
    caughtBy: SQLITE,
    only: 'of 64 parallel requests',
  },
  {
    defect: '2',
    sentence: 'a token that was rotated away works again',
    file: 'src/core/refresh.ts',
    search: "  }\n  return { kind: 'end' }",
    replace: "  }\n  return { kind: 'keep', touch: false }",
    caughtBy: REFRESHING,
    only: 'CVE-2026-9802',
  },
  {
    defect: '3',
    sentence: 'sessions do not keep whether they rotate',
    file: 'src/store/rows.ts',
    search: 'rotation: Boolean(row[4]),',
    replace: 'rotation: row[4] === 2,',
    caughtBy: REFRESHING,
    only: '#52666',
  },
  {
    defect: '6',
    sentence: 'a session is opened though the account changed while its password was checked',
    file: 'src/store/sqlite/sessions.ts',
    search: 'where account_id = ? and version = ? and status = ?',
    replace: 'where account_id = ? and version >= ? - 99 and status >= ? - 1',
    caughtBy: SQLITE,
    only: 'no session is opened for an account when',
  },
  {
    defect: '7',
    sentence: 'an application that was disabled once is not looked at',
    file: 'src/core/session.ts',
    search: ' || application.epoch !== session.applicationEpoch',
    replace: '',
    caughtBy: SESSIONS,
    only: 'CVE-2026-8922',
  },
  {
    defect: '8',
    sentence: 'refreshing does not look at the account',
    file: 'src/core/refresh.ts',
    search: 'const denial = sessionDenial(view, presented.accountId, nowMs)',
    replace:
      'const { account } = view\n' +
      '  const active = { ...view, account: account && { ...account, status: 1 as const } }\n' +
      '  const denial = sessionDenial(active, presented.accountId, nowMs)',
    caughtBy: MATRIX,
    only: 'POST /auth/refresh_token',
  },
  {
    defect: '9',
    sentence: 'ids come from randomness that was used before',
    file: 'src/tokens/random-id.ts',
    search: '    randomFillSync(pool)\n',
    replace: '    if (pool[0] === 0) randomFillSync(pool)\n',
    caughtBy: SESSIONS,
    only: 'GHSA-rg35',
  },
  {
    defect: '11',
    sentence: 'a policy that was tightened spares living sessions',
    file: 'src/core/session.ts',
    search:
      'return Math.min(session.expiresAtMs, session.createdAtMs + application.sessionTtlSeconds * 1000)',
    replace: 'return Math.max(session.expiresAtMs, application.sessionTtlSeconds)',
    caughtBy: ['test/core/session.test.ts'],
  },
  {
    defect: '12',
    sentence: 'a known device gets no way of its own past the guesses of strangers',
    file: 'src/usecases/guard-sign-in.ts',
    search: "if (device) sources.unshift('device')",
    replace: '',
    caughtBy: ['test/usecases/guessing.test.ts'],
    only: 'of 100,000 guesses',
  },
  {
    defect: '14',
    sentence: 'addresses are compared as they are written',
    file: 'src/core/account.ts',
    search: 'return email.toLowerCase()',
    replace: 'return email',
    caughtBy: ['test/http/more-defects.test.ts'],
    only: '^15: ',
  },
  {
    defect: '15',
    sentence: 'a suspension ends no session',
    file: 'src/usecases/change-account.ts',
    search: 'if (status !== undefined && status !== STATUS.active) return',
    replace: 'if (status !== undefined && status === STATUS.terminated) return',
    caughtBy: ['test/http/defects.test.ts'],
    only: '^3: ',
  },
  {
    defect: '16',
    sentence: 'an ended session is not looked at',
    file: 'src/core/session.ts',
    search: "if (session.endedAtMs !== null) return deny('session-over', session.endReason ?? 'unknown')",
    replace: '',
    caughtBy: ['test/http/defects.test.ts'],
    only: '^4: ',
  },
  {
    defect: '17',
    sentence: 'the beginning of a signature is enough',
    file: 'src/tokens/signing-key.ts',
    search: 'if (signature.length !== MAC_CHARACTERS) return false',
    replace:
      'if (signature.length < MAC_CHARACTERS) return signature.length > 20 && mac(input).startsWith(signature)',
    caughtBy: ['test/tokens/attacks.test.ts'],
    only: 'JA-19',
  },
  {
    defect: '18',
    sentence: 'a token without an end has none',
    file: 'src/tokens/access-token.ts',
    search: '|| !isDate(iat) || !isDate(exp)) return null',
    replace: '|| !isDate(iat)) return null',
    caughtBy: SESSIONS,
    only: 'GHSA-wxg7',
  },
  {
    defect: '19',
    sentence: 'the id of an account that is gone is given out again',
    file: 'src/store/migrations/0001-accounts-sessions-keys.ts',
    search: 'account_id integer primary key autoincrement',
    replace: 'account_id integer primary key',
    caughtBy: SQLITE,
    only: 'an id is not given out again',
  },
  {
    defect: '20',
    sentence: 'a session that was good once is remembered as good',
    file: 'src/usecases/authenticate.ts',
    search: 'const view = await store.readSession(claims.sessionId)',
    replace:
      'const cache = ((store as unknown as { cache?: Map<string, unknown> }).cache ??= new Map())\n' +
      '  type View = Awaited<ReturnType<typeof store.readSession>>\n' +
      '  const view = (cache.get(claims.sessionId) ?? (await store.readSession(claims.sessionId))) as View\n' +
      '  cache.set(claims.sessionId, view)',
    caughtBy: SESSIONS,
    only: 'CVE-2025-29928',
  },
  {
    defect: '22',
    sentence: 'nonsense in X-Forwarded-For is taken for an address',
    file: 'src/http/address.ts',
    search: 'isIP(address) === 0',
    replace: 'isIP(address) === 9',
    caughtBy: ['test/http/proxies.test.ts'],
  },
  {
    defect: '24',
    sentence: 'a token of the original opens a session for an account that is not active',
    file: 'src/core/legacy.ts',
    search: "if (account.status !== STATUS.active) return deny('account-inactive')",
    replace: '',
    caughtBy: ['test/defects/signing-in.test.ts'],
  },
  {
    defect: '27',
    sentence: 'an old token is refused, and its session lives on',
    file: 'src/core/refresh.ts',
    search: "return { ...session, endedAtMs: nowMs, endReason: 'reuse' }",
    replace: "return { ...session, lastUsedAtMs: nowMs, endReason: 'reuse' }",
    caughtBy: REFRESHING,
    only: '#2624',
  },
  {
    defect: '28',
    sentence: 'an advance leaves the generation as it was',
    file: 'src/core/refresh.ts',
    search: "return { kind: 'advance', generation, attemptKey, recovered }",
    replace: "return { kind: 'advance', generation: generation - 1, attemptKey, recovered }",
    caughtBy: ['test/core/refresh.test.ts'],
  },
  {
    defect: '30',
    sentence: 'the key of another application may refresh a session',
    file: 'src/store/decide-once.ts',
    search:
      'const foreign = request.applicationId !== null && view?.session.applicationId !== request.applicationId',
    replace: 'const foreign = request.applicationId === -1',
    caughtBy: MATRIX,
    only: 'POST /auth/refresh_token',
  },
  {
    defect: '33',
    sentence: 'the key of a limit is the address as text',
    file: 'src/core/address.ts',
    search: 'if (!isIPv6(bare)) return address',
    replace: 'if (isIPv6(bare) || !isIPv6(bare)) return address',
    caughtBy: ['test/usecases/guessing.test.ts'],
    only: 'one /64 of IPv6',
  },
  {
    defect: '33',
    sentence: 'an IPv4 address within IPv6 is known in one spelling only',
    file: 'src/core/address.ts',
    search: 'const isMapped = (a | b | c | d | e) === 0 && f === 0xffff',
    replace: 'const isMapped = /^::ffff:[\\d.]+$/i.test(address)',
    caughtBy: ['test/core/address.test.ts'],
    only: 'an IPv4 address has one key',
  },
  {
    defect: '34',
    sentence:
      'an attempt is counted after its password was looked at, as if at the same time nobody else tried',
    file: 'src/store/sqlite/guards.ts',
    search: 'putGuard(connection, guardKey(accountKey, admission.source), admission.guard, nowMs)\n',
    replace:
      'setTimeout(() => putGuard(connection, guardKey(accountKey, admission.source), admission.guard, nowMs), 50)\n',
    caughtBy: ['test/usecases/guessing.test.ts'],
    only: 'hundred guesses at once',
  },
  {
    defect: '35',
    sentence: 'whether a token of the original was used is looked at before, not where it is written',
    file: 'src/store/sqlite/legacy.ts',
    search: "if (isKnown(connection, request.sessionId)) return { kind: 'known' }",
    replace: '',
    caughtBy: ['test/usecases/legacy.test.ts'],
    only: 'many first uses at once',
  },
  {
    defect: '36',
    sentence: 'the sessions of a terminated account stay',
    file: 'src/core/session.ts',
    search: "if (account.status !== STATUS.active) return deny('account-inactive')",
    replace:
      "if (account.status < STATUS.terminated && account.status !== STATUS.active) return deny('account-inactive')",
    caughtBy: ['test/http/defects.test.ts'],
    only: '^3: ',
  },
]
