/** A planted bug: a mistake of one line that somebody could make. */

import type { Mutation } from "./mutant.ts";
import type { Profile } from "./simulate.ts";

export type Bug = {
  readonly name: string;
  readonly profile: Profile;
  /** A seed that is known to catch it: tried first. `npm run sim -- --bug all` finds them anew. */
  readonly caughtAt: number;
  readonly mutations: readonly Mutation[];
};

type Change = readonly [file: string, find: string, replace: string];

export function planted(name: string, profile: Profile, caughtAt: number, changes: readonly Change[]): Bug {
  return { name, profile, caughtAt, mutations: changes.map(([file, find, replace]) => ({ file: `src/${file}`, find, replace })) };
}
