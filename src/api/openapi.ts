/** The OpenAPI 3.1 document: every path, every status and every shape, generated from the schemas that requests are judged by. */

import { BatchAnswer, DeadLetterListAnswer, HealthAnswer, JobAnswer, ListAnswer, PreviewAnswer, TicksAnswer } from "./answers.ts";
import type { Handler } from "./desk.ts";
import { jobPaths } from "./jobPaths.ts";
import { answer, body, type Json, operation, problems, propertiesOf, queryParameters, ref, schemaOf } from "./operation.ts";
import { type ProblemCode, ProblemDocument, problemKinds } from "./problem.ts";
import { PageQuery } from "./query.ts";
import { schedulePaths, scheduleSchemas } from "./schedulePaths.ts";
import { emptyShape, patchTicksExample, patchTicksShape, previewShape, type Shapes } from "./schema.ts";

/** `served`: the paths that this home has. */
export function openApiHandler(shapes: Shapes, version: string, served: () => readonly string[]): Handler {
  let text: string | undefined;
  return async () => {
    // Made when it is first asked for: a function that never answers it should not start slower for it.
    text ??= JSON.stringify(openApi(shapes, version, served()));
    return { status: 200, headers: { "content-type": "application/json" }, body: text };
  };
}

export function openApi(shapes: Shapes, version: string, served: readonly string[]): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "onthedot",
      version,
      description:
        "Calls your URL on the dot. Every error is a problem document (RFC 9457); a 2xx to a write means that the write is durable.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    security: [{ key: [] }, {}],
    tags: [{ name: "jobs" }, { name: "schedules" }, { name: "calendars" }, { name: "service" }],
    paths: Object.fromEntries(
      Object.entries({ ...jobPaths(), ...schedulePaths(), ...servicePaths() }).filter(([path]) => served.includes(path)),
    ),
    components: {
      securitySchemes: { key: { type: "http", scheme: "bearer", description: "Needed where a key is configured." } },
      schemas: {
        CreateJob: schemaOf(shapes.create, "input"),
        PatchJob: schemaOf(shapes.patch, "input"),
        CreateBatch: batchSchema(shapes),
        PreviewSchedule: schemaOf(previewShape, "input"),
        PatchTicks: schemaOf(patchTicksShape, "input"),
        Empty: schemaOf(emptyShape, "input"),
        Job: schemaOf(JobAnswer, "output"),
        JobList: {
          ...schemaOf(ListAnswer, "output"),
          properties: { ...propertiesOf(ListAnswer), data: { type: "array", items: ref("Job") } },
        },
        BatchResults: schemaOf(BatchAnswer, "output"),
        Preview: schemaOf(PreviewAnswer, "output"),
        ...scheduleSchemas(shapes),
        DeadLetterList: schemaOf(DeadLetterListAnswer, "output"),
        Ticks: schemaOf(TicksAnswer, "output"),
        Health: schemaOf(HealthAnswer, "output"),
        Problem: schemaOf(ProblemDocument, "output"),
      },
      responses: Object.fromEntries(statusesOfProblems.map((status) => [`Problem${status}`, problemResponse(status)])),
      headers: {
        RequestId: { description: "The request's id: the caller's own, or a new one.", schema: { type: "string" } },
        ETag: { description: "The version in quotes, for If-Match.", schema: { type: "string", examples: ['"3"'] } },
      },
    },
  };
}

function batchSchema(shapes: Shapes): Json {
  const schema = schemaOf(shapes.batch, "input");
  const { jobs } = schema["properties"] as { jobs: Json };
  return { ...schema, properties: { jobs: { ...jobs, items: ref("CreateJob") } } };
}

const codes = Object.keys(problemKinds) as ProblemCode[];
const statusesOfProblems = [...new Set(codes.map((code) => problemKinds[code].status))].sort((a, b) => a - b);

function problemResponse(status: number): Json {
  const own = codes.filter((code) => problemKinds[code].status === status);
  const [code = "internal"] = own;
  const { title } = problemKinds[code];
  const example = {
    type: `urn:onthedot:problem:${code}`,
    title,
    status,
    code,
    detail: "What happened and what to do.",
    requestId: "b0c1…",
    errors: [],
  };
  return {
    description: `${own.join(", ")}: ${own.map((name) => problemKinds[name].title).join("; ")}`,
    headers: { "X-Request-Id": { $ref: "#/components/headers/RequestId" } },
    content: { "application/problem+json": { schema: ref("Problem"), example } },
  };
}

function servicePaths(): Json {
  return {
    "/v1/dead-letters": {
      get: operation("listDeadLetters", "service", "List messages that nobody could handle, newest first", {
        parameters: queryParameters(PageQuery),
        responses: { 200: answer("A page.", "DeadLetterList"), ...problems() },
      }),
    },
    "/v1/ticks": {
      get: operation("getTicks", "service", "Look at the ticks that wake the dispatchers", {
        responses: { 200: answer("What is wanted, and what each range has.", "Ticks"), ...problems() },
      }),
      patch: operation("changeTicks", "service", "Pause or resume the ticks, or spread the shards over another number of them", {
        requestBody: body("PatchTicks", patchTicksExample),
        responses: { 200: answer("As things stand after it was carried out.", "Ticks"), ...problems(413, 415) },
      }),
    },
    "/v1/health": {
      get: operation("health", "service", "Whether it works", {
        security: [{}],
        responses: { 200: answer("It works.", "Health"), ...problems() },
      }),
    },
    "/v1/metrics": {
      get: operation("metrics", "service", "Metrics in Prometheus' text format", {
        responses: {
          200: {
            description: "Metrics.",
            headers: { "X-Request-Id": { $ref: "#/components/headers/RequestId" } },
            content: { "text/plain": { schema: { type: "string" } } },
          },
          ...problems(),
        },
      }),
    },
    "/openapi.json": {
      get: operation("openapi", "service", "This document", {
        security: [{}],
        responses: {
          200: {
            description: "OpenAPI 3.1.",
            headers: { "X-Request-Id": { $ref: "#/components/headers/RequestId" } },
            content: { "application/json": { schema: { type: "object" } } },
          },
          ...problems(),
        },
      }),
    },
  };
}
