/** What the API's handlers have at hand: what a home gave, and the request they answer. */

import type { AllowList } from "../core/address.ts";
import type { JobId, TenantId } from "../core/ids.ts";
import type { Engine } from "../engine/engine.ts";
import { readContent } from "./content.ts";
import { type JsonRead, readJson } from "./json.ts";
import { type Problem, problem, type Read, refused } from "./problem.ts";
import type { Reply } from "./reply.ts";
import type { Shapes } from "./schema.ts";
import type { Reading } from "./submission.ts";

/** A line for the operator. `cause` may hold internals: it goes to the log, and never into an answer. */
export type ApiLog = (line: {
  readonly level: "warn" | "error";
  readonly message: string;
  readonly requestId: string;
  readonly cause: unknown;
}) => void;

export type Desk = {
  readonly engine: Engine;
  readonly tenant: TenantId;
  readonly allow: AllowList;
  readonly shapes: Shapes;
  /** Signs cursors. A new one makes the cursors in callers' hands invalid. */
  readonly cursorKey: Uint8Array;
  readonly log: ApiLog;
};

export type Call = {
  readonly request: Request;
  readonly requestId: string;
  /** What the path has in the place of an id or a name; undefined where it has none. */
  readonly id: string | undefined;
};

/** A reply, or the problem that is to be answered instead. */
export type Handled = Promise<Reply | Problem>;
export type Handler = (desk: Desk, call: Call) => Handled;
export type JobHandler = (desk: Desk, call: Call, id: JobId) => Handled;
/** `name`: one that may stand. */
export type NameHandler = (desk: Desk, call: Call, name: string) => Handled;

export function readingNow({ engine, tenant, allow, shapes }: Desk): Reading {
  return { tenant, allow, shapes, now: engine.clock.now() };
}

/** The request's JSON. `depthMax` counts from the request's root. */
export async function readWritten(
  request: Request,
  bounds: { bytesMax: number; depthMax: number },
): Promise<Read<Extract<JsonRead, { ok: true }>>> {
  const content = await readContent(request, bounds.bytesMax);
  if (!content.ok) return content;
  const json = readJson(content.value, bounds.depthMax);
  return json.ok ? { ok: true, value: json } : refused(problem("invalid_json", json.wrong));
}
