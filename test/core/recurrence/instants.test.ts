import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { excludedUntil } from "../../../src/core/recurrence/exception.ts";
import { instants, nextAfter } from "../../../src/core/recurrence/occurrences.ts";
import type { Rule } from "../../../src/core/recurrence/rule.ts";
import { type EpochMs, later, secondMs, toEpochMs } from "../../../src/core/time.ts";
import { always, alwaysIn } from "../../always.ts";
import { rules } from "./drawn.ts";
import { at, instants as listedInstants, ruleOf, took } from "./rules.ts";

const berlin = "Europe/Berlin";
const [from, end] = [at("2026-03-28T19:00:00Z"), at("2026-03-30T12:00:00Z")];

/** Exceptions of which one meets each second minute, as many as there may be: a search is stopped when it was turned down two hundred times. */
const costly = Array.from({ length: 98 }, (_, index) => ({ cron: `0 */2 * * * * ${2_100 + (index % 99)}` }));
costly[0] = { cron: "*/2 * * * *" };

/** All of it, in as many looks as it takes. */
function inPieces(rule: Rule, max: number, until: EpochMs = end): { at: number[]; looks: number } {
  const found: number[] = [];
  let goOnAt: EpochMs | null = from;
  let looks = 0;
  for (; goOnAt !== null; looks++) {
    const next = instants(rule, { from: goOnAt, until, max });
    expect(next.at.length).toBeLessThanOrEqual(max);
    if (next.goOnAt !== null) expect(next.goOnAt).toBeGreaterThan(goOnAt);
    found.push(...next.at);
    goOnAt = next.goOnAt;
  }
  return { at: found, looks };
}

describe("the instants of a rule", () => {
  it("are those of its occurrences, from the first that may be to before the end that is asked for", () => {
    always(rules, (written) => {
      const rule = ruleOf(written);
      expect(instants(rule, { from, until: end, max: 100_000 })).toEqual({ at: listedInstants(rule, from, end), goOnAt: null });
    });
    const hourly = ruleOf({ when: { cron: "@hourly" } });
    expect(instants(hourly, { from: at("2027-01-01T00:00:00Z"), until: at("2027-01-01T02:00:00Z"), max: 9 })).toEqual({
      at: [at("2027-01-01T00:00:00Z"), at("2027-01-01T01:00:00Z")],
      goOnAt: null,
    });
    expect(instants(hourly, { from: end, until: from, max: 9 })).toEqual({ at: [], goOnAt: null });
  });

  it("keep within the rule's own start and end", () => {
    const written = { when: { cron: "@hourly" }, startAt: at("2026-03-28T20:30:00Z"), endAt: at("2026-03-28T23:00:00Z") };
    expect(instants(ruleOf(written), { from, until: end, max: 9 }).at).toEqual([at("2026-03-28T21:00:00Z"), at("2026-03-28T22:00:00Z")]);
  });

  it("come in pieces that neither lose one nor give one twice", () => {
    always(rules, fc.integer({ min: 1, max: 70 }), (written, max) => {
      const rule = ruleOf(written);
      expect(inPieces(rule, max).at).toEqual(listedInstants(rule, from, end));
    });
  });

  it("say that all were found where the last of them fills the piece", () => {
    const rule = ruleOf({ when: { cron: "@hourly" } });
    expect(instants(rule, { from, until: end, max: 41 }).goOnAt).toBeNull();
    expect(instants(rule, { from, until: end, max: 40 }).goOnAt).toBe(later(end, -3_600 * secondMs));
  });

  it("of a rule whose exceptions stop the search come in pieces that lose none and give none twice", () => {
    const morning = at("2026-03-29T04:00:00Z");
    let looksMax = 0;
    alwaysIn(20, rules, ({ when: drawn, except }) => {
      const when = [...drawn, { cron: "* * * * *", timezone: berlin }];
      const bare = when.map((member) => ruleOf({ when: member }));
      const rule = ruleOf({ when, except: [...except, ...costly] });
      // The others among the costly ones have years that lie far ahead.
      const { exceptions } = ruleOf({ when, except: [...except, ...costly.slice(0, 1)] });
      const owed = bare.flatMap((one) =>
        listedInstants(one, from, morning).filter((instant) => {
          return one.members.every(({ zone }) => excludedUntil(exceptions, zone, toEpochMs(instant)) === undefined);
        }),
      );
      const { at: found, looks } = inPieces(rule, 100_000, morning);
      expect(found).toEqual([...new Set(owed)].toSorted((a, b) => a - b));
      looksMax = Math.max(looks, looksMax);
    });
    expect(looksMax).toBeGreaterThan(1);
  });

  it("are searched in the order of time: a member that is excepted for ever does not use up what others need", () => {
    const when = [{ cron: "*/10 * * * * *" }, { every: "8m", from: "2026-03-28T12:00:00Z" }];
    const { at: found, looks } = inPieces(ruleOf({ when, except: costly }), 100_000);
    expect(found).toHaveLength(41 * 30 * 6);
    // Of 1,230 minutes and 308 eights that are turned down, each piece takes two hundred.
    expect(looks).toBeLessThan(10);
  });

  it("go on from a nominal one as the next occurrence does", () => {
    always(rules, (written) => {
      const rule = ruleOf(written);
      const [first, second] = instants(rule, { from, until: end, max: 2 }).at;
      if (first === undefined || second === undefined) return;
      expect(nextAfter(rule, first)).toMatchObject({ kind: "next", occurrence: { nominalAt: second } });
    });
  });

  it("that a rule owes after an outage are found soon", () => {
    const zones = ["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"];
    const union = Array.from({ length: 10 }, (_, index) => ({ cron: `${index}-59/${index + 7} * * * *`, timezone: zones[index % 5] }));
    for (const when of [{ cron: "* * * * * *", timezone: berlin }, { cron: "*/5 * * * *", timezone: berlin }, union]) {
      const rule = ruleOf({ when });
      const look = { from, until: toEpochMs(9e12), max: 2_000 };
      instants(rule, look);
      expect(took(() => expect(instants(rule, look).at).toHaveLength(2_000))).toBeLessThan(50);
    }
  });
});
