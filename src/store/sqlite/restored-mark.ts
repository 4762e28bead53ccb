/**
 * The mark of a backup, until it has been put in place and recovered: a number in the head of the file that SQLite leaves to its
 * user. It is there before the file has its name, goes with the recovery's transaction, and a copy of the file has it too.
 */
export const MARK_RESTORED = 'pragma application_id = 1'
export const UNMARK_RESTORED = 'pragma application_id = 0'
export const READ_RESTORED_MARK = 'pragma application_id'
