/** A whole set of schedules in one request: every mistake in any of them is named before anything is done. */

import { scheduleIdOf } from "../core/ids.ts";
import { type Standing, scheduleBounds } from "../core/schedule.ts";
import { type Applied, applySet } from "../engine/schedules/apply.ts";
import type { PutRequest } from "../engine/schedules/put.ts";
import { type Call, type Desk, type Handler, readWritten } from "./desk.ts";
import { kindOf } from "./fields.ts";
import { fieldErrors } from "./issues.ts";
import { wrongName } from "./names.ts";
import { formatPath } from "./path.ts";
import { type FieldError, fieldProblem, type Problem, problem, problemDocument } from "./problem.ts";
import { isRecord } from "./relations.ts";
import { jsonReply } from "./reply.ts";
import type { SetAnswer } from "./scheduleAnswers.ts";
import { problemOf, readWhole, scheduleReading, type Wrong } from "./scheduleRequest.ts";
import { setBounds, setShape } from "./scheduleShape.ts";
import { refusalProblem } from "./schedules.ts";
import { brokenJson, inexactNumbers, notAnObject, type Written } from "./submission.ts";

/** As many as a set has schedules: one for each at least can be named. */
const errorsMax = scheduleBounds.setMax;

export const putSet: Handler = async (desk, call) => {
  const written = await readWritten(call.request, setBounds);
  if (!written.ok) return written.problem;
  const broken = brokenJson(written.value.findings);
  if (broken !== undefined) return broken;
  const { value: raw, findings } = written.value;
  if (!isRecord(raw)) return notAnObject(raw);
  const parsed = setShape.safeParse(raw);
  const errors = parsed.success ? [] : fieldErrors(parsed.error.issues, raw, setShape);
  errors.push(...inexactNumbers(findings.filter(({ path }) => path[0] !== "schedules" || path.length < 3)), ...wrongNames(raw));
  const items = itemsOf(raw["schedules"], findings);
  const read = await readItems(desk, items);
  if (!read.ok && read.code === "invalid_request") errors.push(...read.errors);
  if (errors.length > 0 || !parsed.success) return fieldProblem("invalid_request", errors.slice(0, errorsMax));
  if (!read.ok) return problemOf({ ...read, errors: read.errors.slice(0, errorsMax) });
  const { set, dryRun } = parsed.data;
  const mode = dryRun ? "dry_run" : "apply";
  const applied = await applySet(desk.engine, { tenant: desk.tenant, set, schedules: inSet(read.value, set), mode });
  return jsonReply(200, { set, dryRun, results: applied.map((one) => resultOf(one, call)) } satisfies SetAnswer);
};

function wrongNames({ set, schedules }: Readonly<Record<string, unknown>>): FieldError[] {
  const errors: FieldError[] = [];
  const wrongSet = typeof set === "string" ? wrongName(set, "set") : undefined;
  if (wrongSet !== undefined) errors.push({ field: "set", ...wrongSet });
  if (!isRecord(schedules)) {
    const code = schedules === undefined ? "required" : "invalid_type";
    const message = `expected an object of schedules by name, got ${kindOf(schedules)}`;
    return [...errors, { field: "schedules", code, message }];
  }
  const names = Object.keys(schedules);
  if (names.length > scheduleBounds.setMax) {
    const message = `expected at most ${scheduleBounds.setMax} schedules, got ${names.length}; make several sets of them`;
    return [...errors, { field: "schedules", code: "too_large", message }];
  }
  for (const name of names) {
    const wrong = wrongName(name, "schedule");
    if (wrong !== undefined) errors.push({ field: formatPath(["schedules", name]), ...wrong });
  }
  return errors;
}

type Item = Written & { readonly name: string };

function itemsOf(schedules: unknown, findings: Written["findings"]): readonly Item[] {
  if (!isRecord(schedules) || Object.keys(schedules).length > scheduleBounds.setMax) return [];
  return Object.entries(schedules).map(([name, value]) => {
    const own = findings.filter(({ path }) => path[0] === "schedules" && path[1] === name && path.length > 2);
    return { name, value, findings: own.map((finding) => ({ ...finding, path: finding.path.slice(2) })) };
  });
}

/** Each as PUT of a single one reads it. Where fields are wrong no target is judged yet, in none of them. */
async function readItems(
  desk: Desk,
  items: readonly Item[],
): Promise<{ readonly ok: true; readonly value: ReadonlyMap<string, PutRequest> } | Wrong> {
  const { engine, tenant } = desk;
  const found = await engine.store.loadMany(items.map(({ name }) => ({ tenant, id: scheduleIdOf(tenant, name) })));
  const standing = new Map(found.flatMap((one): [string, Standing][] => (one.state === "deleted" ? [] : [[one.name, one]])));
  const written = items.map(({ value }) => value);
  const reading = await scheduleReading(desk, written, [...standing.values()]);
  const requests = new Map<string, PutRequest>();
  const wrong: Wrong[] = [];
  for (const { name, ...item } of items) {
    const read = readWhole(item, { ...reading, standing: standing.get(name) });
    if (read.ok) requests.set(name, read.value);
    else wrong.push({ ...read, errors: read.errors.map((error) => ({ ...error, field: within(name, error.field) })) });
  }
  const code = (["invalid_request", "payload_too_large", "target_denied"] as const).find((one) => wrong.some((each) => each.code === one));
  if (code === undefined) return { ok: true, value: requests };
  return { ok: false, code, errors: wrong.flatMap((one) => (one.code === code ? one.errors : [])) };
}

function within(name: string, field: string): string {
  const place = formatPath(["schedules", name]);
  if (field === "") return place;
  return field.startsWith("[") ? `${place}${field}` : `${place}.${field}`;
}

function inSet(requests: ReadonlyMap<string, PutRequest>, set: string): ReadonlyMap<string, PutRequest> {
  return new Map([...requests].map(([name, { wanted, pause }]) => [name, { wanted: { ...wanted, set }, pause }]));
}

function resultOf({ name, did, refusal }: Applied, { requestId }: Call): SetAnswer["results"][number] {
  const wrong: Problem | undefined = did === "foreign" ? foreign() : refusal === null ? undefined : refusalProblem(refusal);
  return { name, did, ...(wrong !== undefined && { problem: problemDocument(wrong, requestId) }) };
}

function foreign(): Problem {
  return problem(
    "exists",
    "A schedule of this name stands outside the set and was left alone. Delete it, or choose another name in the set.",
  );
}
