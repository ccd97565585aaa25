/** A stack as it would be deployed, synthesized without bundling, and its template in values that a test can ask. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, Stack } from "aws-cdk-lib";
import { Template } from "aws-cdk-lib/assertions";
import { afterAll } from "vitest";
import { OnTheDot, type OnTheDotProps } from "../../infra/onTheDot.ts";
import { readSettings } from "../../infra/settings.ts";
import { makeStack } from "../../infra/stack.ts";
import { root } from "./root.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type Properties = { readonly [name: string]: Json };
type Resource = { readonly Type: string; readonly Properties?: Properties; readonly [name: string]: unknown };

/** The flags of `cdk.json`, for they change what CDK makes. */
const flags = JSON.parse(readFileSync(join(root, "cdk.json"), "utf8")).context as Record<string, unknown>;

export type Home = ReturnType<typeof openHome>;

function openHome(app: App, stack: Stack) {
  const template = Template.fromStack(stack).toJSON() as {
    readonly Resources: Readonly<Record<string, Resource>>;
    readonly Outputs?: Readonly<Record<string, { readonly Value: Json }>>;
  };
  const resources = Object.entries(template.Resources);

  /** Of one type, by logical id. */
  function all(type: string): ReadonlyMap<string, Properties> {
    return new Map(resources.filter(([, resource]) => resource.Type === type).map(([id, { Properties = {} }]) => [id, Properties]));
  }

  /** The one of its type that carries this name. */
  function one(type: string, nameProperty: string, name: string): Properties {
    const found = [...all(type).values()].filter((properties) => properties[nameProperty] === name);
    if (found.length !== 1 || found[0] === undefined) throw new Error(`expected one ${type} named ${name}, got ${found.length}`);
    return found[0];
  }

  const door = (name: string) => one("AWS::Lambda::Function", "FunctionName", `onthedot-${stageOf()}-${name}`);
  const stageOf = () => String([...all("AWS::Scheduler::ScheduleGroup").values()][0]?.["Name"]).replace("onthedot-", "");

  function nameOf(id: string): string {
    const resource = template.Resources[id];
    if (resource === undefined) return `<${id}>`;
    const names = ["TableName", "QueueName", "FunctionName", "LogGroupName", "Name"];
    const name = names.map((property) => resource.Properties?.[property]).find((text) => typeof text === "string");
    const kind = resource.Type.split("::")[2]?.toLowerCase();
    return `${kind}:${String(name ?? id.replace(/[0-9A-F]{8}$/, "")).replace(new RegExp(`^onthedot-${stageOf()}-`), "")}`;
  }

  /** What a reference of the template stands for, by the name that the thing itself carries. */
  function named(value: Json | undefined): string {
    if (typeof value === "string") return value;
    const [kind, about] = Object.entries(value ?? {})[0] ?? [];
    if (kind === "Ref") return nameOf(String(about));
    if (kind === "Fn::GetAtt") return nameOf(String((about as readonly Json[])[0]));
    if (kind === "Fn::Join") return ((about as readonly Json[])[1] as readonly Json[]).map(named).join("");
    throw new Error(`expected a reference, got ${JSON.stringify(value)}`);
  }

  return {
    ...{ app, stack, template, resources, all, one, named, door, outputs: template.Outputs ?? {} },
    queue: (name: string) => one("AWS::SQS::Queue", "QueueName", `onthedot-${stageOf()}-${name}`),
    environment: (name: string) => get(door(name), "Environment", "Variables") as Record<string, Json>,
  };
}

/** A value deep in a resource; an error where there is none. */
export function get(properties: Properties, ...path: readonly (string | number)[]): Json {
  let at: Json = properties;
  for (const step of path) {
    at = (at as Record<string | number, Json>)[step] ?? null;
    if (at === null) throw new Error(`expected ${path.join(".")} in ${JSON.stringify(properties)}`);
  }
  return at;
}

const folders: string[] = [];

function newApp(): App {
  const outdir = mkdtempSync(join(tmpdir(), "onthedot-cdk-"));
  folders.push(outdir);
  return new App({
    outdir,
    analyticsReporting: false,
    // It takes seconds, and every `cdk synth` does it.
    builtinCloudFormationValidation: false,
    context: { ...flags, "aws:cdk:bundling-stacks": [] },
  });
}

/** `context` as after `cdk deploy -c`. */
export function home(context: Readonly<Record<string, string>> = {}): Home {
  const app = newApp();
  const read = readSettings({ context, env: {} });
  if ("wrong" in read) throw new Error(read.wrong.join("\n"));
  return openHome(app, makeStack(app, read.settings));
}

/** The construct in somebody else's stack. `props` may make what it needs in that stack. */
export function embedded(props: (stack: Stack) => OnTheDotProps): Home {
  const app = newApp();
  const stack = new Stack(app, "onthedot-theirs");
  new OnTheDot(stack, "Home", props(stack));
  return openHome(app, stack);
}

afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
