/** The API over the engine at home, and a caller that holds every answer against its schema: no test can look away from a wrong shape. */

import type * as z from "zod";
import {
  BatchAnswer,
  DeadLetterListAnswer,
  HealthAnswer,
  type HealthReport,
  JobAnswer,
  ListAnswer,
  PreviewAnswer,
  TicksAnswer,
} from "../../src/api/answers.ts";
import type { Access } from "../../src/api/auth.ts";
import type { ApiLog } from "../../src/api/desk.ts";
import { ProblemDocument } from "../../src/api/problem.ts";
import { type Api, createApi } from "../../src/api/routes.ts";
import {
  BackfillAnswer,
  CalendarAnswer,
  CalendarDeletedAnswer,
  CalendarListAnswer,
  CalendarWrittenAnswer,
  OccurrenceListAnswer,
  ScheduleAnswer,
  ScheduleDeletedAnswer,
  ScheduleListAnswer,
  ScheduleWrittenAnswer,
  SetAnswer,
} from "../../src/api/scheduleAnswers.ts";
import type { Ticks } from "../../src/api/ticks.ts";
import { type AllowList, allowNothing } from "../../src/core/address.ts";
import type { DeadLetters } from "../../src/core/deadLetter.ts";
import { soleTenant } from "../../src/core/ids.ts";
import { limits } from "../../src/core/limits.ts";
import { type Home, openHome } from "../engine/home.ts";

export type Answered = { readonly status: number; readonly headers: Headers; readonly text: string };

export type Sent = {
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: string | Uint8Array<ArrayBuffer> | ReadableStream;
  readonly headers?: Readonly<Record<string, string>>;
};

export type Caller = {
  readonly home: Home;
  readonly api: Api;
  readonly logged: Parameters<ApiLog>[0][];
  send(method: string, path: string, sent?: Sent): Promise<Answered>;
  /** An answer with this status, as the job that it must be. */
  job(status: number, method: string, path: string, sent?: Sent): Promise<z.infer<typeof JobAnswer>>;
  /** A refusal with this status, as the problem that it must be. */
  problem(status: number, method: string, path: string, sent?: Sent): Promise<z.infer<typeof ProblemDocument>>;
  /** An answer with this status, as the schedule that it must be. */
  schedule(status: number, method: string, path: string, sent?: Sent): Promise<z.infer<typeof ScheduleWrittenAnswer>>;
  /** An answer with this status, held against its path's shape as every other is. */
  answer<T>(status: number, method: string, path: string, sent?: Sent): Promise<T>;
  create(fields?: Readonly<Record<string, unknown>>): Promise<z.infer<typeof JobAnswer>>;
};

export const target = { url: "https://example.com/hook" };
export const healthy: HealthReport = { status: "ok", checks: { store: "ok", clock: "ok", wheel: { behindMs: 0, waiting: 0, running: 0 } } };

export function openCaller(
  given: {
    home?: Home;
    key?: string;
    access?: Access;
    allow?: AllowList;
    maxTimeoutMs?: number;
    health?: () => Promise<HealthReport>;
    deadLetters?: Pick<DeadLetters, "list">;
    ticks?: Ticks;
  } = {},
): Caller {
  const home = given.home ?? openHome();
  const logged: Caller["logged"] = [];
  const api = createApi({
    engine: home.engine,
    tenant: soleTenant,
    allow: given.allow ?? allowNothing,
    access: given.access ?? (given.key == null ? { kind: "loopback" } : { kind: "key", key: given.key }),
    maxTimeoutMs: given.maxTimeoutMs ?? limits.timeoutMsMax,
    cursorKey: Buffer.from("a key for cursors"),
    version: "0.0.0-test",
    health: given.health ?? (async () => healthy),
    metrics: async () => "onthedot_up 1\n",
    log: (line) => logged.push(line),
    ...(given.deadLetters !== undefined && { deadLetters: given.deadLetters }),
    ...(given.ticks !== undefined && { ticks: given.ticks }),
  });
  const send: Caller["send"] = async (method, path, sent = {}) => {
    const response = await api.fetch(requestOf(method, path, sent));
    const answered = { status: response.status, headers: response.headers, text: await response.text() };
    holdToSchema(method, path, answered);
    return answered;
  };
  const expect = async (status: number, ...[method, path, sent]: Parameters<Caller["send"]>) => {
    const answered = await send(method, path, sent);
    if (answered.status !== status) throw new Error(`expected ${status}, got ${answered.status}: ${answered.text.slice(0, 500)}`);
    return JSON.parse(answered.text);
  };
  return {
    home,
    api,
    logged,
    send,
    job: expect,
    problem: expect,
    schedule: expect,
    answer: expect,
    create: (fields = {}) => expect(201, "POST", "/v1/jobs", { body: { target, ...fields } }),
  };
}

