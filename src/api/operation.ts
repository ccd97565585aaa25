/** The pieces that the OpenAPI document's paths are written in. */

import * as z from "zod";

export type Json = Readonly<Record<string, unknown>>;

export function schemaOf(shape: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(shape, { io, reused: "inline" });
  return schema;
}

export function propertiesOf(shape: z.ZodType): Json {
  return schemaOf(shape, "output")["properties"] as Json;
}

export function ref(name: string): Json {
  return { $ref: `#/components/schemas/${name}` };
}

/** What every path can answer. */
const always = [400, 401, 403, 405, 500, 503];

export function problems(...statuses: number[]): Json {
  return Object.fromEntries(
    [...always, ...statuses].sort((a, b) => a - b).map((status) => [status, { $ref: `#/components/responses/Problem${status}` }]),
  );
}

export function answer(description: string, schema: string, headers: Json = {}): Json {
  return {
    description,
    headers: { "X-Request-Id": { $ref: "#/components/headers/RequestId" }, ...headers },
    content: { "application/json": { schema: ref(schema) } },
  };
}

export const etag = { ETag: { $ref: "#/components/headers/ETag" } };
export const location = { Location: { description: "Its path.", schema: { type: "string" } } };

export function body(schema: string, example: Json, need: "body" | "any" = "body"): Json {
  return { required: need === "body", content: { "application/json": { schema: ref(schema), example } } };
}

/** For calls without fields, which take an empty object as well as nothing. */
export const noFields: Json = { required: false, content: { "application/json": { schema: { $ref: "#/components/schemas/Empty" } } } };

export function header(name: string, description: string, example: string): Json {
  return { name, in: "header", required: false, description, schema: { type: "string" }, example };
}

const requestId = header("X-Request-Id", "Kept and answered, where it is 1–128 letters, digits and _ . : / + = -", "my-request-1");
export const ifMatch = header("If-Match", "Change only this version; 412 otherwise.", '"3"');
export const ifNoneMatch = header("If-None-Match", "Make it only where none of this name stands; 409 otherwise.", "*");

export function queryParameters(shape: z.ZodType): Json[] {
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

export function operation(
  id: string,
  tag: string,
  summary: string,
  rest: { parameters?: Json[]; requestBody?: Json; responses: Json; security?: Json[] },
): Json {
  const { parameters = [], ...others } = rest;
  return { operationId: id, tags: [tag], summary, parameters: [...parameters, requestId], ...others };
}
