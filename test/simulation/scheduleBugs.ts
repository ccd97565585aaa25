/** Planted bugs of schedules. See `bugs.ts`. */

import { type Bug, planted } from "./bug.ts";

export const scheduleBugs: readonly Bug[] = [
  planted("what follows an occurrence is sought from the time at which it was taken", "cloud", 12, [
    [
      "core/scheduleChange.ts",
      "...{ decidedUntil, ...followingOf(agenda, decidedUntil), runs: schedule.runs + owed.length },",
      "...{ decidedUntil, ...followingOf(agenda, laterOf(decidedUntil, facts.now)), runs: schedule.runs + owed.length },",
    ],
  ]),
  planted("a rule that is replaced fires again what was taken of the old one", "home", 158, [
    [
      "core/scheduleEdit.ts",
      "const until = isRuleChanged || isOver(schedule) ? laterOf(decidedUntil, facts.now) : decidedUntil;",
      "const until = isRuleChanged || isOver(schedule) ? facts.now : decidedUntil;",
    ],
  ]),
  planted("a resume replays the pause, whatever it was asked for", "home", 72, [
    ["engine/schedules/pause.ts", "resume(schedule, { recover, before", 'resume(schedule, { recover: "all", before'],
  ]),
  planted("a pause that ends by itself replays what fell into it", "cloud", 27, [
    ["engine/schedules/meet.ts", 'recover: "none", before: pausedUntil', 'recover: "latest", before: pausedUntil'],
  ]),
  planted("a pause with an end never ends", "home", 23, [
    ["core/standing.ts", "until === null ? restAt : toEpochMs(Math.min(until, restAt))", "restAt"],
  ]),
  planted("an edit loses what waits for its place in the window", "home", 555, [
    [
      "core/scheduleEdit.ts",
      "const following = kept !== undefined ? { next: kept, soughtUntil: null } : followingOf(agenda, until);",
      "const following = followingOf(agenda, until);",
    ],
  ]),
  planted("an occurrence is skipped without a record", "home", 11, [
    ["core/decide.ts", "entries: [...before, entryOf([owed], state, why)],", "entries: before,"],
  ]),
  planted("what exceptions leave out before an edit is on no record", "cloud", 533, [
    ["core/scheduleEdit.ts", "[...excluded, ...dropped]", "dropped"],
  ]),
  planted("what exceptions leave out of a pause is on no record", "home", 1624, [
    [
      "engine/schedules/past.ts",
      "const excluded = excludedEntry(agenda, { after: decidedUntil, before: until });",
      "const excluded = undefined;",
    ],
  ]),
  planted("the job is inserted before the commit that takes its occurrence", "cloud", 4, [
    ["engine/schedules/meet.ts", "\nfunction changeFor(", "\nasync function changeFor("],
    [
      "engine/schedules/meet.ts",
      '    case "take":\n',
      '    case "take":\n      await insertTaken(engine, schedule, { origin: "rule", owed: decision.owed });\n',
    ],
  ]),
  planted("a change leaves to others what was taken before it", "cloud", 39, [
    ["engine/schedules/taken.ts", "if (schedule.taken === null) return schedule;", "return schedule;"],
  ]),
  planted("a schedule moves on before the job stands", "home", 2, [
    [
      "engine/schedules/meet.ts",
      "jobs.push(...(await insertTaken(engine, schedule, schedule.taken)));",
      "insertTaken(engine, schedule, schedule.taken).catch(() => {});",
    ],
  ]),
  planted("an occurrence's job has an id of its own each time it is made", "cloud", 4, [
    ["engine/schedules/taken.ts", "id: jobIdOf(schedule, origin, nominalAt), dueAt", "id: engine.ids.job(engine.clock.now()), dueAt"],
  ]),
  planted("what waits starts whether or not the job before it has ended", "home", 125, [
    ["core/decide.ts", "if (first !== undefined && !look.isBusy)", "if (first !== undefined)"],
  ]),
  planted("the newest of what waits starts first", "home", 172, [
    ["core/decide.ts", "const [first] = buffered;", "const first = buffered.at(-1);"],
  ]),
  planted("a page of the log is written after its entries have left", "home", 37, [
    [
      "engine/schedules/commit.ts",
      "if (change.page !== null) await writePage(engine, change.from, change.page);",
      "const { page } = change; if (page !== null) engine.clock.until(engine.clock.now() + 20).then(() => writePage(engine, change.from, page)).catch(() => {});",
    ],
  ]),
  planted("a schedule that is made anew takes the jobs of the deleted one for its own", "home", 2, [
    ["core/scheduleChange.ts", "incarnation: change, decidedUntil", 'incarnation: "one", decidedUntil'],
  ]),
  planted("after an outage each missed occurrence fires", "home", 51, [
    ["core/decide.ts", "return isAll ? late.length - 1 : late.length;", "return 0;"],
  ]),
  planted("an occurrence fires beside the job that it should have waited for", "home", 11, [
    ["core/decide.ts", 'return isBusy ? pass("skipped", "overlap") : take;', "return take;"],
  ]),
  planted("a job is not called off by the one that replaces it", "home", 23, [
    [
      "engine/schedules/taken.ts",
      'if (schedule.spec.overlap === "replace" && isOfRule(schedule, taken)) await cancelEarlier(engine, schedule, taken);',
      "",
    ],
  ]),
  planted("an occurrence is taken minutes before it is due", "home", 2, [
    [
      "core/agenda.ts",
      "return earlierOf(next.dueAt, later(next.dueAt, -leadMs));",
      "return earlierOf(next.dueAt, later(next.dueAt, -leadMs - 60_000));",
    ],
  ]),
  planted("what was made is forgotten where a meeting breaks off", "cloud", 378, [
    ["engine/schedules/meet.ts", "    await hintJobs(engine, jobs);\n    await hintNext();\n    throw cause;", "    throw cause;"],
    ["engine/schedules/taken.ts", "  await hintJobs(engine, jobs);\n  throw failed.reason;", "  throw failed.reason;"],
  ]),
  planted("a late job is held until the next occurrence has seen whether it ends", "cloud", 159, [
    ["engine/schedules/meet.ts", "await hintJobs(engine, jobs.splice(0));", ""],
  ]),
  planted("a schedule is not hinted by whoever moves it", "cloud", 18, [
    ["engine/schedules/commit.ts", "if (moved && to.hinted) await hintNamed(engine, to, engine.clock.now());", ""],
  ]),
];
