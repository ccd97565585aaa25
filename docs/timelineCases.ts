/** The cases that docs/schedules.md shows: what is sent, what happens beside the rule, and what the picture says. */

import type { Misfire, Overlap, Recovery } from "../src/core/schedule.ts";
import { type EpochMs, later, minuteMs, parseInstant } from "../src/core/time.ts";
import type { Act, Case, Written } from "./timelineRun.ts";

const job = { target: { url: "https://example.com/hook" } };
const startAt = instant("2027-01-01T00:00:00Z");
const at = (minutes: number) => later(startAt, minutes * minuteMs);

function instant(text: string): EpochMs {
  const read = parseInstant(text);
  if (read === undefined) throw new Error(`expected an instant, got ${text}`);
  return read;
}

/** The parts of a case that most share: an hour of UTC, calls of a minute, nothing beside the rule. */
type Given = Pick<Case, "name" | "title" | "sentence"> & Partial<Case> & { readonly report?: Written };

function caseOf({ report, ...given }: Given): Case {
  return {
    ...{ schedules: report === undefined ? {} : { report }, from: startAt, until: at(47), gridMs: 5 * minuteMs, zone: "UTC" },
    ...{ callMs: minuteMs, acts: [], ...given },
  };
}

/** Calls that take two and a half periods. */
function overlapping(overlap: Overlap, title: string, sentence: string): Case {
  const report = { when: { cron: "*/2 * * * *" }, job: { ...job, timeout: "10m" }, overlap };
  const until = at(20.5);
  return caseOf({
    name: `overlap-${overlap.replace("_", "-")}`,
    title,
    sentence,
    report,
    until,
    gridMs: 2 * minuteMs,
    callMs: 5 * minuteMs,
  });
}

const overlap = [
  overlapping(
    "skip",
    "`skip`, the default",
    "An occurrence that meets the call before it is skipped; the next one after its end fires on its instant.",
  ),
  overlapping(
    "buffer_one",
    "`buffer_one`",
    "One waits and starts when the call before it has ended; what comes while it waits is dropped.",
  ),
  overlapping(
    "buffer_all",
    "`buffer_all`",
    "All wait, oldest first, up to 100: nothing is left out, and calls that take longer than the period fall behind.",
  ),
  overlapping(
    "replace",
    "`replace`",
    "The call before it is aborted and its job cancelled, so that the newest has its turn; one that always takes longer than the period never ends.",
  ),
  overlapping("allow", "`allow`", "Each fires on its instant, side by side."),
];

function misfiring(policy: Misfire["policy"], title: string, sentence: string, more: Partial<Written> = {}): Case {
  const outage: Act = { kind: "outage", at: at(7), until: at(33) };
  const report = {
    when: { cron: "*/5 * * * *" },
    job,
    misfire: { policy, ...more.misfire },
    ...(more.overlap && { overlap: more.overlap }),
  };
  return caseOf({ name: `misfire-${policy}`, title, sentence, report, acts: [outage] });
}

const misfire = [
  misfiring("latest", "`latest`, the default", "When somebody is there again, the last of those that were missed fires late, once."),
  misfiring("all", "`all`", "Each of them fires, oldest first, but for those that are later than `within`, and at most the newest `max`.", {
    misfire: { within: "15m" },
    overlap: "allow",
  }),
  misfiring("skip", "`skip`", "None of them fires; the rule goes on with its next instant."),
];

function pausing(recover: Recovery, title: string, sentence: string): Case {
  const acts: Act[] = [
    { kind: "pause", at: at(7) },
    { kind: "resume", at: at(33), recover },
  ];
  return caseOf({ name: `resume-${recover}`, title, sentence, report: { when: { cron: "*/5 * * * *" }, job, overlap: "allow" }, acts });
}

const resume = [
  pausing("none", "`none`, the default", "What fell into the pause stays skipped; the rule goes on with its next instant."),
  pausing("latest", "`latest`", "The last that fell into the pause fires at the resume."),
  pausing("all", "`all`", "Each that fell into the pause fires at the resume, oldest first, at most the newest `misfire.max`."),
];

function spread(name: string, title: string, sentence: string, written: Written): Case {
  return caseOf({
    name,
    title,
    sentence,
    schedules: { invoices: written, report: written, sync: written },
    until: at(59),
    gridMs: 10 * minuteMs,
  });
}

