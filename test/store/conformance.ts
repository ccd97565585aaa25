/**
 * What every store promises, as claims that could be false. A new store is proved by one line in `stores.test.ts`: nothing here knows
 * which one it runs on.
 */

import { afterAll, beforeAll, describe, vi } from "vitest";
import type { EpochMs } from "../../src/core/time.ts";
import type { Cursors, Store } from "../../src/engine/ports.ts";
import { handClock } from "../builders.ts";
import { commitClaims } from "./claims/commits.ts";
import { cursorClaims } from "./claims/cursors.ts";
import { itemClaims } from "./claims/items.ts";
import { listClaims } from "./claims/lists.ts";
import { namedClaims } from "./claims/named.ts";
import { payloadClaims } from "./claims/payloads.ts";
import { scheduleClaims } from "./claims/schedules.ts";
import { wheelClaims } from "./claims/wheel.ts";

export type Home = { readonly store: Store; readonly cursors: Cursors; close(): Promise<void> };

export type Subject = {
  readonly name: string;
  /** An empty store that reads its time from the clock. */
  open(clock: { now(): EpochMs }, shards: number): Promise<Home>;
  /** How long the wheel may lag behind commits, in real time; 0 where a page sees every commit. */
  readonly lagMs: number;
};

export type Bench = Home & {
  readonly clock: ReturnType<typeof handClock>;
  readonly shards: number;
  /** Runs checks of the wheel until they hold, for as long as it may lag. */
  eventually(check: () => Promise<void>): Promise<void>;
};

/** Runs one claim on a store. */
export type OnBench = (claim: (bench: Bench) => Promise<void>) => () => Promise<void>;

export function conforms(subject: Subject): void {
  async function openBench(shards: number): Promise<Bench> {
    const clock = handClock();
    const eventually = (check: () => Promise<void>) =>
      subject.lagMs === 0 ? check() : vi.waitFor(check, { timeout: subject.lagMs, interval: 20 });
    return { ...(await subject.open(clock, shards)), clock, shards, eventually };
  }
  /** An empty store for each claim, with one partition for each priority. */
  const onOwnBench: OnBench = (claim) => async () => {
    const bench = await openBench(1);
    try {
      await claim(bench);
    } finally {
      await bench.close();
    }
  };

  describe(`the ${subject.name} store`, () => {
    let shared: Bench;
    beforeAll(async () => {
      shared = await openBench(4);
    });
    afterAll(() => shared.close());
    /** One store for all claims that look at jobs, tenants and ranges of their own only. Its clock goes on from claim to claim. */
    const onSharedBench: OnBench = (claim) => () => claim(shared);

    describe("items", () => itemClaims(onSharedBench));
    describe("commits", () => commitClaims(onSharedBench));
    describe("schedules and calendars", () => scheduleClaims(onSharedBench));
    describe("lists", () => listClaims(onSharedBench));
    describe("lists by name", () => namedClaims(onSharedBench));
    describe("payloads", () => payloadClaims(onSharedBench));
    describe("cursors", () => cursorClaims(onSharedBench));
    describe("the wheel", () => wheelClaims(onOwnBench, onSharedBench));
  });
}
