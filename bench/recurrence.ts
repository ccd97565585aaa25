/**
 * `npm run bench:recurrence`: what rules cost. A preview of 1,000 occurrences of rules from plain to hostile, in a process that has run
 * none before and in one that is warm, in milliseconds of processor time; 2,000 instants as they are listed after an outage; and what the
 * worst expressions of 200 characters cost to accept or refuse.
 */

import { horizonAt } from "../src/core/recurrence/bounds.ts";
import { readException, type WrittenException } from "../src/core/recurrence/exception.ts";
import type { WrittenMember } from "../src/core/recurrence/member.ts";
import { instants, nextAfter, occurrences } from "../src/core/recurrence/occurrences.ts";
import { parseRule } from "../src/core/recurrence/rule.ts";
import { formatInstant, later, parseInstant, toEpochMs } from "../src/core/time.ts";

const from = parseInstant("2026-03-27T00:00:00Z") ?? toEpochMs(0);
const zones = Intl.supportedValuesOf("timeZone");
const many = (rule: (index: number) => WrittenMember) => Array.from({ length: 1_000 }, (_, index) => rule(index));

/** Sixty but four. */
const without = (index: number) =>
  Array.from({ length: 60 }, (_, value) => value).filter((value) => value % 31 !== index % 31 && value % 29 !== index % 29);
const daysOf = (index: number) =>
  Array.from({ length: 31 }, (_, day) => day + 1).filter((day) => day > 26 || ((index >> (day % 10)) & 1) === 1);
const dates = (year: number) =>
  Array.from({ length: 366 }, (_, day) => formatInstant(toEpochMs(Date.UTC(year, 0, 1 + 2 * day))).slice(0, 10));
const calendars = new Map(Array.from({ length: 100 }, (_, index) => [`c${index}`, { dates: dates(2030 + index), weekly: ["SUN"] }]));

type Case = { readonly name: string; readonly when: WrittenMember | WrittenMember[]; readonly except?: WrittenException[] };

const berlin = "Europe/Berlin";
const cases: readonly Case[] = [
  { name: "each second, Berlin", when: { cron: "* * * * * *", timezone: berlin } },
  { name: "each minute, UTC", when: { cron: "* * * * *" } },
  { name: "half past two each day, Berlin", when: { cron: "30 2 * * *", timezone: berlin } },
  { name: "the second seconds of two o'clock, Berlin, last pass", when: { cron: "2 * 2 * * *", timezone: berlin, fold: "last" } },
  { name: "last workday of the month, New York", when: { cron: "0 9 LW * *", timezone: "America/New_York" } },
  { name: "yearly, Lord Howe", when: { cron: "@yearly", timezone: "Australia/Lord_Howe" } },
  { name: "29 February on a Sunday, Casablanca", when: { cron: "0 0 29 2 */7", timezone: "Africa/Casablanca" } },
  { name: "each second but those of the odd hours", when: { cron: "* * * * * *" }, except: [{ cron: "* 1/2 * * *" }] },
  {
    name: "each second, and exceptions that leave nothing",
    when: { cron: "* * * * * *", timezone: berlin },
    except: [{ cron: "* * * * *" }],
  },
  {
    name: "each second, and even and odd seconds excepted (given up)",
    when: { cron: "* * * * * *" },
    except: [{ cron: "*/2 * * * * *" }, { cron: "1/2 * * * * *" }],
  },
  {
    name: "each second, and a hundred exceptions that never meet it",
    when: { cron: "* * * * * *" },
    except: Array.from({ length: 100 }, (_, index) => ({ cron: `0 0 0 ${(index % 28) + 1} 1 ? 2150-2199` })),
  },
  {
    name: "1,000 rules of a minute each, Berlin",
    when: many((index) => ({ cron: `${index % 60} ${Math.floor(index / 60)} * * *`, timezone: berlin })),
  },
  { name: "1,000 leap days, each at its own minute", when: many((index) => ({ cron: `${index % 60} ${Math.floor(index / 60)} 29 2 ?` })) },
  { name: "1,000 times the same rule", when: many(() => ({ cron: "* * * * *", timezone: berlin })) },
  {
    name: "1,000 rules every five minutes in all zones",
    when: many((index) => ({ cron: "*/5 * * * *", timezone: zones[index % zones.length] })),
  },
  {
    name: "1,000 rules each second, of different seconds",
    when: many((index) => ({ cron: `${without(index)} * * * * *`, timezone: berlin })),
  },
  { name: "1,000 rules at nine, on different days", when: many((index) => ({ cron: `0 9 ${daysOf(index)} * *`, timezone: berlin })) },
  {
    name: "1,000 rules each second, in all zones",
    when: many((index) => ({ cron: `* ${index % 7}-59 * * * *`, timezone: zones[index % zones.length] })),
  },
  {
    name: "1,000 rules each minute, of different minutes in all zones",
    when: many((index) => ({ cron: `${without(index)} * * * *`, timezone: zones[index % zones.length] })),
  },
  {
    name: "1,000 rules every ten seconds, in all zones",
    when: many((index) => ({ every: "10s", from: formatInstant(later(from, -index * 10_000)), timezone: zones[index % zones.length] })),
  },
  {
    name: "1,000 rules each minute in all zones, and a hundred exceptions",
    when: many((index) => ({ cron: "* * * * *", timezone: zones[index % zones.length] })),
    except: Array.from({ length: 100 }, (_, index) => ({ cron: `0 ${index % 60} ${index % 24} ${(index % 28) + 1} * * 2026-2199` })),
  },
  {
    name: "1,000 rules each second in all zones, and every other second excepted (given up)",
    when: many((index) => ({ cron: "* * * * * *", timezone: zones[index % zones.length] })),
    except: [{ cron: "1/2 * * * * *" }],
  },
  {
    name: "each second, and a hundred calendars of 366 dates",
    when: { cron: "* * * * * *" },
    except: Array.from({ length: 100 }, (_, index) => ({ calendar: `c${index}` })),
  },
  {
    name: "1,000 rules that meet in each second",
    when: many((index) => ({ cron: `* * * * * * 2026-${2027 + (index % 170)}`, timezone: zones[index % 6] })),
  },
];

