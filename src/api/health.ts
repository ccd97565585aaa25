/** What a home says about itself: health for people and load balancers, metrics for Prometheus. */

import type { HealthReport } from "./answers.ts";
import type { Guard } from "./auth.ts";
import type { Handler } from "./desk.ts";
import { unavailable } from "./problem.ts";
import { jsonReply, problemReply } from "./reply.ts";

/** Whoever does not know the configured key learns the status alone. */
export function healthHandler(home: { health(): Promise<HealthReport>; version: string }, guard: Guard): Handler {
  return async (_desk, { request, requestId }) => {
    const { status, checks } = await home.health();
    const full = guard.knows(request);
    if (status === "ok") return jsonReply(200, full ? { status, version: home.version, checks } : { status });
    const wrong = [checks.store, checks.clock].filter((check) => check !== "ok");
    const detail =
      full && wrong.length > 0 ? `Not healthy: ${wrong.join("; ")}` : "Not healthy; the operator's log and the checks say why.";
    return problemReply(unavailable(detail), requestId, full ? { checks } : {});
  };
}

export function metricsHandler(home: { metrics(): Promise<string> }): Handler {
  return async () => ({ status: 200, headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" }, body: await home.metrics() });
}
