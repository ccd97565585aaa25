/** A job's text: what is written is what is read, and it stays small. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { type ChangeId, type LeaseToken, nameOf, scheduleIdOf, soleTenant } from "../../src/core/ids.ts";
import { retryDefault } from "../../src/core/retry.ts";
import type { Target } from "../../src/core/target.ts";
import { later } from "../../src/core/time.ts";
import { claim, settle } from "../../src/core/transition.ts";
import { itemOf } from "../../src/store/dynamo/record.ts";
import { encodeItem, itemCharsMax } from "../../src/store/item.ts";
import { decodeJob, encodeJob } from "../../src/store/jobItem.ts";
import { doneEnd, expectState, factsAt, inlineBody, nextJobId, startAt, waitingJob } from "../builders.ts";
import { arbitraryJob } from "./arbitrary.ts";
import { largestJob } from "./largest.ts";
import { sizeOf } from "./meteredTable.ts";

test("any job, after any changes, is read back exactly, and without a field that its state lacks", () => {
  fc.assert(
    fc.property(arbitraryJob, (job) => {
      expect(decodeJob(encodeJob(job))).toStrictEqual(job);
    }),
    { numRuns: 400 },
  );
});

test("the order of headers and labels survives", () => {
  const job = waitingJob({ target: { url: "https://h/", method: "GET", headers: { z: "1", a: "2", m: "3" } }, labels: { b: "", a: "" } });
  const found = decodeJob(encodeJob(job));
  expect([Object.keys(found.target.headers), Object.keys(found.labels)]).toEqual([
    ["z", "a", "m"],
    ["b", "a"],
  ]);
});

/**
 * The job that costs are counted for: a URL of 100 bytes, a body of 200, defaults, and a 200 at the first attempt. Keys, index keys and
 * attribute names take some 200 bytes of an item beside it, and 1 KiB is one write unit. Changes are as long as 16 random bytes make them.
 */
test("the reference job takes at most 780 bytes in every state", () => {
  const url = `https://api.example.com/${"x".repeat(76)}`;
  const facts = () => factsAt(later(startAt, 89_960), { change: nameOf(new Uint8Array(16)) as ChangeId });
  const target: Target = { url, method: "POST", headers: {} };
  const waiting = waitingJob({ target, body: inlineBody("y".repeat(200)), dueAt: later(startAt, 90_000) }, { change: facts().change });
  const running = expectState(
    claim(waiting, { token: nameOf(new Uint8Array(16)) as LeaseToken, until: later(startAt, 125_000) }, facts()).to,
    "running",
  );
  const succeeded = settle(running, doneEnd(later(startAt, 90_001)), 0, facts()).to;
  expect(url).toHaveLength(100);
  const sizes = [waiting, running, succeeded].map((job) => Buffer.byteLength(encodeJob(job)));
  expect(Math.max(...sizes)).toBeLessThanOrEqual(780);
});

test("a job that no schedule made is written as before there were schedules, and one of then is read as such", () => {
  const job = waitingJob();
  const occasion = { id: scheduleIdOf(job.tenant, "nightly"), name: "nightly", nominalAt: later(startAt, -5), tells: true };
  const text = encodeJob(job);
  expect(text).toMatch(/\["waiting",0,0,true\]\]$/);
  expect(decodeJob(text).schedule).toBeNull();
  expect(encodeJob({ ...job, schedule: occasion })).toBe(`${text.slice(0, -1)},["${occasion.id}","nightly",-5,true]]`);
});

test("the reference job, made by a schedule, takes one write unit of DynamoDB in every state", () => {
  const name = "nightly-report-emea";
  const facts = (ms: number) => factsAt(later(startAt, ms), { change: nameOf(new Uint8Array(5)) as ChangeId });
  const given = {
    target: { url: `https://api.example.com/${"x".repeat(76)}`, method: "POST", headers: {} },
    ...{ body: inlineBody("y".repeat(200)), schedule: { id: scheduleIdOf(soleTenant, name), name, nominalAt: startAt, tells: false } },
  } as const;
  const waiting = waitingJob(given, { change: facts(0).change });
  const lease = { token: nameOf(new Uint8Array(10)) as LeaseToken, until: later(startAt, 150_000) };
  const running = expectState(claim(waiting, lease, facts(1_980)).to, "running");
  const succeeded = settle(running, doneEnd(later(startAt, 2_001)), 0, facts(2_100)).to;
  for (const job of [waiting, running, succeeded]) expect(sizeOf(itemOf(job, 64))).toBeLessThanOrEqual(1_024);
});

test("the list of retried answers that nearly every job has takes one character", () => {
  expect(encodeJob(waitingJob())).toContain("true,0]");
  expect(decodeJob(encodeJob(waitingJob())).retry.retryOn).toEqual(retryDefault.retryOn);
});

test("the largest legal job fits with room to spare", () => {
  const text = encodeJob(largestJob());
  expect(text.length).toBeLessThan(itemCharsMax / 2);
});

test("a job beyond every limit is refused as a bug, by its id and size", () => {
  const job = waitingJob({ labels: { huge: "x".repeat(itemCharsMax) } });
  expect(() => encodeItem(job)).toThrow(new RegExp(`at most ${itemCharsMax} characters, got \\d+ for ${job.id}`));
});

test("a text of another format is refused, not guessed at", () => {
  const text = encodeJob(waitingJob({ id: nextJobId() }));
  expect(() => decodeJob(text.replace("[1,", "[2,"))).toThrow("expected a job of format 1, got 2");
});
