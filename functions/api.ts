/** The door of the HTTP API: requests from API Gateway, answered by the same API as at home. It calls nobody, and holds no code that could. */

import { LambdaClient } from "@aws-sdk/client-lambda";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Context } from "aws-lambda";
import { Hono } from "hono";
import { handle, type LambdaEvent } from "hono/aws-lambda";
import * as z from "zod";
import { type Problem, problem, unavailable } from "../src/api/problem.ts";
import { problemReply } from "../src/api/reply.ts";
import { type Api, type ApiParams, createApi } from "../src/api/routes.ts";
import { soleTenant } from "../src/core/ids.ts";
import { OutageError } from "../src/engine/ports.ts";
import { dynamoDeadLetters } from "../src/store/dynamo/deadLetters.ts";
import { dynamoTickPlans } from "../src/store/dynamo/tickPlan.ts";
import type { Log } from "../src/system/log.ts";
import { type AdminKey, createAdminKey } from "./adminKey.ts";
import { door, readEvent } from "./door.ts";
import { createHealth } from "./health.ts";
import type { FunctionMetrics } from "./metrics.ts";
import { clientDefaults, compose, noDeliver, openBuilding, version } from "./runtime.ts";
import { everywhere, readSettings } from "./settings.ts";
import { createTicks, ticksClientConfig } from "./ticks.ts";

/** API Gateway's HTTP API, payload format 2.0. */
const HttpEvent = z
  .looseObject({
    version: z.literal("2.0"),
    rawPath: z.string(),
    rawQueryString: z.string(),
    headers: z.record(z.string(), z.string()),
    requestContext: z.looseObject({ requestId: z.string(), http: z.looseObject({ method: z.string() }) }),
    body: z.string().optional(),
    isBase64Encoded: z.boolean().optional(),
  })
  .refine(({ body = "", isBase64Encoded }) => isBase64Encoded !== true || (body.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(body)), {
    path: ["body"],
    message: "expected base64",
  });

type Parts = {
  readonly adminKey: () => Promise<AdminKey>;
  /** The API for a key; made anew only when the key has changed. */
  readonly apiFor: (key: AdminKey) => Api;
  /** Rejects with `OutageError` while this instance's clock is off: what it creates would be owed at wrong instants. */
  readonly refuseWhenOff: () => Promise<void>;
  readonly log: Log;
  readonly metrics: Pick<FunctionMetrics, "count">;
};

export function createApiDoor({ adminKey, apiFor, refuseWhenOff, log, metrics }: Parts) {
  let made: { readonly of: AdminKey; readonly api: Api } | undefined;

  async function serve(request: Request): Promise<Response> {
    try {
      await refuseWhenOff();
      const key = await adminKey();
      if (made?.of.key !== key.key) made = { of: key, api: apiFor(key) };
      return await made.api.fetch(request);
    } catch (cause) {
      log(cause instanceof OutageError ? "warn" : "error", "a request could not be served", { cause });
      if (cause instanceof OutageError) metrics.count("Outages");
      return refusal(
        request,
        cause instanceof OutageError
          ? unavailable()
          : problem("internal", "The installation is not set up as it must be; its log says what is missing."),
      );
    }
  }

  const app = new Hono();
  app.all("*", ({ req }) => serve(req.raw));
  const answer = handle(app);

  return async (event: unknown, context: Context) => {
    const read = readEvent(HttpEvent, event, "a request of API Gateway's HTTP API in format 2.0");
    const { requestContext, body, ...request } = read;
    // The id of API Gateway's access log, unless the caller brought one.
    const headers = { "x-request-id": requestContext.requestId, ...read.headers };
    // API Gateway lets one pass with any method; a request of these has none, and at home it is passed over too.
    const isRead = requestContext.http.method === "GET" || requestContext.http.method === "HEAD";
    const rawPath = rewritten(request.rawPath);
    return answer({ ...request, rawPath, requestContext, headers, ...(isRead ? {} : { body }) } as unknown as LambdaEvent, context);
  };
}

/**
 * API Gateway decodes the path. What no path of a URL has as it is, and would end it there or vanish from it, is encoded again: else
 * `nightly%23old` would be a request for `nightly`.
 */
function rewritten(path: string): string {
  return path.replace(/[?#\\ \p{Cc}]/gu, encodeURIComponent);
}

function refusal(request: Request, of: Problem): Response {
  const requestId = request.headers.get("x-request-id") ?? "unknown";
  const { status, headers, body } = problemReply(of, requestId);
  return new Response(body, { status, headers: { ...headers, "cache-control": "no-store", "x-request-id": requestId } });
}

const names = [...everywhere, "queueUrls", "allowTargets", "adminKeySecret", "auth", "reconcile"] as const;
const settings = readSettings(process.env, names);
const building = openBuilding<"queueUrls">(settings);
const { clock, log, metrics, skew, table } = building;
const engine = compose(building, noDeliver);
const plans = dynamoTickPlans(table, settings.shards);

const api: Omit<ApiParams, "access" | "cursorKey"> = {
  ...{ engine, tenant: soleTenant, allow: settings.allowTargets, maxTimeoutMs: settings.maxTimeoutMs, version },
  health: createHealth({ plans, skew, now: clock.now, tickMs: settings.tickMs }),
  deadLetters: dynamoDeadLetters({ table, now: clock.now }),
  ticks: createTicks({ plans, lambda: new LambdaClient(ticksClientConfig), reconcile: settings.reconcile, log }),
  log({ level, message, requestId, cause }) {
    if (cause instanceof OutageError) metrics.count("Outages");
    log(level, message, { requestId, cause });
  },
};

export const handler = door(
  building,
  createApiDoor({
    adminKey: createAdminKey({ client: new SecretsManagerClient(clientDefaults), secret: settings.adminKeySecret, clock }),
    apiFor: ({ key, cursorKey }) =>
      createApi({ ...api, cursorKey, access: settings.auth === "iam" ? { kind: "judged" } : { kind: "key", key } }),
    // A fresh answer of the table decides: it is the one that was off which may have been mended.
    async refuseWhenOff() {
      if (skew.refusal() !== undefined) await plans.read();
    },
    ...{ log, metrics },
  }),
);