export function requestOf(method: string, path: string, { body, raw, headers }: Sent): Request {
  const content = raw ?? (body === undefined ? null : JSON.stringify(body));
  return new Request(`http://127.0.0.1:4000${path}`, {
    method,
    ...(content !== null && { body: content, duplex: "half" }),
    headers: { ...(content !== null && { "content-type": "application/json" }), ...headers },
  } as RequestInit);
}

/** What every answer owes, whatever was asked. */
function holdToSchema(method: string, path: string, { status, headers, text }: Answered): void {
  const requestId = headers.get("x-request-id");
  if (requestId === null) throw new Error("expected an X-Request-Id, got none");
  if (method === "HEAD") return;
  if (status >= 400) {
    if (headers.get("content-type") !== "application/problem+json") throw new Error(`expected a problem, got ${text}`);
    const document = ProblemDocument.parse(JSON.parse(text));
    if (document.status !== status || document.requestId !== requestId)
      throw new Error(`expected the problem to fit its answer, got ${text}`);
    if (/\bat .*\.ts:|node_modules|\bZod|undefined|\[object/.test(text)) throw new Error(`expected no internals, got ${text}`);
    return;
  }
  shapeOf(method, path)?.parse(JSON.parse(text));
}

function shapeOf(method: string, path: string): z.ZodType | undefined {
  const [pathname = ""] = path.split("?");
  if (pathname === "/v1/jobs") return method === "GET" ? ListAnswer : JobAnswer;
  if (pathname === "/v1/jobs/batch") return BatchAnswer;
  if (pathname === "/v1/dead-letters") return DeadLetterListAnswer;
  if (pathname === "/v1/ticks") return TicksAnswer;
  if (pathname === "/v1/health") return HealthAnswer;
  if (pathname.startsWith("/v1/schedules")) return scheduleShapeOf(method, pathname);
  if (pathname.startsWith("/v1/calendars")) return calendarShapeOf(method, pathname);
  return pathname.startsWith("/v1/jobs/") ? JobAnswer : undefined;
}

function scheduleShapeOf(method: string, pathname: string): z.ZodType | undefined {
  const [, , , name, verb] = pathname.split("/");
  if (name === undefined) return method === "GET" ? ScheduleListAnswer : SetAnswer;
  if (name === "preview" || verb === "preview") return PreviewAnswer;
  const byVerb = {
    pause: ScheduleAnswer,
    resume: ScheduleAnswer,
    trigger: JobAnswer,
    backfill: BackfillAnswer,
    occurrences: OccurrenceListAnswer,
  };
  if (verb !== undefined) return byVerb[verb as keyof typeof byVerb];
  if (method === "DELETE") return ScheduleDeletedAnswer;
  return method === "GET" ? ScheduleAnswer : ScheduleWrittenAnswer;
}

function calendarShapeOf(method: string, pathname: string): z.ZodType {
  if (pathname === "/v1/calendars") return CalendarListAnswer;
  if (method === "DELETE") return CalendarDeletedAnswer;
  return method === "GET" ? CalendarAnswer : CalendarWrittenAnswer;
}

/** The fields that a problem names, each with its code. */
export function wrongFields(document: z.infer<typeof ProblemDocument>): Record<string, string> {
  return Object.fromEntries(document.errors.map(({ field, code }) => [field, code]));
}
