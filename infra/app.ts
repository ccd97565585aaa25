/** What `cdk` runs: reads the settings, refuses wrong ones before anything is made, and builds the stack under the rules of the packs. */

import { App, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks, ServerlessChecks } from "cdk-nag";
import { readSettings } from "./settings.ts";
import { makeStack } from "./stack.ts";

const exitWrong = 2;

const app = new App({ analyticsReporting: false, autoSynth: false });
const read = readSettings({ context: app.node.getAllContext(), env: process.env });
if ("wrong" in read) {
  process.stderr.write(`${read.wrong.join("\n")}\n`);
  process.exitCode = exitWrong;
} else {
  for (const warning of read.warnings) process.stderr.write(`${warning}\n`);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
  makeStack(app, read.settings);
  app.synth();
}
