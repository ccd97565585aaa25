/** Admission: whether a destination lets an attempt start now. Asked after the load and before the hold. */

import type { Waiting } from "../core/job.ts";

/** "pass": no limit stands in the way. */
export type Admission = { readonly kind: "pass" };

export type Admit = (job: Waiting) => Promise<Admission>;

/** Destinations have no limits yet. */
export const admitAll: Admit = async () => ({ kind: "pass" });
