/** A small change of the sources that puts a defect in, and the tests that must notice it. */
export interface Mutation {
  /** The row in docs/defects.md. */
  readonly defect: string
  /** How the service behaves with the change. */
  readonly sentence: string
  readonly file: string
  /** The text to replace. It occurs exactly once in the file, or the mutation is out of date. */
  readonly search: string
  readonly replace: string
  /** Test files with at least one test that must fail. */
  readonly caughtBy: readonly string[]
  /** A pattern for the names of the tests to run, where a file has many others. */
  readonly only?: string
  /** Needs a PostgreSQL. */
  readonly postgres?: true
}
