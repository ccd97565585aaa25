import { expect, test } from "vitest";
import { parseJobId } from "../../src/core/ids.ts";
import { toEpochMs } from "../../src/core/time.ts";
import { chance, createIds } from "../../src/system/chance.ts";

const ids = createIds();
const at = toEpochMs(Date.UTC(2026, 10, 22));

test("ten thousand ids of each kind are all different, across many refills of the pool", () => {
  for (const make of [() => ids.job(at), ids.payload, ids.token, () => ids.trace().traceId, () => ids.trace().spanId]) {
    expect(new Set(Array.from({ length: 10_000 }, make)).size).toBe(10_000);
  }
});

test("a job's id parses as one, and ids of later instants sort later", () => {
  const earlier = ids.job(at);
  const later = ids.job(toEpochMs(at + 1));
  expect(parseJobId(earlier)).toBe(earlier);
  expect(earlier < later).toBe(true);
});

test("names have the lengths that their bytes give: 8 for a change, 16 for a token, 26 for a payload, 32 and 16 hex digits for a trace and its span", () => {
  expect([ids.change().length, ids.token().length, ids.payload().length]).toEqual([8, 16, 26]);
  expect(ids.trace()).toEqual({ traceId: expect.stringMatching(/^[0-9a-f]{32}$/), spanId: expect.stringMatching(/^[0-9a-f]{16}$/) });
});

test("every bit of a drawn name is sometimes one and sometimes zero", () => {
  const seen = Array.from({ length: 16 }, () => new Set<string>());
  for (let round = 0; round < 2_000; round++) [...ids.token()].forEach((char, place) => void seen[place]?.add(char));
  for (const chars of seen) expect(chars.size).toBe(32);
});

test("a draw of chance is in [0, 1)", () => {
  for (let round = 0; round < 1_000; round++) {
    const fraction = chance();
    expect(fraction >= 0 && fraction < 1).toBe(true);
  }
});
