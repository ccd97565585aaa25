/** The app, deployed unchanged by its own command line, and taken down again. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DescribeTimeToLiveCommand, DynamoDBClient, UpdateTimeToLiveCommand } from "@aws-sdk/client-dynamodb";
import { table } from "../../src/store/keys.ts";
import type { Env, Run } from "./command.ts";
import type { Place } from "./place.ts";

const cdk = "node_modules/aws-cdk/bin/cdk";
const quietly = ["--no-notices", "--no-color", "--progress", "events"];

export type Stack = { readonly name: string; readonly folder: string; readonly env: Env };

/** Once: all that follows takes what it has written. */
export function synthesize(run: Run, { folder, env }: Stack): Promise<void> {
  return run.quiet("cdk synth", [cdk, "synth", "--quiet", "--output", assembly(folder), ...quietly], env);
}

export async function deploy(run: Run, { name, folder, env }: Stack): Promise<Readonly<Record<string, string>>> {
  const outputs = join(folder, "outputs.json");
  await run.quiet("cdk bootstrap", [cdk, "bootstrap", "--app", assembly(folder), ...quietly], env);
  const confirmed = ["--require-approval", "never", "--outputs-file", outputs];
  await run.quiet("cdk deploy", [cdk, "deploy", name, "--app", assembly(folder), ...confirmed, ...quietly], env);
  return (JSON.parse(await readFile(outputs, "utf8")) as Record<string, Record<string, string>>)[name] ?? {};
}

export function destroy(run: Run, { name, folder, env }: Stack): Promise<void> {
  return run.quiet("cdk destroy", [cdk, "destroy", name, "--app", assembly(folder), "--force", ...quietly], env);
}

function assembly(folder: string): string {
  return join(folder, "cdk.out");
}

/** What the place's CloudFormation leaves out is set by hand, and whoever mends that place is told that the hand is no longer needed. */
export async function mendExpiry(place: Place, tableName: string): Promise<void> {
  const client = new DynamoDBClient({});
  const { TimeToLiveDescription } = await client.send(new DescribeTimeToLiveCommand({ TableName: tableName }));
  const isSet = TimeToLiveDescription?.TimeToLiveStatus?.startsWith("ENABL") === true;
  if (isSet && place.dropsExpiry === true)
    throw new Error(`${place.name} no longer drops the table's expiry: set dropsExpiry of its place in test/aws/place.ts to false`);
  if (!isSet && place.dropsExpiry === false)
    throw new Error(`expected the table to be deployed with its expiry, got ${TimeToLiveDescription?.TimeToLiveStatus ?? "none"}`);
  if (isSet) return;
  const specification = { Enabled: true, AttributeName: table.expiry };
  await client.send(new UpdateTimeToLiveCommand({ TableName: tableName, TimeToLiveSpecification: specification }));
}
