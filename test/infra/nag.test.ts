import { type IVpc, Vpc } from "aws-cdk-lib/aws-ec2";
import { AwsSolutionsChecks, type NagPack, ServerlessChecks } from "cdk-nag";
import type { IConstruct } from "constructs";
import { describe, expect, test } from "vitest";
import { embedded, type Home, home } from "./home.ts";

const acknowledgedRules = "aws:cdk:acknowledged-rules";
const homes: [string, Home][] = [
  ["a stage", home()],
  ["the production stage", home({ stage: "prod", auth: "iam" })],
  ["functions in a VPC", embedded((stack) => ({ stage: "inside", network: { vpc: new Vpc(stack, "Vpc", { natGateways: 0 }) as IVpc } }))],
];

const packs = (made: Home): NagPack[] => [new AwsSolutionsChecks(made.app), new ServerlessChecks(made.app)];

/** Each acknowledgement of a rule, at the construct that it covers. */
function acknowledged(made: Home): { readonly at: IConstruct; readonly rule: string; readonly reason: string }[] {
  return made.stack.node.findAll().flatMap((construct) =>
    construct.node.metadata
      .filter(({ type }) => type === acknowledgedRules)
      .flatMap(({ data }) => Object.entries(data as Record<string, string>))
      .map(([rule, reason]) => ({ at: construct, rule: rule.replace(/^annotation::/i, ""), reason }))
      // CDK acknowledges warnings of its own.
      .filter(({ rule }) => /^(?:AwsSolutions|Serverless)-/.test(rule)),
  );
}

describe.each(homes)("%s", (_name, made) => {
  test("leaves nothing that the packs find without an acknowledgement", () => {
    const found = packs(made).flatMap((pack) => pack.validateScope(made.stack).violations);
    const ours = found.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} at ${constructPath}`).filter((line) => !line.includes("/Vpc/")),
    );
    expect(ours).toEqual([]);
  });

  test("acknowledges each with a sentence, and nothing that is not found", () => {
    const given = acknowledged(made);
    expect(given.length).toBeGreaterThan(0);
    for (const { reason } of given) expect(reason).toMatch(/^[A-Z][\s\S]{30,}\.$/);
    // Without a single acknowledgement, all that they were for is found.
    for (const { at } of given) Object.defineProperty(at.node, "metadata", { value: [], configurable: true });
    const found = packs(made)
      .flatMap((pack) => pack.validateScope(made.stack).violations)
      .flatMap(({ ruleName, violatingResources }) => violatingResources.map(({ constructPath = "" }) => ({ ruleName, constructPath })));
    const needless = given.filter(
      ({ at, rule }) =>
        !found.some(({ ruleName, constructPath }) => ruleName === rule && `${constructPath}/`.startsWith(`${at.node.path}/`)),
    );
    expect(needless.map(({ at, rule }) => `${rule} at ${at.node.path}`)).toEqual([]);
  });
});
