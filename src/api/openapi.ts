/** The OpenAPI 3.1 document: every path, every status and every shape, generated from the schemas that requests are judged by. */

import * as z from "zod";
import { BatchAnswer, DeadLetterListAnswer, HealthAnswer, JobAnswer, ListAnswer, PreviewAnswer, TicksAnswer } from "./answers.ts";
import type { Handler } from "./desk.ts";
import { type ProblemCode, ProblemDocument, problemKinds } from "./problem.ts";
import { ListQuery, PageQuery } from "./query.ts";
import {
  batchExample,
  createExample,
  emptyShape,
  patchExample,
  patchTicksExample,
  patchTicksShape,
  previewExample,
  previewShape,
  type Shapes,
} from "./schema.ts";

type Json = Readonly<Record<string, unknown>>;

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
    tags: [{ name: "jobs" }, { name: "schedules" }, { name: "service" }],
    paths: Object.fromEntries(Object.entries(paths()).filter(([path]) => served.includes(path))),
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
        DeadLetterList: schemaOf(DeadLetterListAnswer, "output"),
        Ticks: schemaOf(TicksAnswer, "output"),
        Health: schemaOf(HealthAnswer, "output"),
        Problem: schemaOf(ProblemDocument, "output"),
      },
      responses: Object.fromEntries(statusesOfProblems.map((status) => [`Problem${status}`, problemResponse(status)])),
      headers: {
        RequestId: { description: "The request's id: the caller's own, or a new one.", schema: { type: "string" } },
        ETag: { description: "The job's version in quotes, for If-Match.", schema: { type: "string", examples: ['"3"'] } },
      },
    },
  };
}

function schemaOf(shape: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(shape, { io, reused: "inline" });
  return schema;
}

function propertiesOf(shape: z.ZodType): Json {
  return schemaOf(shape, "output")["properties"] as Json;
}

function batchSchema(shapes: Shapes): Json {
  const schema = schemaOf(shapes.batch, "input");
  const { jobs } = schema["properties"] as { jobs: Json };
  return { ...schema, properties: { jobs: { ...jobs, items: ref("CreateJob") } } };
}

function ref(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
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

/** What every path can answer. */
const always = [400, 401, 403, 405, 500, 503];

function problems(...statuses: number[]): Json {
  return Object.fromEntries(
    [...always, ...statuses].sort((a, b) => a - b).map((status) => [status, { $ref: `#/components/responses/Problem${status}` }]),
  );
}

function answer(description: string, schema: string, headers: Json = {}): Json {
  return {
    description,
    headers: { "X-Request-Id": { $ref: "#/components/headers/RequestId" }, ...headers },
    content: { "application/json": { schema: ref(schema) } },
  };
}

const etag = { ETag: { $ref: "#/components/headers/ETag" } };
const location = { Location: { description: "The job's path.", schema: { type: "string" } } };
const replayed = { "Idempotency-Replayed": { description: "true", schema: { type: "string", enum: ["true"] } } };

function body(schema: string, example: Json): Json {
  return { required: true, content: { "application/json": { schema: ref(schema), example } } };
}

/** For calls without fields, which take an empty object as well as nothing. */
const noFields: Json = { required: false, content: { "application/json": { schema: { $ref: "#/components/schemas/Empty" } } } };

function header(name: string, description: string, example: string): Json {
  return { name, in: "header", required: false, description, schema: { type: "string" }, example };
}

const requestId = header("X-Request-Id", "Kept and answered, where it is 1–128 letters, digits and _ . : / + = -", "my-request-1");
const jobId = { name: "id", in: "path", required: true, schema: { type: "string" }, example: "job_01JZX0V5QK3M8R6T2Y4W7B9CDE" };
const key = header("Idempotency-Key", "The same as the field `key`. The same key and request is the same job.", "order-17");
const ifMatch = header("If-Match", "Change only this version; 412 otherwise.", '"3"');

function queryParameters(shape: z.ZodType): Json[] {
  const properties = propertiesOfInput(shape);
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    required: false,
    ...(description !== undefined && { description }),
    schema,
  }));
}

function propertiesOfInput(shape: z.ZodType): Record<string, Json> {
  return schemaOf(shape, "input")["properties"] as Record<string, Json>;
}

function operation(
  id: string,
  tag: string,
  summary: string,
  rest: { parameters?: Json[]; requestBody?: Json; responses: Json; security?: Json[] },
): Json {
  const { parameters = [], ...others } = rest;
  return { operationId: id, tags: [tag], summary, parameters: [...parameters, requestId], ...others };
}

function paths(): Json {
  return {
    "/v1/jobs": {
      post: operation("createJob", "jobs", "Make a job", {
        parameters: [key],
        requestBody: body("CreateJob", createExample),
        responses: {
          200: answer("The key stands for this very request already: its job.", "Job", { ...etag, ...location, ...replayed }),
          201: answer("Made, and durable.", "Job", { ...etag, ...location }),
          ...problems(409, 413, 415, 422),
        },
      }),
      get: operation("listJobs", "jobs", "List jobs, newest first", {
        parameters: queryParameters(ListQuery),
        responses: { 200: answer("A page.", "JobList"), ...problems() },
      }),
    },
    "/v1/jobs/batch": {
      post: operation("createJobs", "jobs", "Make up to 1,000 jobs", {
        requestBody: body("CreateBatch", batchExample),
        responses: {
          200: answer("One result for each job, in order; one bad item spoils no other.", "BatchResults"),
          ...problems(413, 415),
        },
      }),
    },
    "/v1/jobs/{id}": {
      get: operation("getJob", "jobs", "Look at a job", {
        parameters: [jobId],
        responses: { 200: answer("The job.", "Job", etag), ...problems(404) },
      }),
      patch: operation("changeJob", "jobs", "Change a waiting job", {
        parameters: [jobId, ifMatch],
        requestBody: body("PatchJob", patchExample),
        responses: { 200: answer("The job as it stands now.", "Job", etag), ...problems(404, 409, 412, 413, 415, 422) },
      }),
    },
    "/v1/jobs/{id}/cancel": {
      post: operation("cancelJob", "jobs", "Call a job off", {
        parameters: [jobId],
        requestBody: noFields,
        responses: {
          200: answer(
            "cancelled: nothing is in flight and nothing starts. running with cancelRequestedAt: the call in flight is aborted, and no attempt starts after it.",
            "Job",
            etag,
          ),
          ...problems(404, 409, 413, 415),
        },
      }),
    },
    "/v1/jobs/{id}/replay": {
      post: operation("replayJob", "jobs", "Do the call of an ended job again, as a new job", {
        parameters: [jobId],
        requestBody: noFields,
        responses: { 201: answer("The new job.", "Job", { ...etag, ...location }), ...problems(404, 409, 413, 415) },
      }),
    },
    "/v1/schedules/preview": {
      post: operation("previewSchedule", "schedules", "Show when a rule would fire, and store nothing", {
        requestBody: body("PreviewSchedule", previewExample),
        responses: { 200: answer("The next occurrences; none where the exceptions leave nothing.", "Preview"), ...problems(413, 415) },
      }),
    },
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
