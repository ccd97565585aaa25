/**
 * The API as one function from request to response. It knows no server: a home gives it Web requests. Every answer, of whatever
 * layer, passes `respond`, so that each carries its request id and each error is a problem.
 */

import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import type { DeadLetters } from "../core/deadLetter.ts";
import { parseJobId } from "../core/ids.ts";
import { OutageError } from "../engine/ports.ts";
import type { HealthReport } from "./answers.ts";
import { type Access, createGuard, type Guard } from "./auth.ts";
import { createBatch } from "./batch.ts";
import { calendarNotFound, deleteCalendar, getCalendar, listCalendars, putCalendar } from "./calendars.ts";
import { listDeadLetters } from "./deadLetters.ts";
import type { ApiLog, Call, Desk, Handled, Handler, JobHandler, NameHandler } from "./desk.ts";
import { healthHandler, metricsHandler } from "./health.ts";
import { cancelJob, createJob, getJob, jobNotFound, patchJob, replayJob } from "./jobs.ts";
import { listJobs } from "./list.ts";
import { type NamedKind, nameProblem, wrongName } from "./names.ts";
import { openApiHandler } from "./openapi.ts";
import { previewRule, previewSchedule } from "./preview.ts";
import { type Problem, problem, unavailable } from "./problem.ts";
import { readNoQuery } from "./query.ts";
import { problemReply, type Reply } from "./reply.ts";
import { backfillSchedule, callNow, pauseSchedule, resumeSchedule } from "./scheduleActions.ts";
import { listOccurrences, listSchedules } from "./scheduleList.ts";
import { scheduleNotFound } from "./scheduleReply.ts";
import { deleteSchedule, getSchedule, patchSchedule, putSchedule } from "./schedules.ts";
import { shapesFor } from "./schema.ts";
import { putSet } from "./set.ts";
import { getTicks, patchTicks, type Ticks } from "./ticks.ts";

/** What a home gives the API. */
export type ApiParams = Omit<Desk, "shapes"> & {
  readonly access: Access;
  /** The longest call that this home can make. */
  readonly maxTimeoutMs: number;
  readonly version: string;
  health(): Promise<HealthReport>;
  /** Prometheus text. Left out where metrics go elsewhere: then there is no such path. */
  metrics?(): Promise<string>;
  /** Left out where there are none: then there is no such path. */
  readonly deadLetters?: Pick<DeadLetters, "list">;
  /** Left out where ticks are the process's own: then there is no such path. */
  readonly ticks?: Ticks;
};

export type Api = { fetch(request: Request): Promise<Response> };

type Route = {
  readonly path: string;
  readonly guard: Guard;
  /** By method. */
  readonly handlers: Readonly<Record<string, Handler>>;
  /** Answers, of the methods that it does not take, one of which a caller can rightly expect to be told more. */
  readonly untaken?: Readonly<Record<string, Handler>>;
};

export function createApi({ access, maxTimeoutMs, version, health, metrics, deadLetters, ticks, ...given }: ApiParams): Api {
  const desk: Desk = { ...given, shapes: shapesFor({ timeoutMsMax: maxTimeoutMs }) };
  const { closed, open } = createGuard(access);
  const servedPaths = () => routes.map(({ path }) => path.replaceAll(/:(\w+)/g, "{$1}"));
  const routes: readonly Route[] = [
    { path: "/v1/jobs", guard: closed, handlers: { GET: listJobs, POST: plain(createJob) } },
    { path: "/v1/jobs/batch", guard: closed, handlers: { POST: plain(createBatch) } },
    { path: "/v1/jobs/:id", guard: closed, handlers: { GET: ofJob(getJob), PATCH: ofJob(patchJob) } },
    { path: "/v1/jobs/:id/cancel", guard: closed, handlers: { POST: ofJob(cancelJob) } },
    { path: "/v1/jobs/:id/replay", guard: closed, handlers: { POST: ofJob(replayJob) } },
    ...scheduleRoutes(closed),
    { path: "/v1/health", guard: open, handlers: { GET: plain(healthHandler({ health, version }, open)) } },
    ...(metrics === undefined ? [] : [{ path: "/v1/metrics", guard: closed, handlers: { GET: plain(metricsHandler({ metrics })) } }]),
    ...(deadLetters === undefined ? [] : [{ path: "/v1/dead-letters", guard: closed, handlers: { GET: listDeadLetters(deadLetters) } }]),
    ...(ticks === undefined
      ? []
      : [{ path: "/v1/ticks", guard: closed, handlers: { GET: plain(getTicks(ticks)), PATCH: plain(patchTicks(ticks)) } }]),
    { path: "/openapi.json", guard: open, handlers: { GET: plain(openApiHandler(desk.shapes, version, servedPaths)) } },
  ];
  const serve = async (request: Request, route: Route, id: string | undefined) => {
    const requestId = requestIdOf(request);
    const handled = await handle(desk, { request, requestId, id }, route);
    return respond(request, requestId, "code" in handled ? problemReply(handled, requestId) : handled);
  };
  const app = new Hono();
  for (const route of routes) app.all(route.path, ({ req }) => serve(req.raw, route, req.param("id") ?? req.param("name")));
  const nowhere: Route = { path: "", guard: closed, handlers: {} };
  const anywhere: Route = { path: "*", guard: closed, handlers: Object.assign({}, ...routes.map((route) => route.handlers)) };
  app.notFound(({ req }) => serve(req.raw, nowhere, undefined));
  return {
    // A method is a caller's text, and Hono keeps routes in objects by method: "constructor" would be found in each of them.
    fetch: async (request) => (/^[A-Z]+$/.test(request.method) ? app.fetch(request) : serve(request, anywhere, undefined)),
  };
}

