/** Dead letters, page by page, where the home has any: messages that nobody could handle. */

import type { DeadLetter, DeadLetters } from "../core/deadLetter.ts";
import { limits } from "../core/limits.ts";
import { formatInstant } from "../core/time.ts";
import type { DeadLetterListAnswer } from "./answers.ts";
import { type CursorScope, cursorProblem, readCursor, writeCursor } from "./cursor.ts";
import type { Handler } from "./desk.ts";
import { PageQuery, readQuery } from "./query.ts";
import { jsonReply } from "./reply.ts";

export function listDeadLetters(deadLetters: Pick<DeadLetters, "list">): Handler {
  return async ({ tenant, cursorKey }, { request }) => {
    const query = readQuery(PageQuery, request.url);
    if (!query.ok) return query.problem;
    const scope: CursorScope = { key: cursorKey, tenant, filter: "dead letters" };
    const { cursor, limit = limits.listLimitDefault } = query.value;
    const after = cursor === undefined ? null : readCursor(cursor, scope);
    if (after === undefined) return cursorProblem();
    const { letters, next } = await deadLetters.list({ after: after && { receivedAt: after.createdAt, id: after.id }, limit });
    const nextCursor = next && writeCursor({ createdAt: next.receivedAt, id: next.id }, scope);
    return jsonReply(200, { data: letters.map(viewOf), nextCursor } satisfies DeadLetterListAnswer);
  };
}

function viewOf({ receivedAt, ...letter }: DeadLetter): DeadLetterListAnswer["data"][number] {
  return { ...letter, receivedAt: formatInstant(receivedAt) };
}
