/** One function: its bundle, its role with nothing but what it is given, its log. What each may and knows, `functions.ts` says. */

import { join } from "node:path";
import { Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import type * as ec2 from "aws-cdk-lib/aws-ec2";
import * as iam from "aws-cdk-lib/aws-iam";
import * as lambda from "aws-cdk-lib/aws-lambda";
import { LogLevel, NodejsFunction, OutputFormat } from "aws-cdk-lib/aws-lambda-nodejs";
import * as logs from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { acknowledge } from "./acknowledge.ts";
import { nameOf, ownNamespace } from "./names.ts";
import { ownNetworkInterfaces, writeLog } from "./permissions.ts";

export type DoorName = "api" | "dispatcher" | "executor" | "undertaker" | "reconcile";

/** What all functions of a stack have in common. */
export type House = {
  readonly stage: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly logRetention: logs.RetentionDays;
  readonly memoryMb: Readonly<Record<DoorName, number>>;
  /** Null: what the account has left. */
  readonly reservedConcurrency: Readonly<Record<DoorName, number>> | null;
  readonly network: Network | null;
};

/** Where functions run that must reach what only a VPC reaches. */
export type Network = {
  readonly vpc: ec2.IVpc;
  readonly vpcSubnets?: ec2.SubnetSelection;
  readonly securityGroups?: ec2.ISecurityGroup[];
};

export type DoorProps = {
  readonly house: House;
  readonly name: DoorName;
  readonly description: string;
  readonly timeoutMs: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Beside writing its log. */
  readonly permissions: readonly iam.PolicyStatement[];
  readonly recursiveLoop?: lambda.RecursiveLoop;
};

/** The doors lie beside this folder, whatever directory a command is run in. */
const root = join(import.meta.dirname, "..");

/** CommonJS packages inside a bundle of modules ask for Node's own parts by `require`. */
const requireBanner = 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);';

export class Door extends Construct {
  readonly function: NodejsFunction;
  readonly logGroup: logs.LogGroup;

  constructor(scope: Construct, id: string, props: DoorProps) {
    super(scope, id);
    const { house, name } = props;
    this.logGroup = new logs.LogGroup(this, "Log", {
      logGroupName: `/aws/lambda/${nameOf(house.stage, name)}`,
      retention: house.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = this.role(props);
    this.function = new NodejsFunction(this, "Function", {
      functionName: nameOf(house.stage, name),
      description: props.description,
      entry: join(root, "functions", `${name}.ts`),
      projectRoot: root,
      depsLockFilePath: join(root, "package-lock.json"),
      handler: "handler",
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      memorySize: house.memoryMb[name],
      timeout: Duration.millis(props.timeoutMs),
      ...(house.reservedConcurrency === null ? {} : { reservedConcurrentExecutions: house.reservedConcurrency[name] }),
      ...(props.recursiveLoop === undefined ? {} : { recursiveLoop: props.recursiveLoop }),
      ...(house.network ?? {}),
      // CDK may add nothing to it: the policy is what is written here.
      role: role.withoutPolicyUpdates(),
      logGroup: this.logGroup,
      environment: {
        ...house.environment,
        ...props.environment,
        POWERTOOLS_SERVICE_NAME: name,
        POWERTOOLS_METRICS_NAMESPACE: ownNamespace,
      },
      bundling: {
        format: OutputFormat.ESM,
        target: "node24",
        mainFields: ["module", "main"],
        // Names stay as they are, so that stack traces can be read without a map: Node would decode it, for 145 ms of a whole
        // processor, when the first error of an instance is looked at.
        minify: false,
        sourceMap: false,
        esbuildArgs: { "--minify-whitespace": true, "--minify-syntax": true },
        metafile: true,
        logLevel: LogLevel.WARNING,
        // The SDK of the runtime changes under us, and no emulator has it.
        externalModules: [],
        banner: requireBanner,
      },
    });
    acknowledge(this.function, {
      "Serverless-LambdaTracing":
        "Calls carry traceparent, and each line of the log its request: X-Ray would need a permission on every resource.",
      "Serverless-LambdaDLQ": "What invokes it keeps what fails: queues redrive, a tick is followed by the next, callers are answered.",
    });
  }

  /** What the deployed code is: changes with it. */
  get codeKey(): string {
    const { code } = this.function.node.defaultChild as lambda.CfnFunction;
    const { s3Key } = Stack.of(this).resolve(code) as lambda.CfnFunction.CodeProperty;
    return s3Key ?? "";
  }

  private role({ house, name, permissions }: DoorProps): iam.Role {
    const inVpc = house.network === null ? [] : [ownNetworkInterfaces()];
    const role = new iam.Role(this, "Role", {
      description: `What ${nameOf(house.stage, name)} may do`,
      assumedBy: new iam.ServicePrincipal("lambda.amazonaws.com"),
      inlinePolicies: { own: new iam.PolicyDocument({ statements: [writeLog(this.logGroup), ...permissions, ...inVpc] }) },
    });
    if (house.network !== null) {
      const reason =
        "Lambda makes network interfaces of its own: their ids do not exist before, and AWS lets none of these actions name them.";
      acknowledge(role, { "AwsSolutions-IAM5[Resource::*]": reason, "Serverless-LambdaStarPermissions": reason });
    }
    return role;
  }
}
