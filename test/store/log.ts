/** Reads SQLite's write-ahead log, to see transactions from outside (https://www.sqlite.org/fileformat2.html#walformat). */

const logHeaderBytes = 32;
const frameHeaderBytes = 24;

/** How many transactions the log holds: a frame that ends one carries the database's size, the others carry 0. */
export function commitsIn(log: Buffer): number {
  const pageBytes = log.length < logHeaderBytes ? 0 : log.readUInt32BE(8);
  let commits = 0;
  for (let at = logHeaderBytes; at + frameHeaderBytes + pageBytes <= log.length; at += frameHeaderBytes + pageBytes) {
    if (log.readUInt32BE(at + 4) !== 0) commits += 1;
  }
  return commits;
}