/** `preview` is a path of its own, so no schedule can have that name. */
function scheduleRoutes(guard: Guard): Route[] {
  const at = "/v1/schedules/:name";
  const found = (handler: NameHandler) => ofName("schedule", handler, scheduleNotFound);
  const calendar = (handler: NameHandler) => ofName("calendar", handler, calendarNotFound);
  const put = toName("schedule", putSchedule);
  return [
    { path: "/v1/schedules", guard, handlers: { GET: listSchedules, PUT: plain(putSet) } },
    {
      path: "/v1/schedules/preview",
      guard,
      handlers: { POST: plain(previewRule) },
      untaken: { PUT: (desk, call) => put(desk, { ...call, id: "preview" }) },
    },
    {
      path: at,
      guard,
      handlers: {
        GET: plain(found(getSchedule)),
        PUT: plain(put),
        PATCH: plain(found(patchSchedule)),
        DELETE: found(deleteSchedule),
      },
    },
    { path: `${at}/pause`, guard, handlers: { POST: plain(found(pauseSchedule)) } },
    { path: `${at}/resume`, guard, handlers: { POST: plain(found(resumeSchedule)) } },
    { path: `${at}/trigger`, guard, handlers: { POST: plain(found(callNow)) } },
    { path: `${at}/backfill`, guard, handlers: { POST: plain(found(backfillSchedule)) } },
    { path: `${at}/occurrences`, guard, handlers: { GET: found(listOccurrences) } },
    { path: `${at}/preview`, guard, handlers: { GET: found(previewSchedule) } },
    { path: "/v1/calendars", guard, handlers: { GET: listCalendars } },
    {
      path: "/v1/calendars/:name",
      guard,
      handlers: { GET: plain(calendar(getCalendar)), PUT: plain(toName("calendar", putCalendar)), DELETE: plain(calendar(deleteCalendar)) },
    },
  ];
}

/** For paths without query parameters. */
function plain(handler: Handler): Handler {
  return async (desk, call) => {
    const query = readNoQuery(call.request.url);
    return query.ok ? handler(desk, call) : query.problem;
  };
}

/** An id that cannot be one is an id that does not exist. */
function ofJob(handler: JobHandler): Handler {
  return plain(async (desk, call) => {
    const id = call.id === undefined ? undefined : parseJobId(call.id);
    return id === undefined ? jobNotFound() : handler(desk, call, id);
  });
}

/** A name that nothing can have is one of nothing that stands. */
function ofName(kind: NamedKind, handler: NameHandler, missing: () => Problem): Handler {
  return async (desk, call) => {
    const { id: name = "" } = call;
    return wrongName(name, kind) === undefined ? handler(desk, call, name) : missing();
  };
}

function toName(kind: NamedKind, handler: NameHandler): Handler {
  return async (desk, call) => {
    const { id: name = "" } = call;
    const wrong = wrongName(name, kind);
    return wrong === undefined ? handler(desk, call, name) : nameProblem(wrong);
  };
}

function respond(request: Request, requestId: string, { status, headers, body }: Reply): Response {
  return new Response(request.method === "HEAD" ? null : body, {
    status,
    // Jobs change at any time, and hold what is nobody else's business.
    headers: { ...headers, "cache-control": "no-store", "x-request-id": requestId },
  });
}

async function handle(desk: Desk, call: Call, { path, guard, handlers, untaken = {} }: Route): Handled {
  try {
    const refusal = guard.refusal(call.request);
    if (refusal !== undefined) return refusal;
    if (path === "") return problem("not_found", "There is no such path. All paths are listed in /openapi.json.");
    const { method } = call.request;
    const name = method === "HEAD" ? "GET" : method;
    // A method is a caller's text, and every object has a "constructor".
    const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined;
    const answer = handler ?? (Object.hasOwn(untaken, name) ? untaken[name] : undefined);
    return answer === undefined ? wrongMethod(method, handlers) : await answer(desk, call);
  } catch (cause) {
    return failure(desk.log, call.requestId, cause);
  }
}

function wrongMethod(method: string, handlers: Route["handlers"]): Problem {
  const allowed = Object.keys(handlers).flatMap((name) => (name === "GET" ? ["GET", "HEAD"] : [name]));
  return problem("method_not_allowed", `This path takes ${allowed.join(", ")}, not ${method}.`, { allow: allowed.join(", ") });
}

/** The one place where anything at all is caught. The cause goes to the log; the caller gets a request id to ask with. */
function failure(log: ApiLog, requestId: string, cause: unknown): Problem {
  if (cause instanceof OutageError) {
    log({ level: "warn", message: "a request met an outage", requestId, cause });
    return unavailable();
  }
  log({ level: "error", message: "a request failed", requestId, cause });
  return problem("internal", "Something went wrong on our side. Send the request again; if it goes on, report the requestId.");
}

/** A caller's own id is kept, so that its logs and ours can be joined; one that could break a log line is replaced. */
function requestIdOf(request: Request): string {
  const given = request.headers.get("x-request-id");
  return given !== null && /^[\w.:/+=-]{1,128}$/.test(given) ? given : randomUUID();
}
