/** The bounds of recurring rules that a caller can meet, each with its reason. */

import { dayMs, minuteMs, secondMs, toEpochMs } from "../time.ts";

export const ruleBounds = {
  /** The longest expressions that people write have some 80 characters; what is longer is generated, and better said as a union. */
  expressionCharsMax: 200,
  /** The longest IANA name has 32. */
  zoneCharsMax: 64,
  /** Bounds the work of one look at a rule to some milliseconds. */
  rulesMax: 1_000,
  /** As many as anyone lists by hand; what recurs is a cron. */
  instantsMax: 1_000,
  exceptionsMax: 100,
  /** Of a rule that is kept, as JSON: it rides in its schedule's item, which is read and written with each occurrence. */
  keptCharsMax: 100 * 1_024,
  /** Each day of a leap year; stretches of days count as one. */
  datesMax: 366,
  /** A mistake in each entry of a long list helps nobody, and each costs work. */
  mistakesMax: 50,
  /** Below a second a rule is a busy loop. */
  everyMsMin: secondMs,
  /** Ten years, as far as a job may be due. */
  everyMsMax: 3_653 * dayMs,
  windowMsMin: secondMs,
  /** Longer than a day, a window is not when something happens but whether. */
  windowMsMax: 1_440 * minuteMs,
  previewMax: 1_000,
  previewDefault: 10,
  /** Years that a rule may name: EventBridge's. Nothing is sought beyond them. */
  yearMin: 1970,
  yearMax: 2199,
  /** How many looks at exceptions one search may take in vain, or work like it, before it says so instead of going on: some ten milliseconds. */
  stepsMax: 20_000,
} as const;

/** 1970-01-01T00:00:00Z. */
export const firstAt = toEpochMs(0);
/** 2200-01-01T00:00:00Z: no occurrence is at or after it. */
export const horizonAt = toEpochMs(7_258_118_400_000);
