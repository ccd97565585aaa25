/** What the end-to-end suite looks at: an installation by its base URL, and a target whose calls can be seen. And the client's verbs. */

import { randomUUID } from "node:crypto";
import { expect } from "vitest";
import type { ReceivedCall } from "../../local/receiver.ts";
import type { JobAnswer, ListAnswer } from "../../src/api/answers.ts";

export type Subject = {
  /** Of the installation, without a slash at its end. */
  baseUrl(): string;
  /** What every request carries: who asks. */
  headers(): Readonly<Record<string, string>>;
  /** By which requests are sent: a place may bear only so many at once. */
  readonly fetch: typeof fetch;
  /** Of the receiver, which answers as the path of a call says; without a slash at its end. */
  targetUrl(): string;
  /** What the receiver got of a job, in the order of arrival. */
  calls(jobId: string): readonly ReceivedCall[];
  /** Of a target that keeps what it gets byte for byte. */
  recorderUrl(): string;
  recorded(jobId: string): Recorded | undefined;
  /** How late a call may arrive at the receiver. */
  readonly latenessMsMax: number;
  /** So far ahead that a few requests are answered before. */
  readonly soonMs: number;
  /** Longer than the slowest case takes there, and shorter than the runner's own patience: a message of ours says more. */
  readonly patienceMs: number;
  /** How often it is asked whether something has come about. */
  readonly pollMs: number;
  /** Where it counts what waits and what it does: itself, for whoever asks, or in the platform's own metrics. */
  readonly counts: "itself" | "elsewhere";
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

export const pause = (durationMs: number) => new Promise<void>((resolve) => setTimeout(resolve, durationMs));

/** Asks again until there is something, or fails with what was waited for. */
export async function until<Found>(
  what: string,
  look: () => Promise<Found | undefined> | Found | undefined,
  { patienceMs, pollMs }: Pick<Subject, "patienceMs" | "pollMs">,
): Promise<Found> {
  for (const endsAt = performance.now() + patienceMs; performance.now() < endsAt; await pause(pollMs)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`expected ${what} within ${patienceMs} ms`);
}

export function clientOf(subject: Subject) {
  const { pollMs } = subject;
  async function send<Body>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer<Body>> {
    const request = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const response = await subject.fetch(`${subject.baseUrl()}${path}`, {
      method,
      headers: { ...subject.headers(), ...type, ...headers },
      ...request,
    });
    return { status: response.status, headers: response.headers, json: (await response.json()) as Body };
  }

  /** The job once it has come so far. */
  function becomes(id: string, what: string, has: (job: JobAnswer) => boolean, patienceMs = subject.patienceMs): Promise<JobAnswer> {
    const look = async () => {
      const { json } = await send<JobAnswer>("GET", `/v1/jobs/${id}`);
      return has(json) ? json : undefined;
    };
    return until(`job ${id} ${what}`, look, { patienceMs, pollMs });
  }

  const list = (query: string) => send<ListAnswer>("GET", `/v1/jobs?${query}`);

  /** Page by page to the end, `between` two of them. */
  async function walk(query: string, limit: number, between: () => Promise<unknown> = async () => {}): Promise<JobAnswer[]> {
    const found: JobAnswer[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: Answer<ListAnswer> = await list(`${query}&limit=${limit}${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`);
      expect(page.status).toBe(200);
      expect(page.json.data.length).toBeLessThanOrEqual(limit);
      found.push(...page.json.data);
      cursor = page.json.nextCursor;
      await between();
    }
    return found;
  }

  return {
    send,
    /** A job that is taken, by a request that may be sent again where its answer was lost. `path`: how the receiver is to answer. */
    async create(path: string, fields: Record<string, unknown> = {}): Promise<JobAnswer> {
      const body = { target: { url: `${subject.targetUrl()}${path}` }, ...fields };
      const headers: Record<string, string> = "key" in fields ? {} : { "idempotency-key": randomUUID() };
      const { status, json, headers: answered } = await send<JobAnswer>("POST", "/v1/jobs", body, headers);
      const made = answered.get("idempotency-replayed") === "true" ? 200 : 201;
      expect([status, json]).toEqual([made, expect.objectContaining({ id: expect.any(String) })]);
      return json;
    },
    async job(id: string): Promise<JobAnswer> {
      const { status, json } = await send<JobAnswer>("GET", `/v1/jobs/${id}`);
      expect(status).toBe(200);
      return json;
    },
    becomes,
    ended(id: string, patienceMs?: number): Promise<JobAnswer> {
      return becomes(id, "to end", ({ state }) => state !== "waiting" && state !== "running", patienceMs);
    },
    called(id: string, patienceMs = subject.patienceMs): Promise<ReceivedCall> {
      return until(`a call of job ${id}`, () => subject.calls(id)[0], { patienceMs, pollMs });
    },
    list,
    walk,
    /** That each job of the label succeeded by one call: seen at the target first, which costs nothing, and then by pages. */
    async calledOnce(ids: readonly string[], label: string, patienceMs = subject.patienceMs): Promise<void> {
      const all = () => (ids.every((id) => subject.calls(id).length > 0) ? true : undefined);
      await until("a call of each job", all, { patienceMs, pollMs });
      const succeeded = async () => ((await walk(`label=${label}&state=succeeded`, 200)).length === ids.length ? true : undefined);
      await until("each job to succeed", succeeded, { patienceMs, pollMs });
      expect(ids.filter((id) => subject.calls(id).length !== 1)).toEqual([]);
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
