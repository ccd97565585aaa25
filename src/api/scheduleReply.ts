/** What the calls on schedules have in common in their answers. */

import type { Standing } from "../core/schedule.ts";
import type { Engine } from "../engine/engine.ts";
import { type Problem, problem } from "./problem.ts";
import { jsonReply, type Reply } from "./reply.ts";
import { scheduleView } from "./scheduleView.ts";

/** A single schedule, with the version that `If-Match` takes. */
export async function scheduleReply(
  engine: Engine,
  schedule: Standing,
  { status = 200, more = {}, headers = {} }: { status?: number; more?: object; headers?: Readonly<Record<string, string>> } = {},
): Promise<Reply> {
  return jsonReply(status, { ...(await scheduleView(engine, schedule)), ...more }, { etag: `"${schedule.revision}"`, ...headers });
}

export function scheduleNotFound(): Problem {
  return problem("not_found", "There is no schedule of this name; PUT /v1/schedules/{name} makes one.");
}

/** `version`: of what stands; 0 where nothing does. */
export function versionConflict(what: "schedule" | "calendar", version: number): Problem {
  const detail =
    version === 0
      ? `There is no ${what} of this name now, so none of the version that If-Match names.`
      : `The ${what} is at version ${version} now. Read it again, and send the change with If-Match: "${version}".`;
  return problem("version_conflict", detail);
}

export function nameTaken(what: "schedule" | "calendar"): Problem {
  return problem("exists", `A ${what} of this name stands already. Leave If-None-Match out to replace it, or choose another name.`);
}

/** A rule that was read once, and cannot be any more: a zone or a calendar that it names is gone. */
export function unreadable(message: string): Problem {
  return problem("state_conflict", `The schedule's rule cannot be read now: ${message}. Write it anew with PUT or PATCH.`);
}
