/**
 * The schema, step by step, for both engines, which record the applied steps in the table `migrations`. A released step
 * is never edited. A step only adds, or replaces an index by another, so that on PostgreSQL the version before can go
 * on running beside it.
 */
import { accountsSessionsKeys } from './0001-accounts-sessions-keys.ts'
import { actions } from './0002-actions.ts'
import { legacy } from './0003-legacy.ts'
import { guessing } from './0004-guessing.ts'
import { instances } from './0005-instances.ts'
import { rotations } from './0006-rotations.ts'
import { actionSegments } from './0007-action-segments.ts'
import { endsInJournals } from './0008-ends-in-journals.ts'
import { sessionsOfAccounts } from './0009-sessions-of-accounts.ts'

export interface Migration {
  readonly id: number
  readonly name: string
  readonly sqlite: string
  readonly postgres: string
}

export const MIGRATIONS: readonly Migration[] = [
  accountsSessionsKeys,
  actions,
  legacy,
  guessing,
  instances,
  rotations,
  actionSegments,
  endsInJournals,
  sessionsOfAccounts,
]
