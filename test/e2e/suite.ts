/** The end-to-end claims: one suite for every home, run against whatever the subject says. */

import { besideRules } from "./besideRules.ts";
import { bodies } from "./bodies.ts";
import { changing } from "./changing.ts";
import { firing } from "./firing.ts";
import { hostile } from "./hostile.ts";
import { listing } from "./listing.ts";
import { protocol } from "./protocol.ts";
import { scheduling } from "./scheduling.ts";
import type { Subject } from "./subject.ts";
import { submitting } from "./submitting.ts";

export function suite(subject: Subject): void {
  for (const part of [firing, hostile, changing, submitting, bodies, listing, protocol, scheduling, besideRules]) part(subject);
}
