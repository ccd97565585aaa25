/** The way in: an HTTP API in front of the api function, with a log of its own and a bound on what it lets through. */

import { RemovalPolicy } from "aws-cdk-lib";
import { AccessLogFormat } from "aws-cdk-lib/aws-apigateway";
import * as http from "aws-cdk-lib/aws-apigatewayv2";
import { HttpIamAuthorizer } from "aws-cdk-lib/aws-apigatewayv2-authorizers";
import { HttpLambdaIntegration } from "aws-cdk-lib/aws-apigatewayv2-integrations";
import type { IFunction } from "aws-cdk-lib/aws-lambda";
import * as logs from "aws-cdk-lib/aws-logs";
import { Construct } from "constructs";
import { acknowledge } from "./acknowledge.ts";
import { nameOf, stageName } from "./names.ts";

export type GatewayProps = {
  readonly stage: string;
  readonly api: IFunction;
  readonly auth: "key" | "iam";
  /** Requests a second, and at once, of all callers together. */
  readonly throttle: { readonly rate: number; readonly burst: number };
  readonly logRetention: logs.RetentionDays;
};

/** No header and no query: either may carry what is nobody's business. */
const logged = {
  requestId: "$context.requestId",
  at: "$context.requestTime",
  method: "$context.httpMethod",
  path: "$context.path",
  status: "$context.status",
  bytes: "$context.responseLength",
  ms: "$context.responseLatency",
  functionMs: "$context.integrationLatency",
  error: "$context.integrationErrorMessage",
  caller: "$context.identity.caller",
  ip: "$context.identity.sourceIp",
  userAgent: "$context.identity.userAgent",
};

export class Gateway extends Construct {
  readonly httpApi: http.HttpApi;

  constructor(scope: Construct, id: string, { stage, api, auth, throttle, logRetention }: GatewayProps) {
    super(scope, id);
    this.httpApi = new http.HttpApi(this, "HttpApi", {
      apiName: stageName(stage),
      description: "The HTTP API of onthedot",
      createDefaultStage: false,
    });
    const route = new http.HttpRoute(this, "Route", {
      httpApi: this.httpApi,
      // One for everything: the function answers unknown paths and methods itself, as problems.
      routeKey: http.HttpRouteKey.DEFAULT,
      integration: new HttpLambdaIntegration("Api", api, { payloadFormatVersion: http.PayloadFormatVersion.VERSION_2_0 }),
      ...(auth === "iam" ? { authorizer: new HttpIamAuthorizer() } : {}),
    });
    if (auth === "key") {
      acknowledge(route, {
        "AwsSolutions-APIG4": "The function asks for the admin key and compares it in constant time; health answers without.",
      });
    }
    const log = new logs.LogGroup(this, "Log", {
      // API Gateway may write to names of this kind without a resource policy, of which an account has ten.
      logGroupName: `/aws/vendedlogs/${nameOf(stage, "api-access")}`,
      retention: logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new http.HttpStage(this, "Stage", {
      httpApi: this.httpApi,
      stageName: "$default",
      autoDeploy: true,
      throttle: { rateLimit: throttle.rate, burstLimit: throttle.burst },
      accessLogSettings: { destination: new http.LogGroupLogDestination(log), format: AccessLogFormat.custom(JSON.stringify(logged)) },
    });
  }
}
