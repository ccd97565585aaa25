/** Requests as API Gateway hands them to a function: of an HTTP API in format 2.0 as AWS documents it, and in the formats that are not ours. */

type Given = {
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  readonly requestId?: string;
};

/** `path` with its query, as a caller writes it. */
export function httpEvent(method: string, path: string, given: Given = {}) {
  const { body, isBase64Encoded = false, headers = {}, cookies, requestId = "JKJaXmPLvHcESHA=" } = given;
  const [rawPath = "", rawQueryString = ""] = path.split("?");
  const parameters = [...new URLSearchParams(rawQueryString)];
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath,
    rawQueryString,
    ...(cookies === undefined ? {} : { cookies }),
    // Names in lower case, and what was sent several times joined by commas.
    headers: {
      accept: "*/*",
      "content-length": String(body?.length ?? 0),
      host: "r3pmxmplak.execute-api.us-east-2.amazonaws.com",
      "user-agent": "curl/8.9.1",
      "x-amzn-trace-id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
      "x-forwarded-for": "205.255.255.176",
      "x-forwarded-port": "443",
      "x-forwarded-proto": "https",
      ...headers,
    },
    ...(parameters.length === 0 ? {} : { queryStringParameters: Object.fromEntries(parameters) }),
    requestContext: {
      accountId: "123456789012",
      apiId: "r3pmxmplak",
      authentication: null,
      authorizer: {},
      domainName: "r3pmxmplak.execute-api.us-east-2.amazonaws.com",
      domainPrefix: "r3pmxmplak",
      http: { method, path: rawPath, protocol: "HTTP/1.1", sourceIp: "205.255.255.176", userAgent: "curl/8.9.1" },
      requestId,
      routeKey: "$default",
      stage: "$default",
      time: "10/Mar/2020:05:16:23 +0000",
      timeEpoch: 1583817383220,
    },
    ...(body === undefined ? {} : { body }),
    isBase64Encoded,
  };
}

/** Requests that reach a function by another way than the one that the stack builds. */
export const otherRequests = {
  "a request of API Gateway in format 1.0": {
    version: "1.0",
    resource: "/my/path",
    path: "/my/path",
    httpMethod: "GET",
    headers: { header1: "value1", header2: "value2" },
    multiValueHeaders: { header1: ["value1"], header2: ["value1", "value2"] },
    queryStringParameters: { parameter1: "value1", parameter2: "value" },
    multiValueQueryStringParameters: { parameter1: ["value1", "value2"], parameter2: ["value"] },
    requestContext: {
      accountId: "123456789012",
      apiId: "id",
      authorizer: { claims: null, scopes: null },
      domainName: "id.execute-api.us-east-1.amazonaws.com",
      domainPrefix: "id",
      extendedRequestId: "request-id",
      httpMethod: "GET",
      identity: { sourceIp: "192.0.2.1", userAgent: "user-agent" },
      path: "/my/path",
      protocol: "HTTP/1.1",
      requestId: "id=",
      requestTime: "04/Mar/2020:19:15:17 +0000",
      requestTimeEpoch: 1583349317135,
      resourceId: null,
      resourcePath: "/my/path",
      stage: "$default",
    },
    pathParameters: null,
    stageVariables: null,
    body: "Hello from Lambda!",
    isBase64Encoded: false,
  },
  "a request of a load balancer": {
    requestContext: {
      elb: {
        targetGroupArn: "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/lambda-279XGJDqGZ5rsrHC2Fjr/49e9d65c45c6791a",
      },
    },
    httpMethod: "GET",
    path: "/lambda",
    queryStringParameters: { query: "1234ABCD" },
    headers: { accept: "text/html", host: "lambda-alb-123578498.us-east-1.elb.amazonaws.com" },
    body: "",
    isBase64Encoded: false,
  },
  "a message of a WebSocket": {
    requestContext: {
      ...{
        routeKey: "$connect",
        eventType: "CONNECT",
        connectionId: "IJgyhcjdIAMCKHQ=",
        messageDirection: "IN",
        requestId: "IJgyhGHxIAMFqbQ=",
      },
      ...{ stage: "$default", apiId: "a", domainName: "a.execute-api.us-east-2.amazonaws.com", connectedAt: 1612222160000 },
    },
    isBase64Encoded: false,
  },
} as const;
