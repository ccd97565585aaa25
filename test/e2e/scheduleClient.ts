/** The verbs of whoever looks at schedules from outside. Whatever is made is deleted when the cases are over. */

import { randomUUID } from "node:crypto";
import { afterAll, expect } from "vitest";
import { type Answer, clientOf, type Subject, until } from "./subject.ts";

type Entry = {
  readonly nominalAt: string;
  readonly lastNominalAt: string;
  readonly dueAt: string;
  readonly state: string;
  readonly because: string | null;
  readonly job: string | null;
  readonly count: number;
};
export type ScheduleAnswer = {
  readonly name: string;
  readonly state: string;
  readonly version: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly next: readonly { readonly nominalAt: string; readonly dueAt: string }[];
  readonly taken: readonly Entry[];
  readonly pause: { readonly because: string; readonly reason: string | null } | null;
  readonly backfill: unknown;
  readonly pending?: string;
};
type Page = { readonly data: readonly Entry[]; readonly nextCursor: string | null };

export const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
/** The next whole second that is so far ahead. */
export const secondIn = (ms: number) => new Date(Math.ceil((Date.now() + ms) / 1_000) * 1_000).toISOString();

export function scheduleClientOf(subject: Subject) {
  const client = clientOf(subject);
  const { send } = client;
  const made = new Set<string>();

  /** A name that nothing else has, here and in earlier runs on the same installation. */
  function nameOf(what: string): string {
    const name = `${what}-${randomUUID().slice(0, 8)}`;
    made.add(name);
    return name;
  }
  const put = async (
    name: string,
    body: Record<string, unknown>,
    headers: Record<string, string> = {},
  ): Promise<Answer<ScheduleAnswer>> => {
    const answer = await send<ScheduleAnswer>(
      "PUT",
      `/v1/schedules/${name}`,
      { job: { target: { url: `${subject.targetUrl()}/` } }, ...body },
      headers,
    );
    expect([answer.status, answer.json]).toEqual([expect.toBeOneOf([200, 201]), expect.objectContaining({ name })]);
    return answer;
  };
  const get = async (name: string) => (await send<ScheduleAnswer>("GET", `/v1/schedules/${name}`)).json;
  const act = (name: string, verb: string, body?: unknown) => send<ScheduleAnswer>("POST", `/v1/schedules/${name}/${verb}`, body);
  /** Its occurrences, oldest first. */
  async function record(name: string, query = ""): Promise<readonly Entry[]> {
    const found: Entry[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const page: Answer<Page> = await send(
        "GET",
        `/v1/schedules/${name}/occurrences?limit=50${query}${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      expect(page.status).toBe(200);
      found.push(...page.json.data);
      cursor = page.json.nextCursor;
    }
    return found.filter(({ state }) => state !== "pending").toReversed();
  }
  const becomes = (name: string, what: string, has: (schedule: ScheduleAnswer) => boolean) =>
    until(
      `schedule ${name} ${what}`,
      async () => {
        const schedule = await get(name);
        return has(schedule) ? schedule : undefined;
      },
      { patienceMs: subject.patienceMs, pollMs: Math.max(subject.pollMs, 100) },
    );
  /** Rules that are over by themselves, so that nothing of a case fires into the next. */
  const seconds = (count: number, everyMs: number, aheadMs = subject.soonMs + 2_500) => {
    const first = Date.parse(secondIn(aheadMs));
    return Array.from({ length: count }, (_, index) => new Date(first + index * everyMs).toISOString());
  };
  const slow = (ms: number) => ({ target: { url: `${subject.targetUrl()}/delay/${ms}ms` } });

  afterAll(async () => {
    await Promise.all([...made].map((name) => send("DELETE", `/v1/schedules/${name}?jobs=cancel`)));
  });

  return { ...client, nameOf, put, get, act, record, becomes, seconds, slow };
}
