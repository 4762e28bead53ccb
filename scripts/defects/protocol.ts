/** Puts the seven mistakes into the refresh protocol that its model refutes (docs/refresh.md). */
import type { Mutation } from './mutation.ts'

const DECISION = ['test/core/refresh.test.ts']

export const PROTOCOL: readonly Mutation[] = [
  {
    defect: 'P1',
    sentence: 'reading, then writing unconditionally',
    file: 'src/store/postgres/refresh-batch.ts',
    search: `where s.generation = w.from_generation and s.handed_out_at_ms = w.from_handed_out_at_ms
      and s.repeats = w.from_repeats and s.ended_at_ms is null
      and clock_timestamp()`,
    replace: 'where clock_timestamp()',
    caughtBy: ['test/store/postgres.test.ts'],
    only: 'of 64 parallel requests',
    postgres: true,
  },
  {
    defect: 'P2',
    sentence: 'strict single use: the token before the newest ends the session at once',
    file: 'src/core/refresh.ts',
    search: 'if (session.rotation && presented.generation === current - 1) {',
    replace: 'if (session.rotation && presented.generation === current - 1 && nowMs < 0) {',
    caughtBy: DECISION,
  },
  {
    defect: 'P3',
    sentence: 'no bound on case 5b',
    file: 'src/core/refresh.ts',
    search: 'if (ageMs(session.rotatedAtMs, nowMs) <= windowMs)',
    replace: 'if (ageMs(session.rotatedAtMs, nowMs) <= windowMs + 1e12)',
    caughtBy: DECISION,
  },
  {
    defect: 'P4',
    sentence: 'case 3 by `rotated_at` alone',
    file: 'src/core/refresh.ts',
    search: 'ageMs(session.handedOutAtMs, nowMs) < ',
    replace: 'ageMs(session.rotatedAtMs, nowMs) < ',
    caughtBy: DECISION,
  },
  {
    defect: 'P5',
    sentence: 'a keep that sends the token again',
    file: 'src/usecases/refresh-session.ts',
    search: "if (decision.kind === 'keep') return { accessToken, expiresAtSeconds, refreshToken: null }",
    replace: '',
    caughtBy: ['test/defects/refreshing.test.ts'],
    only: 'docs/refresh.md: a keep',
  },
  {
    defect: 'P6',
    sentence: 'no case 6: an old token is refused and ends nothing',
    file: 'src/core/refresh.ts',
    search: "  }\n  return { kind: 'end' }",
    replace: "  }\n  return { kind: 'deny', denial: { denied: 'token-invalid' } }",
    caughtBy: DECISION,
  },
  {
    defect: 'P7',
    sentence: 'case 7 without the account check',
    file: 'src/core/refresh.ts',
    search: 'const denial = sessionDenial(view, presented.accountId, nowMs)',
    replace:
      'const ahead = presented.generation > view.session.generation\n' +
      '  const denial = ahead ? null : sessionDenial(view, presented.accountId, nowMs)',
    caughtBy: DECISION,
  },
]
