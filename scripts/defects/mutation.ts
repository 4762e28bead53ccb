/** A small change of the sources that puts a defect in, and the tests that must notice it. */
export interface Mutation {
  /** The row of docs/defects.md. */
  readonly defect: string
  /** What the change makes of the service. */
  readonly sentence: string
  readonly file: string
  /** Found exactly once in the file, or the mutation is out of date. */
  readonly search: string
  readonly replace: string
  /** Test files, of which at least one must fail. */
  readonly caughtBy: readonly string[]
  /** Runs only tests with such a name, where a file has many others. */
  readonly only?: string
  /** Needs a PostgreSQL. */
  readonly postgres?: true
}
