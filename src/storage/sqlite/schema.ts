/**
 * The file's format, and every statement that is run against it.
 *
 * `entry` is a table with a row id and not one clustered by key: keys are random, values about a kilobyte, and inside the
 * key's tree they would cost a page each. Kept apart, rows lie in the order of writing, which is nearly the order in which
 * they fall due, and listing and claiming read slim indexes only. (Measured with 300,000 entries of 900 bytes: a third of
 * the file, a fifth of the time to list, a ninth of the time to claim.)
 *
 * A due entry is in exactly one of two indexes: unclaimed in `entry_due`, claimed in `entry_claim`. So the earliest of
 * both is two seeks, however many entries are due or claimed. (`entry_due` has the column that is always null in it,
 * so that SQLite need not read the row to see that it is.)
 *
 * Tags are columns, in no order that means anything, each with an index of the entries that have it. (Measured with 10,000
 * entries of two tags: entries of their own that name the tagged one took 1.7 times the file and twice the time to delete.)
 */

import { TAGS_MAX } from "../port.ts";

/** "vsec" in ASCII: tells our files from other people's SQLite files. */
export const APPLICATION_ID = 0x76736563;

/** The format's number, in `user_version`. Counted up with every change that an older vsec cannot read or write. */
export const FORMAT = 3;

/** The columns of tags. */
const TAG_COLUMNS = Array.from({ length: TAGS_MAX }, (_, index) => `tag_${index + 1}`);

const CREATE_TAG_INDEXES = TAG_COLUMNS.map(
  (column) => `CREATE INDEX entry_${column} ON entry (${column}) WHERE ${column} IS NOT NULL;`,
).join("\n");

/** Format 3, from an empty file, inside a transaction. */
export const CREATE = `
CREATE TABLE entry (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL COLLATE BINARY UNIQUE,
  value BLOB NOT NULL,
  version INTEGER NOT NULL,
  due_at INTEGER,
  claim_owner TEXT,
  claim_until INTEGER,
  ${TAG_COLUMNS.map((column) => `${column} TEXT`).join(",\n  ")}
) STRICT;
CREATE INDEX entry_due ON entry (due_at, claim_until) WHERE due_at IS NOT NULL AND claim_until IS NULL;
CREATE INDEX entry_claim ON entry (claim_until) WHERE claim_until IS NOT NULL;
${CREATE_TAG_INDEXES}
CREATE TABLE counter (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  puts INTEGER NOT NULL
) STRICT;
INSERT INTO counter (id, puts) VALUES (1, 0);
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${FORMAT};
`;

/** Every commit is flushed to disk. SQLite merges its log from as many pages on. */
export const FLUSHED = "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000;";

/**
 * A short command reads the whole log when it opens the store, as nobody has left an index of it, and merges it from this many
 * pages on: a quarter of SQLite's own number, at which the reading costs more than the merging saves.
 */
export const FLUSHED_SHORT = "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 250;";

/** A power cut may undo a commit, with all that come after it. The log is merged from a number of pages on that several of them fill. */
export const UNFLUSHED = "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 2500;";

/**
 * Each connection's other settings. `fullfsync` matters on macOS, where a plain fsync leaves data in the disk's cache;
 * `secure_delete` wipes what is deleted where that costs no extra write; `cell_size_check` finds damaged pages early;
 * `cache_size`, in KiB, holds what a commit of thousands of entries touches: with less, pages are written several times over.
 */
export const CONFIGURE = `
PRAGMA fullfsync = ON;
PRAGMA checkpoint_fullfsync = ON;
PRAGMA secure_delete = FAST;
PRAGMA cell_size_check = ON;
PRAGMA trusted_schema = OFF;
PRAGMA journal_size_limit = 16777216;
PRAGMA cache_size = -16000;
`;

/** A write transaction takes its lock at once: one that took it later could find that what it has read is out of date. */
export const TRANSACTION = {
  read: "BEGIN DEFERRED",
  write: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  rollBack: "ROLLBACK",
} as const;

/** No row: the file has no table, index or view. */
export const ANY_TABLE = "SELECT 1 FROM sqlite_schema LIMIT 1";

export const USE_WRITE_AHEAD_LOG = "PRAGMA journal_mode = WAL";

const ENTRY = "key, value, version, due_at";

/** Each index gives its entries in the order of their ids, and the merged order of all of them stands at no cost. */
const FIND = TAG_COLUMNS.map(
  (column) => `SELECT id, ${ENTRY} FROM entry INDEXED BY entry_${column} WHERE ${column} = ?1 AND id > ?2`,
).join(" UNION ALL ");

export const SQL = {
  get: `SELECT ${ENTRY} FROM entry WHERE key = ?`,
  version: "SELECT version FROM entry WHERE key = ?",
  seekFrom: "SELECT key FROM entry WHERE key >= ? AND key < ? ORDER BY key LIMIT 1",
  seekBehind: "SELECT key FROM entry WHERE key > ? AND key < ? ORDER BY key LIMIT 1",
  scan: `SELECT ${ENTRY} FROM entry WHERE key > ? AND key < ? ORDER BY key LIMIT ?`,
  find: `${FIND} ORDER BY id LIMIT ?3`,
  puts: "SELECT puts FROM counter WHERE id = 1",
  setPuts: "UPDATE counter SET puts = ? WHERE id = 1",
  put: `INSERT INTO entry (${ENTRY}, ${TAG_COLUMNS.join(", ")}) VALUES (?, ?, ?, ?, ${TAG_COLUMNS.map(() => "?").join(", ")})
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = excluded.version, due_at = excluded.due_at,
      claim_owner = NULL, claim_until = NULL, ${TAG_COLUMNS.map((column) => `${column} = excluded.${column}`).join(", ")}`,
  delete: "DELETE FROM entry WHERE key = ?",
  ids: "SELECT id FROM entry WHERE key > ? AND key < ? AND key <= ? ORDER BY key LIMIT ?",
  keyOf: "SELECT key FROM entry WHERE id = ?",
  getSwath: `SELECT ${ENTRY} FROM entry WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id`,
  sweep: "DELETE FROM entry WHERE id IN (SELECT value FROM json_each(?)) AND version <= ?",
  nextDue: `SELECT
    (SELECT min(due_at) FROM entry INDEXED BY entry_due WHERE due_at IS NOT NULL AND claim_until IS NULL) AS unclaimed,
    (SELECT min(claim_until) FROM entry INDEXED BY entry_claim WHERE claim_until IS NOT NULL) AS claimed`,
  endLapsed: `UPDATE entry INDEXED BY entry_claim SET claim_owner = NULL, claim_until = NULL
    WHERE claim_until IS NOT NULL AND claim_until <= ?`,
  due: `SELECT id, ${ENTRY} FROM entry INDEXED BY entry_due
    WHERE due_at IS NOT NULL AND due_at <= ? AND claim_until IS NULL ORDER BY due_at LIMIT ?`,
  claim: "UPDATE entry SET claim_owner = ?, claim_until = ? WHERE id = ?",
  release: "UPDATE entry SET claim_owner = NULL, claim_until = NULL WHERE key = ? AND claim_owner = ?",
} as const;

export type Statement = keyof typeof SQL;
