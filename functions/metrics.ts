/**
 * The metrics of the functions, gathered over one invocation and written at its end in CloudWatch's embedded format. The alarms and
 * the dashboard go by these names. Dimensions come from closed sets, so that no target can make the number of series grow.
 */

import { Metrics, MetricUnit } from "@aws-lambda-powertools/metrics";
import { isLive } from "../src/core/job.ts";
import type { EpochMs } from "../src/core/time.ts";
import type { Observe } from "../src/engine/ports.ts";

export type CountName =
  | "Occurrences"
  | ("Created" | "Jobs" | "Calls" | "LeaseLost" | "Outages" | "HintsDropped")
  | ("Ticks" | "Paused" | "RangesLate" | "Named" | "Stretches" | "DeadLetters" | "Reconciled" | "ReconcileFailed");
type SpanName = "LatenessMs" | "CallMs" | "OldestDueMs";

/** `schedule`: written beside the count, where Logs Insights finds it; as a dimension each name would be a series of its own. */
type Dimension = { readonly name: "because" | "reason"; readonly value: string; readonly schedule?: string };

export type FunctionMetrics = {
  /** `dimension`: counted apart by this one value of a closed set. */
  count(name: CountName, value?: number, dimension?: Dimension): void;
  readonly observe: Observe;
  /** Writes what was gathered; nothing where there is nothing. */
  flush(): void;
};

export function createFunctionMetrics({ stage, now }: { readonly stage: string; readonly now: () => EpochMs }): FunctionMetrics {
  const metrics = new Metrics({ defaultDimensions: { stage } });
  /** Those with a dimension of their own, for each needs a document of its own. */
  const apart = new Map<string, { readonly name: CountName; readonly dimension: Dimension; value: number }>();
  const span = (name: SpanName, ms: number) => metrics.addMetric(name, MetricUnit.Milliseconds, Math.max(0, ms));

  function count(...[name, value = 1, dimension]: Parameters<FunctionMetrics["count"]>): void {
    metrics.addMetric(name, MetricUnit.Count, value);
    if (dimension === undefined) return;
    const key = `${name} ${dimension.value} ${dimension.schedule ?? ""}`;
    const standing = apart.get(key) ?? { name, dimension, value: 0 };
    standing.value += value;
    apart.set(key, standing);
  }

  return {
    count,
    observe: createObserve({ count, span, now }),
    flush() {
      for (const { name, dimension, value } of apart.values()) {
        const single = metrics.singleMetric().addDimension(dimension.name, dimension.value);
        if (dimension.schedule !== undefined) single.addMetadata("schedule", dimension.schedule);
        single.addMetric(name, MetricUnit.Count, value);
      }
      apart.clear();
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    },
  };
}

function createObserve(to: {
  readonly count: FunctionMetrics["count"];
  readonly span: (name: SpanName, ms: number) => void;
  readonly now: () => EpochMs;
}): Observe {
  const { count, span, now } = to;
  return (observation) => {
    switch (observation.kind) {
      case "created":
        return count("Created");
      case "changed": {
        const { to } = observation.transition;
        if (!isLive(to)) count("Jobs", 1, { name: "because", value: to.because });
        return;
      }
      case "schedule_created":
      case "rule_unreadable":
        return;
      case "schedule_changed":
        for (const { state, because, count: times } of observation.change.entries) {
          const { name: schedule } = observation.change.from;
          count("Occurrences", times, { name: "because", value: `${state}_${because}`, schedule });
        }
        return;
      case "called": {
        const { job, answer } = observation;
        const because = answer.kind === "response" ? `${Math.floor(answer.status / 100)}xx` : answer.reason;
        count("Calls", 1, { name: "because", value: because });
        if (answer.sentAt === null) return;
        span("LatenessMs", answer.sentAt - job.nextAttemptAt);
        return span("CallMs", answer.endedAt - answer.sentAt);
      }
      case "lease_lost":
        return count("LeaseLost");
      case "turned":
        count("Named", observation.named);
        count("Stretches", observation.stretches);
        return span("OldestDueMs", observation.oldestWakeAt === null ? 0 : now() - observation.oldestWakeAt);
      case "hint_dropped":
        return count("HintsDropped");
      case "outage":
        return count("Outages");
      default:
        observation satisfies never;
    }
  };
}
