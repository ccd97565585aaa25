import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashOf, jobIdAt, jobIdOfKey, nameOf, parseJobId, soleTenant } from "../../src/core/ids.ts";
import { toEpochMs } from "../../src/core/time.ts";
import { always } from "../always.ts";
import { otherTenant, startAt } from "../builders.ts";

/** Every instant that 48 bits can hold: to the year 10889. */
const instants = fc.integer({ min: 0, max: 2 ** 48 - 1 }).map(toEpochMs);
const randoms = fc.uint8Array({ minLength: 10, maxLength: 10 });

describe("a job's id", () => {
  it("is a prefix and 26 characters of Crockford's base 32, which parse", () => {
    always(instants, randoms, (createdAt, random) => {
      const id = jobIdAt(createdAt, random);
      expect(id).toMatch(/^job_[0-9A-HJKMNP-TV-Z]{26}$/);
      expect(parseJobId(id)).toBe(id);
    });
  });

  it("sorts by creation, whatever was drawn", () => {
    always(instants, instants, randoms, randoms, (a, b, randomOfA, randomOfB) => {
      fc.pre(a !== b);
      expect(jobIdAt(a, randomOfA) < jobIdAt(b, randomOfB)).toBe(a < b);
    });
  });

  it("differs where a single drawn bit does", () => {
    always(randoms, fc.nat(79), (random, bit) => {
      const flipped = random.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(jobIdAt(startAt, flipped)).not.toBe(jobIdAt(startAt, random));
    });
  });

  it("is pinned, for it is part of the storage format", () => {
    expect(jobIdAt(startAt, new Uint8Array(10))).toBe("job_01MB78QN000000000000000000");
    expect(jobIdOfKey(soleTenant, "order-17")).toBe("job_03RSKVVJ8GFKH74J03B8B10CVH");
  });

  it("of one key is the same wherever it is computed, and another for another tenant", () => {
    expect(jobIdOfKey(soleTenant, "order-17")).toBe(jobIdOfKey(soleTenant, "order-17"));
    expect(jobIdOfKey(soleTenant, "order-17")).not.toBe(jobIdOfKey(otherTenant, "order-17"));
  });

  it("of two keys is not the same, and parses as any other", () => {
    const keys = fc.string({ minLength: 1, maxLength: 255 });
    always(keys, keys, (a, b) => {
      fc.pre(a !== b);
      expect(jobIdOfKey(soleTenant, a)).not.toBe(jobIdOfKey(soleTenant, b));
      expect(parseJobId(jobIdOfKey(soleTenant, a))).toBeDefined();
    });
  });

  it.each([
    ["lower case", "job_01mft4rng00000000000000000"],
    ["another prefix", "sch_01MFT4RNG00000000000000000"],
    ["no prefix", "01MFT4RNG00000000000000000"],
    ["a letter that Crockford leaves out", "job_01MFT4RNGI0000000000000000"],
    ["more than 128 bits", "job_81MFT4RNG00000000000000000"],
    ["25 characters", "job_01MFT4RNG0000000000000000"],
    ["27 characters", "job_01MFT4RNG000000000000000000"],
    ["a line break at the end", "job_01MFT4RNG00000000000000000\n"],
    ["nothing", ""],
  ])("is not read from %s", (_, text) => {
    expect(parseJobId(text)).toBeUndefined();
  });
});

describe("a name", () => {
  it("keeps every drawn bit", () => {
    always(fc.uint8Array({ minLength: 1, maxLength: 16 }), fc.nat(), (random, at) => {
      const flipped = random.slice();
      const index = at % random.length;
      flipped[index] = (flipped[index] ?? 0) ^ 1;
      expect(nameOf(flipped)).not.toBe(nameOf(random));
      expect(nameOf(random)).toHaveLength(Math.ceil((random.length * 8) / 5));
    });
  });
});

describe("the hash", () => {
  // The published vectors of 32-bit FNV-1a.
  it.each([
    ["", 0x811c9dc5],
    ["a", 0xe40c292c],
    ["foobar", 0xbf9cf968],
  ])("of %j is FNV-1a's", (text, hash) => {
    expect(hashOf(text)).toBe(hash);
  });
});
