/** Puts in defects of other systems, by their number in docs/defects.md: requests, tokens, passwords, failures, Node. */
import type { Mutation } from './mutation.ts'

const REQUESTS = ['test/defects/requests.test.ts']
const FAILURES = ['test/defects/failures.test.ts']
const ATTACKS = ['test/tokens/attacks.test.ts']

export const IN_REQUESTS: readonly Mutation[] = [
  {
    defect: '26',
    sentence: 'the issuer follows the header of a proxy',
    file: 'src/http/duktig/sign-in.ts',
    search: 'const signedIn = await signIn(face.deps, {',
    replace:
      "const issuer = header(request, 'x-forwarded-host') || face.deps.names.issuer\n" +
      '    const signedIn = await signIn({ ...face.deps, names: { ...face.deps.names, issuer } }, {',
    caughtBy: REQUESTS,
    only: 'GHSA-3529',
  },
  {
    defect: '32',
    sentence: 'a header names the account that is changed',
    file: 'src/http/duktig/change-own-account.ts',
    search: 'changeAccount(face.deps, by, call.caller.account.accountId, editOf(call.body))',
    replace:
      "changeAccount(face.deps, by, Number(call.request.headers['x-user-id'] ?? by.accountId), editOf(call.body))",
    caughtBy: REQUESTS,
    only: 'CVE-2025-61928',
  },
  {
    defect: '37',
    sentence: 'an address is judged after other forms were folded, and kept as it came',
    file: 'src/core/account-fields.ts',
    search: "const at = value.lastIndexOf('@')\n  const local = value.slice(0, Math.max(0, at))",
    replace:
      "const at = value.normalize('NFKC').lastIndexOf('@')\n" +
      "  const local = value.normalize('NFKC').slice(0, Math.max(0, at))",
    caughtBy: REQUESTS,
    only: 'GHSA-7rqj',
  },
  {
    defect: '38',
    sentence: 'what follows the word of an Authorization header is taken to be there',
    file: 'src/http/duktig/face.ts',
    search: "(BEARER.exec(header(request, 'authorization'))?.[1] ?? '')",
    replace: "(header(request, 'authorization').split(' ')[1] as string).trim()",
    caughtBy: REQUESTS,
    only: 'GHSA-xmf8',
  },
  {
    defect: '39',
    sentence: 'a session that cannot be read is believed by its token',
    file: 'src/usecases/authenticate.ts',
    search: 'const view = await store.readSession(claims.sessionId)',
    replace:
      'const view = await store.readSession(claims.sessionId).catch(() => ({\n' +
      '    session: { ...claims, applicationEpoch: 1, endedAtMs: null, expiresAtMs: 9e15, createdAtMs: 9e12 } as never,\n' +
      "    account: { ...claims, firstName: '', lastName: '', email: '', roleId: 1 as const, status: 1 as const },\n" +
      '    application: { epoch: 1, idleSeconds: 0 } as never,\n' +
      '  }))',
    caughtBy: FAILURES,
    only: 'while the store cannot be asked',
  },
  {
    defect: '39',
    sentence: 'whether the keys were sealed with this secret is not looked at',
    file: 'src/tokens/seal.ts',
    search: 'return Buffer.concat([decipher.update(body), decipher.final()])',
    replace: 'return decipher.update(body)',
    caughtBy: FAILURES,
    only: 'with a wrong master secret',
  },
  {
    defect: '41',
    sentence: 'an end that failed is answered with success',
    file: 'src/usecases/end-session.ts',
    search: 'told(deps.store.endSession(accountId, sessionId, reason),',
    replace: 'told(deps.store.endSession(accountId, sessionId, reason).catch(() => true),',
    caughtBy: FAILURES,
    only: 'CVE-2020-15223',
  },
  {
    defect: '43',
    sentence: 'what the database asks to be tried again is a fault',
    file: 'src/store/postgres/errors.ts',
    search: "return code === '40P01' || code === '40001'",
    replace: "return code === '40P99'",
    caughtBy: ['test/store/postgres-engine.test.ts'],
    only: 'a deadlock of transactions',
    postgres: true,
  },
  {
    defect: '44',
    sentence: 'a session is over only if its application is disabled and gone',
    file: 'src/core/session.ts',
    search: 'if (application === null || application.disabled ||',
    replace: 'if (application === null || (application.disabled && nowMs < 0) ||',
    caughtBy: ['test/defects/sessions.test.ts'],
    only: 'CVE-2026-28513',
  },
  {
    defect: '45',
    sentence: 'a key is found by the id in the header, and the rest of the header is not looked at',
    file: 'src/tokens/jws.ts',
    search: 'const key = keys.find(({ headerSegment }) => headerSegment === header)',
    replace:
      'const kid = /"kid":"([^"]*)"/.exec(Buffer.from(token.slice(0, first), \'base64url\').toString())?.[1]\n' +
      '  const key = keys.find((one) => one.kid === kid)',
    caughtBy: ATTACKS,
    only: 'JA-10',
  },
  {
    defect: '46',
    sentence: 'the header says how the key of its id is used, and nothing at all is a way',
    file: 'src/tokens/jws.ts',
    search:
      'if (key === undefined || !key.verify(token.slice(0, second), token.slice(second + 1))) return null',
    replace:
      "const text = Buffer.from(token.slice(0, first), 'base64url').toString()\n" +
      '  const signed = !/"alg":"none"/i.test(text)\n' +
      '  if (signed && key?.verify(token.slice(0, second), token.slice(second + 1)) !== true) return null',
    caughtBy: ATTACKS,
    only: 'JA-02',
  },
  {
    defect: '47',
    sentence: 'bytes past the 72nd are left out of a hash',
    file: 'src/passwords/passwords.ts',
    search: "return password.normalize('NFC')",
    replace: "return Buffer.from(password.normalize('NFC')).subarray(0, 72).toString('latin1')",
    caughtBy: ['test/passwords/passwords.test.ts'],
    only: 'passwords that other programs take for one',
  },
  {
    defect: '48',
    sentence: 'for nobody a cheaper hash is checked',
    file: 'src/passwords/decoys.ts',
    search: 'return `${kind}${unpadded(ARGON2_SALT_BYTES)}$${unpadded(ARGON2_HASH_BYTES)}`',
    replace: "return 'nobody'",
    caughtBy: ['test/passwords/decoys.test.ts'],
  },
  {
    defect: '50',
    sentence: 'access tokens survive the end of their session',
    file: 'src/usecases/authenticate.ts',
    search: 'if (denial !== null) return denial',
    replace: "if (denial !== null && denial.denied !== 'session-over') return denial",
    caughtBy: ['test/http/defects.test.ts'],
    only: '^4: ',
  },
  {
    defect: '51',
    sentence: 'a refresh under way writes to a session that has ended meanwhile',
    file: 'src/store/postgres/refresh-batch.ts',
    search: 'and s.repeats = w.from_repeats and s.ended_at_ms is null',
    replace: 'and s.repeats = w.from_repeats',
    caughtBy: ['test/store/postgres.test.ts', 'test/store/postgres-engine.test.ts'],
    only: 'once the end of|what was decided before somebody wrote',
    postgres: true,
  },
  {
    defect: '52',
    sentence: 'an honest client ends its session with parallel requests of its own',
    file: 'src/core/refresh.ts',
    search: 'const windowMs = session.attemptKey === null || sameKey ? retryWindowMs : parallelWindowMs',
    replace: 'const windowMs = Math.min(0, retryWindowMs, parallelWindowMs) - 1',
    caughtBy: ['test/store/sqlite.test.ts'],
    only: 'of 64 parallel requests',
  },
  {
    defect: '53',
    sentence: 'the lenient parser of HTTP is switched on',
    file: 'src/http/server.ts',
    search: 'create(SERVER_LIMITS,',
    replace: 'create({ ...SERVER_LIMITS, insecureHTTPParser: true },',
    caughtBy: ['test/http/connections.test.ts'],
  },
  {
    defect: '54',
    sentence: 'a Node is taken whatever SQLite it has',
    file: 'scripts/bootstrap.mjs',
    search: 'const OLDEST_SQLITE = [3, 51, 3]',
    replace: 'const OLDEST_SQLITE = [0, 0, 0]',
    caughtBy: ['test/defects/versions.test.ts'],
  },
]