const window = [
  spread("window-span", "A span", "Each schedule has its own place in the window, the same at each occurrence.", {
    ...{ when: { cron: "*/15 * * * *" }, job, window: "10m" },
  }),
  spread(
    "window-share",
    "A share",
    "The window is a share of the time to the next occurrence, so a rule that is not even has windows that are not.",
    {
      ...{ when: { cron: "0,10,30 * * * *" }, job, window: "50%" },
    },
  ),
];

/** Berlin's clocks: from 02:00 to 03:00 on 28 March 2027, from 03:00 back to 02:00 on 31 October 2027. */
const spring = { from: instant("2027-03-28T00:05:00+01:00"), until: instant("2027-03-28T04:55:00+02:00") };
const autumn = { from: instant("2027-10-31T01:05:00+02:00"), until: instant("2027-10-31T03:55:00+01:00") };
const hours = { gridMs: 30 * minuteMs, callMs: 4 * minuteMs, zone: "Europe/Berlin" };

function ofClocks(
  name: string,
  title: string,
  sentence: string,
  rule: { readonly cron: string; readonly gap?: "shift" | "skip"; readonly fold?: "first" | "last" | "both" },
): Case {
  const { cron, ...policy } = rule;
  const report = { when: { cron, timezone: hours.zone, ...policy }, job };
  return caseOf({ name, title, sentence, report, ...hours, ...(name.startsWith("gap") ? spring : autumn) });
}

const gap = [
  ofClocks("gap-shift", "`shift`, the default", "02:30 does not exist on this night: it fires at the instant at which the gap ends.", {
    ...{ cron: "30 1-3 * * *", gap: "shift" },
  }),
  ofClocks("gap-skip", "`skip`", "02:30 does not exist on this night: it is no occurrence, and the record has none.", {
    ...{ cron: "30 1-3 * * *", gap: "skip" },
  }),
  ofClocks("gap-hourly", "A rule of every hour", "It runs by the clock, an hour of elapsed time apart, whatever `gap` says.", {
    cron: "30 * * * *",
  }),
];

const fold = [
  ofClocks("fold-first", "`first`, the default", "02:30 is shown twice: it fires in the first pass.", {
    cron: "30 1-3 * * *",
    fold: "first",
  }),
  ofClocks("fold-last", "`last`", "It fires in the second pass.", { cron: "30 1-3 * * *", fold: "last" }),
  ofClocks("fold-both", "`both`", "It fires in each.", { cron: "30 1-3 * * *", fold: "both" }),
  ofClocks("fold-hourly", "A rule of every hour", "It runs by the clock: both passes fire, whatever `fold` says.", { cron: "30 * * * *" }),
];

const windowed: Written = { when: { cron: "*/15 * * * *" }, job, window: "12m" };

/** Two minutes after a nominal instant whose call is yet to come. */
function editing(answer: string, title: string, sentence: string, written: Written): Case {
  const acts: Act[] = [{ kind: "edit", at: at(17), written }];
  return caseOf({ name: `edit-${answer}`, title, sentence, report: windowed, acts, until: at(47) });
}

const edit = [
  editing("kept", 'Another target: `"pending": "kept"`', "The occurrence stays where it is, and its call is made to the new target.", {
    ...{ ...windowed, job: { target: { url: "https://example.com/other" } } },
  }),
  editing(
    "moved",
    'Another window: `"pending": "moved"`',
    "The new rule has its nominal instant too: it gets its place in the new window.",
    {
      ...{ ...windowed, window: "6m" },
    },
  ),
  editing(
    "dropped",
    'Another rule: `"pending": "dropped"`',
    "The new rule has no such instant: it is dropped, on record, and the new rule begins.",
    {
      ...{ ...windowed, when: { cron: "5,25,45 * * * *" } },
    },
  ),
];

const exceptions = [
  caseOf({
    ...{
      name: "except",
      title: "What exceptions leave out",
      sentence: "It is on record as one stretch when the next occurrence has fired.",
    },
    report: { when: { cron: "*/5 * * * *" }, job, except: [{ cron: "15-30 * * * *" }] },
  }),
];

/** By the block of the page that shows them. */
export const sections: Readonly<Record<string, readonly Case[]>> = { overlap, misfire, resume, window, gap, fold, edit, exceptions };