const tenZones = ["Berlin", "London", "Paris", "Dublin", "Lisbon", "Madrid", "Rome", "Moscow", "Athens", "Kyiv"];
const tens: readonly Case[] = [
  { name: "every five minutes, Berlin", when: { cron: "*/5 * * * *", timezone: berlin } },
  {
    name: "10 rules of different steps, Berlin",
    when: Array.from({ length: 10 }, (_, index) => ({ cron: `${index}-59/${index + 7} * * * *`, timezone: berlin })),
  },
  {
    name: "10 rules that meet every five minutes, in ten zones",
    when: tenZones.map((city) => ({ cron: "*/5 * * * *", timezone: `Europe/${city}` })),
  },
];

const expressions: readonly string[] = [
  `${Array.from({ length: 66 }, (_, index) => index % 60).join(",")} * * * *`,
  `0 0 ${"LW,L-1,15W,L,".repeat(13)}1 * MON#1`,
  `0 0 0 29 2 */7 ${"2190-2199,".repeat(16)}2199`,
  `0 0 */30 2 ${"MON#5,".repeat(25)}SUN#5`,
  "*".repeat(200),
  `${"?".repeat(190)} * * * *`,
  ",".repeat(200),
  `${"JANUARYY,".repeat(20)} * * * *`,
];

/** Milliseconds of this thread's processor time: what others do on the machine meanwhile does not count. */
function timed(run: () => void): number {
  const before = process.threadCpuUsage();
  run();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

function preview({ when, except }: Case): string {
  const parsed = parseRule({ when, except }, from, calendars);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.mistakes[0]));
  const { found, stoppedAt } = occurrences(parsed.rule, { from, count: 1_000 });
  return `${found.length}${stoppedAt === null ? "" : ", given up"}`;
}

/** The processor's clock is coarse: what is short is run many times, and the mean is shown. */
function measure(name: () => string, run: () => void): void {
  const first = timed(run);
  const rounds = first > 5 ? 15 : 200;
  const all = timed(() => {
    for (let round = 0; round < rounds; round++) run();
  });
  process.stdout.write(`${first.toFixed(1).padStart(9)} ${(all / rounds).toFixed(3).padStart(9)}  ${name()}\n`);
}

process.stdout.write("Preview of 1,000 occurrences, reading the rule included (ms)\n    first      warm\n");
for (const one of cases) {
  let found = "";
  const run = () => {
    found = preview(one);
  };
  measure(() => `${one.name} (${found})`, run);
}

process.stdout.write("\n2,000 instants, reading the rule included (ms)\n    first      warm\n");
for (const { name, when, except } of [...cases, ...tens]) {
  let found = 0;
  const run = () => {
    const parsed = parseRule({ when, except }, from, calendars);
    if (parsed.ok) found = instants(parsed.rule, { from, until: horizonAt, max: 2_000 }).at.length;
  };
  measure(() => `${name} (${found})`, run);
}

process.stdout.write("\nThe next occurrence after a nominal one, reading the rule included (ms)\n    first      warm\n");
for (const one of cases) {
  const run = () => {
    const parsed = parseRule({ when: one.when, except: one.except }, from, calendars);
    if (parsed.ok) nextAfter(parsed.rule, from);
  };
  measure(() => one.name, run);
}

process.stdout.write("\nTo accept or refuse an expression of 200 characters (ms)\n    first      warm\n");
for (const written of expressions) {
  const cron = written.slice(0, 200);
  const run = () => {
    parseRule({ when: { cron, timezone: berlin } }, from);
    readException({ cron }, [], { calendars: new Map(), mistakes: [] });
  };
  measure(() => JSON.stringify(cron.slice(0, 40)), run);
}
