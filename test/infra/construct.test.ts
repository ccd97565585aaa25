import { RemovalPolicy } from "aws-cdk-lib";
import { type IVpc, Vpc } from "aws-cdk-lib/aws-ec2";
import { describe, expect, test, vi } from "vitest";
import { Door } from "../../infra/door.ts";
import { embedded, get, home, type Properties } from "./home.ts";

const doors = ["api", "dispatcher", "executor", "reconcile", "undertaker"];
const sameShape = (template: unknown) => JSON.stringify(template).replaceAll("Home", "OnTheDot");

describe("the construct in somebody else's stack", () => {
  test("asks for the stage alone, and has the defaults of cdk deploy", () => {
    const theirs = embedded(() => ({ stage: "dev" }));
    const types = (made: typeof theirs) => made.resources.map(([, { Type }]) => Type).toSorted();
    const ours = home();
    expect(types(theirs)).toEqual(types(ours));
    for (const name of doors) {
      const variables = (made: typeof theirs) =>
        Object.entries(made.environment(name)).map(([key, value]) => [key, sameShape(made.named(value))]);
      expect(variables(theirs)).toEqual(variables(ours));
    }
  });

  test("is held to the rules of cdk deploy", () => {
    const make = (props: object) => () => embedded(() => ({ stage: "dev", ...props }));
    expect(make({ stage: "Dev" })).toThrow("stage: expected 1 to 20 of a–z, 0–9 and -");
    expect(make({ ranges: 65 })).toThrow("ranges: expected at most the number of shards (64), got 65");
    expect(make({ maxTimeoutMs: 900_000 })).toThrow("maxTimeout: expected a duration from 1s to 14m");
    expect(make({ lookaheadMs: 60_000 })).toThrow("lookahead: expected at least 2m");
    expect(make({ stage: "live", production: true, tickMs: 5_000 })).toThrow("tick: expected 1m in production, got 5s");
    expect(make({ production: true, lookaheadMs: 60_000 })).toThrow("lookahead: expected at least 2m in production");
    expect(make({ shards: 0, allowTargets: "a b" })).toThrow(/^allowTargets: .*; shards: /);
  });

  test("can be production under another name, and leave its table or not", () => {
    const kept = (props: object) => {
      const made = embedded(() => ({ stage: "live", ...props }));
      const table = made.resources.find(([, { Type }]) => Type === "AWS::DynamoDB::Table")?.[1];
      return [
        table?.Properties?.["DeletionProtectionEnabled"],
        table?.["DeletionPolicy"],
        made.door("dispatcher")["ReservedConcurrentExecutions"],
      ];
    };
    expect(kept({})).toEqual([false, "Delete", undefined]);
    expect(kept({ production: true })).toEqual([true, "Retain", 32]);
    expect(kept({ removalPolicy: RemovalPolicy.RETAIN })).toEqual([false, "Retain", undefined]);
  });

  test("asks for its ticks anew when the code of any function has changed", () => {
    const askedWith = (keyOf: (id: string) => string) => {
      const key = vi.spyOn(Door.prototype, "codeKey", "get").mockImplementation(function (this: Door) {
        return keyOf(this.node.id);
      });
      const [deploy = {}] = embedded(() => ({ stage: "dev" }))
        .all("Custom::OnTheDotTicks")
        .values();
      key.mockRestore();
      return deploy["Code"];
    };
    const ids = ["Api", "Dispatcher", "Executor", "Reconcile", "Undertaker"];
    const [same, ...changed] = [askedWith(() => "a"), ...ids.map((changes) => askedWith((id) => (id === changes ? "b" : "a")))];
    expect(askedWith(() => "a")).toBe(same);
    expect(new Set([same, ...changed]).size).toBe(1 + ids.length);
    const [deployed = {}] = home().all("Custom::OnTheDotTicks").values();
    expect(deployed["Code"]).not.toBe(askedWith(() => ""));
  });

  test("takes memory, concurrency, pollers and throttling", () => {
    const made = embedded(() => ({
      stage: "prod",
      memoryMb: { executor: 1_769 },
      concurrency: { critical: 300, low: 10 },
      pollers: { high: { minimum: 20, maximum: 200 } },
      throttle: { rate: 50, burst: 100 },
    }));
    expect([made.door("executor")["MemorySize"], made.door("api")["MemorySize"]]).toEqual([1_769, 1_024]);
    const scaling = Object.fromEntries(
      [...made.all("AWS::Lambda::EventSourceMapping").values()].map((mapping) => [
        made.named(mapping["EventSourceArn"]),
        mapping["ScalingConfig"] ?? mapping["ProvisionedPollerConfig"],
      ]),
    );
    expect(scaling).toMatchObject({
      "queue:critical": { MaximumConcurrency: 300 },
      // AWS takes the one or the other.
      "queue:high": { MinimumPollers: 20, MaximumPollers: 200 },
      "queue:normal": { MaximumConcurrency: 100 },
      "queue:low": { MaximumConcurrency: 10 },
    });
    expect(made.door("executor")["ReservedConcurrentExecutions"]).toBe(300 + 10 * 200 + 100 + 10);
    const [stage = {}] = [...made.all("AWS::ApiGatewayV2::Stage").values()];
    expect(get(stage, "DefaultRouteSettings")).toEqual({ ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 });
  });

  test("in a VPC gives each function a place in it, and the right to a network interface and no more", () => {
    const made = embedded((stack) => ({ stage: "inside", network: { vpc: new Vpc(stack, "Vpc", { natGateways: 0 }) as IVpc } }));
    const outside = embedded(() => ({ stage: "inside" }));
    const actionsOf = (from: typeof made, name: string) => {
      const role = from.all("AWS::IAM::Role").get(String(get(from.door(name), "Role", "Fn::GetAtt", 0))) ?? {};
      const statements = get(role, "Policies", 0, "PolicyDocument", "Statement") as readonly Properties[];
      return new Set(statements.flatMap((statement) => statement["Action"]).map(String));
    };
    for (const name of doors) {
      expect(get(made.door(name), "VpcConfig", "SubnetIds")).not.toEqual([]);
      const more = [...actionsOf(made, name)].filter((action) => !actionsOf(outside, name).has(action));
      expect(more.toSorted()).toEqual([
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
      ]);
    }
    expect(outside.door("api")["VpcConfig"]).toBeUndefined();
  });
});
