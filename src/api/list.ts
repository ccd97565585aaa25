/** Lists of jobs, page by page. */

import { limits } from "../core/limits.ts";
import { listJobs as findJobs, type JobFilter } from "../engine/read.ts";
import type { ListAnswer } from "./answers.ts";
import { type CursorScope, cursorProblem, readCursor, writeCursor } from "./cursor.ts";
import type { Handler } from "./desk.ts";
import { ListQuery, readQuery } from "./query.ts";
import { jsonReply } from "./reply.ts";
import { viewOf } from "./view.ts";

export const listJobs: Handler = async ({ engine, tenant, cursorKey }, { request }) => {
  const query = readQuery(ListQuery, request.url);
  if (!query.ok) return query.problem;
  const filter = filterOf(query.value);
  const scope: CursorScope = { key: cursorKey, tenant, filter: textOf(filter) };
  const { cursor, limit = limits.listLimitDefault } = query.value;
  const after = cursor === undefined ? null : readCursor(cursor, scope);
  if (after === undefined) return cursorProblem();
  const page = await findJobs(engine, { tenant, filter, after, limit });
  const nextCursor = page.next === null ? null : writeCursor(page.next, scope);
  return jsonReply(200, { data: page.jobs.map((job) => viewOf(job)), nextCursor } satisfies ListAnswer);
};

function filterOf({ state, label, schedule, dueFrom, dueTo }: ListQuery): JobFilter {
  return { states: state ?? null, labels: label ?? [], schedule: schedule ?? null, dueFrom: dueFrom ?? null, dueBefore: dueTo ?? null };
}

/** The same text for the same filter, in whatever order it was written. */
function textOf({ states, labels, schedule, dueFrom, dueBefore }: JobFilter): string {
  return JSON.stringify([states && [...states].sort(), labelsText(labels), schedule, dueFrom, dueBefore]);
}

export function labelsText(labels: JobFilter["labels"]): string[] {
  return labels.map(([key, value]) => `${key}:${value}`).sort();
}
