import type { Passwords } from '../../src/passwords/passwords.ts'

/** Passwords with other work in place of hashing, of which any number may be done at a time. */
export function withOtherWork(passwords: Passwords, work: Pick<Passwords, 'hash' | 'verify'>): Passwords {
  return { ...passwords, ...work, reserve: () => ({ verify: work.verify, [Symbol.dispose]() {} }) }
}
