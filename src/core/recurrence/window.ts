/** A window: how long after its nominal instant an occurrence may be due. The place in it is a schedule's own, and stays. */

import { createHash } from "node:crypto";
import { type EpochMs, formatDuration, later, parseDuration } from "../time.ts";
import { ruleBounds } from "./bounds.ts";
import { shown } from "./terms.ts";

/** So many milliseconds, or a share of the time to the next occurrence. */
export type Window = { readonly kind: "span"; readonly spanMs: number } | { readonly kind: "share"; readonly percent: number };

export function parseWindow(
  written: string,
): { readonly window: Window } | { readonly wrong: string; readonly code: "invalid_format" | "too_small" | "too_large" } {
  const percent = /^(\d{1,3})%$/.exec(written)?.[1];
  if (percent !== undefined) {
    const share = Number(percent);
    if (share < 1) return { wrong: `expected at least 1%, got "${written}"; leave the window out instead`, code: "too_small" };
    if (share > 100) return { wrong: `expected at most 100%, got "${written}"`, code: "too_large" };
    return { window: { kind: "share", percent: share } };
  }
  const spanMs = parseDuration(written);
  const got = `got "${shown(written)}"`;
  if (spanMs === undefined) return { wrong: `expected a duration such as "10m" or a share such as "50%", ${got}`, code: "invalid_format" };
  const { windowMsMin, windowMsMax } = ruleBounds;
  if (spanMs < windowMsMin) return { wrong: `expected at least ${formatDuration(windowMsMin)}, ${got}`, code: "too_small" };
  if (spanMs > windowMsMax) return { wrong: `expected at most ${formatDuration(windowMsMax)}, ${got}`, code: "too_large" };
  return { window: { kind: "span", spanMs } };
}

/** A number in [0, 1) that a text has for ever, spread evenly over texts: part of what callers see, so it must not change. */
export function placeOf(seed: string): number {
  return createHash("sha256").update(`window\n${seed}`).digest().readUIntBE(0, 6) / 2 ** 48;
}

/**
 * When an occurrence is due: its place in the window, which ends at the next occurrence at the latest. `nextAt` is null where no other
 * comes: then a share is a share of nothing.
 */
export function dueWithin(window: Window, place: number, nominalAt: EpochMs, nextAt: EpochMs | null): EpochMs {
  const gapMs = nextAt === null ? null : nextAt - nominalAt;
  const widthMs = window.kind === "share" ? ((gapMs ?? 0) * window.percent) / 100 : Math.min(window.spanMs, gapMs ?? window.spanMs);
  return later(nominalAt, Math.floor(widthMs * place));
}
