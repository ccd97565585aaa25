import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import { openApi } from "../../src/api/openapi.ts";
import { problemKinds } from "../../src/api/problem.ts";
import { shapesFor } from "../../src/api/schema.ts";
import { limits } from "../../src/core/limits.ts";
import { openCaller } from "./caller.ts";

type Operation = {
  operationId: string;
  parameters: { name: string; in: string }[];
  responses: Record<string, unknown>;
  requestBody?: { content: { "application/json": { example: Record<string, unknown> } } };
};
type Document = {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { properties: Record<string, Record<string, unknown>> }> };
};

async function served(): Promise<Document> {
  return JSON.parse((await openCaller().send("GET", "/openapi.json")).text);
}

describe("the OpenAPI document", () => {
  test("is valid OpenAPI 3.1", async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(await served());
    expect(errors ?? []).toEqual([]);
    expect([valid, validator.version]).toEqual([true, "3.1"]);
  });

  test("names every path and method that is served, and no other", async () => {
    const caller = openCaller();
    const { paths } = await served();
    for (const [path, operations] of Object.entries(paths)) {
      const { headers } = await caller.send("QUERY", path.replace("{id}", "job_00000000000000000000000000").replace("{name}", "nightly"));
      const allowed = headers
        .get("allow")
        ?.split(", ")
        .filter((method) => method !== "HEAD")
        .sort();
      expect([path, allowed]).toEqual([
        path,
        Object.keys(operations)
          .map((method) => method.toUpperCase())
          .sort(),
      ]);
    }
    expect(Object.keys(paths)).toHaveLength(19);
  });

  test("describes every status that a problem can have, and each operation has its own name", async () => {
    const { paths } = await served();
    const operations = Object.values(paths).flatMap((path) => Object.values(path));
    const statuses = new Set(operations.flatMap(({ responses }) => Object.keys(responses)));
    for (const { status } of Object.values(problemKinds)) expect(statuses).toContain(String(status));
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  });

  test("states the bounds that requests are judged by, those of the home included", async () => {
    const { components } = openApi(shapesFor({ timeoutMsMax: 120_000 }), "1", []) as unknown as Document;
    const create = components.schemas["CreateJob"]?.properties;
    expect(create?.["timeout"]?.["description"]).toContain("1s – 2m");
    expect(create?.["retry"]).toMatchObject({ properties: { maxAttempts: { maximum: limits.attemptMax } }, additionalProperties: false });
    expect(create?.["labels"]).toMatchObject({ type: "object", maxProperties: limits.labelsMax });
  });

  test("its examples are taken by the API", async () => {
    const caller = openCaller();
    const { paths } = await served();
    const example = (path: string, method: string) => paths[path]?.[method]?.requestBody?.content["application/json"].example;
    const { id } = await caller.job(201, "POST", "/v1/jobs", {
      body: { ...example("/v1/jobs", "post"), dueAt: "2027-02-01T00:00:00Z", key: "k" },
    });
    const batch = JSON.parse((await caller.send("POST", "/v1/jobs/batch", { body: example("/v1/jobs/batch", "post") })).text);
    expect(batch.results.map(({ status }: { status: number }) => status)).toEqual([201, 201]);
    await caller.job(200, "PATCH", `/v1/jobs/${id}`, { body: example("/v1/jobs/{id}", "patch") });
    await caller.answer(201, "PUT", "/v1/calendars/free", { body: example("/v1/calendars/{name}", "put") });
    const own = "/v1/schedules/{name}";
    await caller.schedule(201, "PUT", "/v1/schedules/report", { body: example(own, "put") });
    await caller.schedule(200, "PATCH", "/v1/schedules/report", { body: example(own, "patch") });
    await caller.answer(200, "PUT", "/v1/schedules", { body: example("/v1/schedules", "put") });
    for (const verb of ["pause", "resume"]) {
      await caller.schedule(200, "POST", `/v1/schedules/report/${verb}`, { body: example(`${own}/${verb}`, "post") });
    }
    await caller.job(201, "POST", "/v1/schedules/report/trigger", { body: example(`${own}/trigger`, "post") });
    await caller.answer(200, "POST", "/v1/schedules/report/backfill", { body: example(`${own}/backfill`, "post") });
  });
});
