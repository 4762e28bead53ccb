/**
 * The mark of a backup that has not been recovered yet: `application_id`, a number in the file's header that SQLite
 * leaves to applications. It is set before the file gets its final name and removed in the recovery's transaction, and
 * a copy of the file has it too.
 */
export const MARK_RESTORED = 'pragma application_id = 1'
export const UNMARK_RESTORED = 'pragma application_id = 0'
export const READ_RESTORED_MARK = 'pragma application_id'
