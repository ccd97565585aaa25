/** The paths of jobs in the OpenAPI document. */

import { answer, body, etag, header, ifMatch, type Json, location, noFields, operation, problems, queryParameters } from "./operation.ts";
import { ListQuery } from "./query.ts";
import { batchExample, createExample, patchExample } from "./schema.ts";

const jobId = { name: "id", in: "path", required: true, schema: { type: "string" }, example: "job_01JZX0V5QK3M8R6T2Y4W7B9CDE" };
const key = header("Idempotency-Key", "The same as the field `key`. The same key and request is the same job.", "order-17");
const replayed = { "Idempotency-Replayed": { description: "true", schema: { type: "string", enum: ["true"] } } };

export function jobPaths(): Json {
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
  };
}
