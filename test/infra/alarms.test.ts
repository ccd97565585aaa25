import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type CountName, createFunctionMetrics } from "../../functions/metrics.ts";
import { toEpochMs } from "../../src/core/time.ts";
import { get, type Home, home, type Json, type Properties } from "./home.ts";
import { root } from "./root.ts";

const topic = "arn:aws:sns:eu-central-1:123456789012:alarms";
const dev = home();
const told = home({ stage: "prod", alarmTopicArn: topic });

const pagesFolder = `${root}/docs/operations`;
const pageOf = (alarm: Properties) => /See docs\/operations\/([a-z-]+)\.md\.$/.exec(String(alarm["AlarmDescription"]))?.[1];
const alarmsOf = (made: Home) => [...made.all("AWS::CloudWatch::Alarm").values()];

/** What makes an alarm sound, in one line. */
function condition(made: Home, alarm: Properties): string {
  const dimensions = (alarm["Dimensions"] as readonly Properties[]).map(({ Name, Value }) => `${Name}=${made.named(Value)}`);
  const symbol = { GreaterThanOrEqualToThreshold: ">=", LessThanThreshold: "<" }[String(alarm["ComparisonOperator"])];
  const measured = `${alarm["Namespace"]} ${alarm["MetricName"]} ${alarm["Statistic"]} of ${Number(alarm["Period"])}s`;
  const silence = alarm["TreatMissingData"] === "breaching" ? ", or silence" : "";
  const periods = Number(alarm["EvaluationPeriods"]);
  expect(alarm["DatapointsToAlarm"]).toBe(periods);
  return `${measured} {${dimensions.toSorted().join(", ")}} ${symbol} ${alarm["Threshold"]}, ${periods} in a row${silence}`;
}

const waiting = (name: string) => `AWS/SQS ApproximateAgeOfOldestMessage Maximum of 60s {QueueName=queue:${name}-dead} >= 300, 1 in a row`;
const throttled = (metric: string, index = "") =>
  `AWS/DynamoDB ${metric} Sum of 60s {${index === "" ? "" : `GlobalSecondaryIndexName=${index}, `}TableName=table:onthedot-dev} >= 10, 3 in a row`;

const expected: Record<string, readonly [page: string, condition: string]> = {
  "dead-letters-waiting-critical": ["dead-letters-waiting", waiting("critical")],
  "dead-letters-waiting-high": ["dead-letters-waiting", waiting("high")],
  "dead-letters-waiting-normal": ["dead-letters-waiting", waiting("normal")],
  "dead-letters-waiting-low": ["dead-letters-waiting", waiting("low")],
  "dead-letters-waiting-ticks": ["dead-letters-waiting", waiting("ticks")],
  "dead-letters-recorded": ["dead-letters-recorded", "onthedot DeadLetters Sum of 60s {service=undertaker, stage=dev} >= 1, 1 in a row"],
  "no-ticks": ["no-ticks", "onthedot Ticks Sum of 60s {service=dispatcher, stage=dev} < 1, 3 in a row, or silence"],
  "ranges-late": ["no-ticks", "onthedot RangesLate Sum of 60s {service=dispatcher, stage=dev} >= 1, 2 in a row"],
  "dispatcher-errors": ["no-ticks", "AWS/Lambda Errors Sum of 300s {FunctionName=function:dispatcher} >= 3, 1 in a row"],
  // The longest call of 2 minutes, an executor's minute beside it, and two ticks.
  "oldest-due-late": ["oldest-due-late", "onthedot OldestDueMs Maximum of 60s {service=dispatcher, stage=dev} >= 300000, 3 in a row"],
  "ticks-not-reconciled": ["ticks-not-reconciled", "onthedot ReconcileFailed Sum of 60s {service=reconcile, stage=dev} >= 1, 1 in a row"],
  "reconcile-errors": ["ticks-not-reconciled", "AWS/Lambda Errors Sum of 300s {FunctionName=function:reconcile} >= 1, 1 in a row"],
  "executor-errors": ["executor-errors", "AWS/Lambda Errors Sum of 300s {FunctionName=function:executor} >= 1, 1 in a row"],
  "executor-throttles": ["executor-throttles", "AWS/Lambda Throttles Sum of 300s {FunctionName=function:executor} >= 10, 1 in a row"],
  "table-throttles-table-reads": ["table-throttles", throttled("ReadThrottleEvents")],
  "table-throttles-table-writes": ["table-throttles", throttled("WriteThrottleEvents")],
  "table-throttles-wheel-reads": ["table-throttles", throttled("ReadThrottleEvents", "wheel")],
  "table-throttles-wheel-writes": ["table-throttles", throttled("WriteThrottleEvents", "wheel")],
  "table-throttles-list-writes": ["table-throttles", throttled("WriteThrottleEvents", "list")],
  "api-errors": ["api-errors", "AWS/ApiGateway 5xx Sum of 300s {ApiId=api:onthedot-dev} >= 5, 1 in a row"],
};

