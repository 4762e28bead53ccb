import type { ImportOutcome } from './store.ts'

export type Refusal = Extract<ImportOutcome, { kind: 'refused' }>

/** Thrown inside the transaction of an import to undo it. */
export class RefusedImport extends Error {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(refusal.why)
    this.refusal = refusal
  }
}
