/** The database's formats, oldest first: the n-th statement list makes format n of format n − 1. One that was released never changes. */

/**
 * - `jobs`: `record` is the whole job; the other columns repeat what is asked for. The wheel's are null once a job is final.
 * - `jobs_wheel`: sparse, and holds all that a page of the wheel answers. `jobs_list`: ascending, for an insert at the end of an index is
 *   its cheapest. `jobs_expired`: sparse.
 * - A claim changes no column of any index, so it writes one page.
 * - `counts`: kept by every group of writes, for counting a million rows takes seconds.
 */
const first = `
  CREATE TABLE jobs (
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    shard INTEGER,
    priority INTEGER,
    wake_at INTEGER,
    hinted INTEGER,
    expires_at INTEGER,
    record TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
  ) STRICT;
  CREATE INDEX jobs_wheel ON jobs (shard, priority, wake_at, id, tenant, hinted) WHERE shard IS NOT NULL;
  CREATE INDEX jobs_list ON jobs (tenant, created_at, id);
  CREATE INDEX jobs_expired ON jobs (expires_at) WHERE expires_at IS NOT NULL;

  CREATE TABLE payloads (
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    kept_until INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (tenant, owner, id)
  ) STRICT;
  CREATE INDEX payloads_kept ON payloads (kept_until);

  CREATE TABLE counts (waiting INTEGER NOT NULL, running INTEGER NOT NULL) STRICT;
  INSERT INTO counts VALUES (0, 0);
  CREATE TABLE layout (shards INTEGER NOT NULL) STRICT;
  INSERT INTO layout VALUES (0)
`;

/** `jobs_failed`: sparse, for failures are few and are what is looked for. */
const second = "CREATE INDEX jobs_failed ON jobs (tenant, created_at, id) WHERE state = 'failed'";

/**
 * Schedules and calendars stand in `jobs` too, so that the wheel is one index.
 * - `kind` and `name`: of those that have a name; null for jobs. `incarnation`: of a schedule.
 * - `jobs_list`: of jobs alone, so that a list of them walks past nothing else. `jobs_named`: sparse.
 */
const third = `
  ALTER TABLE jobs ADD COLUMN kind TEXT;
  ALTER TABLE jobs ADD COLUMN name TEXT;
  ALTER TABLE jobs ADD COLUMN incarnation TEXT;
  DROP INDEX jobs_list;
  CREATE INDEX jobs_list ON jobs (tenant, created_at, id) WHERE kind IS NULL;
  CREATE INDEX jobs_named ON jobs (tenant, kind, name) WHERE kind IS NOT NULL`;

export const migrations: readonly string[] = [first, second, third];