test("these are the alarms, each with its page", () => {
  const found = Object.fromEntries(
    alarmsOf(dev).map((alarm) => [String(alarm["AlarmName"]).replace("onthedot-dev-", ""), [pageOf(alarm), condition(dev, alarm)]]),
  );
  expect(found).toEqual(expected);
});

test("each page says what it means, how to look and what to do, and is in the index; no page is without its alarm", () => {
  const pages = [...new Set(alarmsOf(dev).map(pageOf))].toSorted();
  const files = readdirSync(pagesFolder).filter((name) => name !== "README.md");
  const index = readFileSync(`${pagesFolder}/README.md`, "utf8");
  for (const page of pages) {
    expect(existsSync(`${pagesFolder}/${page}.md`), page).toBe(true);
    const text = readFileSync(`${pagesFolder}/${page}.md`, "utf8");
    expect(text.match(/^## .*$/gm), page).toEqual(["## What it means", "## How to look", "## What to do"]);
    expect(index).toContain(`(${page}.md)`);
  }
  expect(files.toSorted()).toEqual(pages.map((page) => `${page}.md`));
});

test("the pages name only what there is", () => {
  const text = readdirSync(pagesFolder)
    .map((name) => readFileSync(`${pagesFolder}/${name}`, "utf8"))
    .join("\n");
  const named = dev.resources.flatMap(([, { Properties = {} }]) => Object.values(Properties).filter((value) => typeof value === "string"));
  const mentioned = [...text.matchAll(/(?:\/aws\/\w+\/)?onthedot-\$STAGE(?:-[a-z-]*[a-z])?(?![-\w{$]|-\$)/g)].map(([name]) =>
    name.replace("$STAGE", "dev"),
  );
  expect(mentioned.length).toBeGreaterThan(20);
  expect([...new Set(mentioned)].filter((name) => !named.includes(name))).toEqual([]);
  const asked = [...text.matchAll(/onthedot ticks\s+(\w+)/g)].map(([, action]) => action);
  expect(new Set(asked)).toEqual(new Set(["status", "pause", "resize"]));
  const settings = [...text.matchAll(/-c (\w+)=/g)].map(([, name = ""]) => name);
  expect(settings.filter((name) => !["stage", "alarmTopicArn", "shards"].includes(name))).toEqual([]);
});

test("an alarm and its end are told to the topic, where there is one", () => {
  for (const alarm of alarmsOf(told)) expect([alarm["AlarmActions"], alarm["OKActions"]]).toEqual([[topic], [topic]]);
  for (const alarm of alarmsOf(dev)) expect([alarm["AlarmActions"], alarm["OKActions"]]).toEqual([undefined, undefined]);
});

type Emf = {
  readonly _aws: {
    readonly CloudWatchMetrics: readonly {
      readonly Namespace: string;
      readonly Dimensions: readonly string[][];
      readonly Metrics: readonly { Name: string }[];
    }[];
  };
  readonly [value: string]: unknown;
};

/** Every metric that a function writes when it counts one of each, with its dimensions. */
function written(service: string): Set<string> {
  vi.stubEnv("POWERTOOLS_SERVICE_NAME", service);
  vi.stubEnv("POWERTOOLS_METRICS_NAMESPACE", String(dev.environment(service)["POWERTOOLS_METRICS_NAMESPACE"]));
  // Powertools writes past the console that tests may silence.
  const lines: string[] = [];
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);
  const log = vi.spyOn(console, "log").mockImplementation((text) => void lines.push(String(text)));
  const metrics = createFunctionMetrics({ stage: "dev", now: () => toEpochMs(1_000) });
  const counts: readonly CountName[] = [
    "Ticks",
    "Paused",
    "RangesLate",
    "Named",
    "Stretches",
    "DeadLetters",
    "ReconcileFailed",
    "LeaseLost",
    "Outages",
    "HintsDropped",
  ];
  for (const name of counts) metrics.count(name);
  for (const value of ["succeeded", "exhausted", "aged", "refused", "expired", "cancelled"])
    metrics.count("Jobs", 1, { name: "because", value });
  type Observation = Parameters<typeof metrics.observe>[0];
  const answer = { kind: "response", status: 200, sentAt: toEpochMs(1_000), endedAt: toEpochMs(1_050) };
  metrics.observe({ kind: "called", job: { nextAttemptAt: toEpochMs(990) }, answer } as unknown as Observation);
  metrics.observe({ kind: "turned", named: 1, stretches: 1, oldestWakeAt: toEpochMs(0) } as unknown as Observation);
  metrics.flush();
  write.mockRestore();
  log.mockRestore();
  return new Set(
    lines
      .flatMap((text) => text.split("\n"))
      .filter((text) => text.startsWith("{"))
      .map((text) => JSON.parse(text) as Emf)
      .flatMap((emf) =>
        emf._aws.CloudWatchMetrics.flatMap(({ Namespace, Dimensions, Metrics }) =>
          Metrics.flatMap(({ Name }) =>
            Dimensions.map((names) =>
              metricLine(
                Namespace,
                Name,
                names.map((name) => [name, String(emf[name])]),
              ),
            ),
          ),
        ),
      ),
  );
}

function metricLine(namespace: string, name: string, dimensions: readonly (readonly string[])[]): string {
  return `${namespace} ${name} ${dimensions
    .map((pair) => pair.join("="))
    .toSorted()
    .join(" ")}`;
}

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("what alarms look at is what the functions write", () => {
  test.each(["undertaker", "dispatcher", "reconcile"])("of %s", (service) => {
    const own = alarmsOf(dev).filter((alarm) => alarm["Namespace"] === "onthedot");
    const watched = own
      .map((alarm) =>
        metricLine(
          "onthedot",
          String(alarm["MetricName"]),
          (alarm["Dimensions"] as readonly Properties[]).map(({ Name, Value }) => [String(Name), String(Value)]),
        ),
      )
      .filter((line) => line.includes(`service=${service}`));
    expect(watched.length).toBeGreaterThan(0);
    const has = written(service);
    expect(watched.filter((line) => !has.has(line))).toEqual([]);
  });
});

/** CDK writes the body in pieces around references. */
function bodyOf(dashboard: Properties): {
  readonly widgets: readonly { readonly properties: { readonly title: string; readonly metrics?: readonly Json[][] } }[];
} {
  const parts = get(dashboard, "DashboardBody", "Fn::Join", 1) as readonly Json[];
  return JSON.parse(parts.map((part) => (typeof part === "string" ? part : dev.named(part))).join(""));
}

test("the dashboard shows ticks, lateness, calls, failures, queues and the table, from metrics that are written", () => {
  const dashboard = dev.one("AWS::CloudWatch::Dashboard", "DashboardName", "onthedot-dev");
  const { widgets } = bodyOf(dashboard);
  expect(widgets.map(({ properties }) => properties.title)).toEqual([
    "Alarms",
    "Ticks",
    "Oldest due job, ms late",
    "Hinted by a turn",
    "First byte, ms late",
    "Call, ms",
    "Jobs ended",
    "Errors",
    "Throttles and losses",
    "API",
    "Hints in the queues",
    "Dead letters: oldest, s",
    "Table: units and throttles",
  ]);
  const own = widgets
    .flatMap(({ properties }) => properties.metrics ?? [])
    .filter(([namespace]) => namespace === "onthedot")
    .map(([namespace, name, ...rest]) => {
      const texts = rest.filter((part): part is string => typeof part === "string");
      const pairs = texts.flatMap((text, index) => (index % 2 === 0 ? [[text, texts[index + 1] ?? ""]] : []));
      return metricLine(String(namespace), String(name), pairs);
    });
  const has = new Set([...written("dispatcher"), ...written("executor"), ...written("undertaker")]);
  expect(own.filter((line) => !has.has(line))).toEqual([]);
  expect(own.length).toBeGreaterThan(15);
});
