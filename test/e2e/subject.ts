/** What the end-to-end suite looks at: an installation by its base URL, and a target whose calls can be seen. And the client's verbs. */

import { expect } from "vitest";
import type { ReceivedCall } from "../../local/receiver.ts";
import type { JobAnswer, ListAnswer } from "../../src/api/answers.ts";

export type Subject = {
  /** Of the installation, without a slash at its end. */
  baseUrl(): string;
  /** Of the receiver, which answers as the path of a call says; without a slash at its end. */
  targetUrl(): string;
  /** What the receiver got of a job, in the order of arrival. */
  calls(jobId: string): readonly ReceivedCall[];
  /** Of a target that keeps what it gets byte for byte. */
  recorderUrl(): string;
  recorded(jobId: string): Recorded | undefined;
  /** How late a call may arrive at the receiver. */
  readonly latenessMsMax: number;
};

export type Recorded = { readonly headers: Readonly<Record<string, string | string[] | undefined>>; readonly body: Buffer };

export type Answer<Body> = { readonly status: number; readonly headers: Headers; readonly json: Body };

export type ProblemAnswer = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly requestId: string;
  readonly errors?: readonly { readonly field: string; readonly code: string; readonly message: string }[];
};

export type Client = ReturnType<typeof clientOf>;

/** Long enough for the slowest case, and shorter than the runner's own patience: a message of ours says more. */
const patienceMs = 20_000;
const pollMs = 25;

export const pause = (durationMs: number) => new Promise<void>((resolve) => setTimeout(resolve, durationMs));

/** Asks again until there is something, or fails with what was waited for. */
export async function until<Found>(what: string, look: () => Promise<Found | undefined> | Found | undefined): Promise<Found> {
  for (const endsAt = performance.now() + patienceMs; performance.now() < endsAt; await pause(pollMs)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`expected ${what} within ${patienceMs} ms`);
}

export function clientOf(subject: Subject) {
  async function send<Body>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<Body>> {
    const request = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const response = await fetch(`${subject.baseUrl()}${path}`, { method, headers: { ...type, ...headers }, ...request });
    return { status: response.status, headers: response.headers, json: (await response.json()) as Body };
  }

  return {
    send,
    /** A job that is taken. `path`: how the receiver is to answer. */
    async create(path: string, fields: Record<string, unknown> = {}): Promise<JobAnswer> {
      const { status, json } = await send<JobAnswer>("POST", "/v1/jobs", { target: { url: `${subject.targetUrl()}${path}` }, ...fields });
      expect([status, json]).toEqual([201, expect.objectContaining({ id: expect.any(String) })]);
      return json;
    },
    async job(id: string): Promise<JobAnswer> {
      const { status, json } = await send<JobAnswer>("GET", `/v1/jobs/${id}`);
      expect(status).toBe(200);
      return json;
    },
    ended(id: string): Promise<JobAnswer> {
      return until(`job ${id} to end`, async () => {
        const { json } = await send<JobAnswer>("GET", `/v1/jobs/${id}`);
        return json.state === "waiting" || json.state === "running" ? undefined : json;
      });
    },
    called(id: string): Promise<ReceivedCall> {
      return until(`a call of job ${id}`, () => subject.calls(id)[0]);
    },
    list(query: string): Promise<Answer<ListAnswer>> {
      return send<ListAnswer>("GET", `/v1/jobs?${query}`);
    },
    /** A request that is refused, with the form that every refusal has. */
    async problem(status: number, code: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
      const answer = await send<ProblemAnswer>(method, path, body, headers);
      expect(answer.json).toMatchObject({ type: `urn:onthedot:problem:${code}`, status, code });
      for (const text of [answer.json.title, answer.json.detail, answer.json.requestId]) expect(text).toMatch(/\S/);
      expect(answer.status).toBe(status);
      expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
      expect(answer.headers.get("x-request-id")).toBe(answer.json.requestId);
      return { ...answer.json, headers: answer.headers };
    },
  };
}
