/** Finds the name that a caller most likely meant. */

/** Longer names are no typos of ours, and comparing them would cost. */
const nameCharsMax = 40;

/** The known name nearest to what was written; undefined when none is near enough to be a likely typo. */
export function nearest(written: string, known: readonly string[]): string | undefined {
  if (written.length > nameCharsMax) return undefined;
  const plain = plainOf(written);
  let best: { name: string; steps: number } | undefined;
  for (const name of known) {
    const steps = stepsBetween(plain, plainOf(name));
    if (best === undefined || steps < best.steps) best = { name, steps };
  }
  // A third of the letters may differ, so that "url" is not taken for "key".
  if (best !== undefined && best.steps <= Math.min(2, Math.floor(best.name.length / 3))) return best.name;
  return plain.length < 3 ? undefined : known.find((name) => plainOf(name).startsWith(plain));
}

/** `due_at`, `due-at` and `DueAt` are all `dueAt` in another house's style. */
function plainOf(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, "");
}

/** Edits from one text to the other, where two neighbours that swapped places are one edit (optimal string alignment). */
function stepsBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let steps = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + (same ? 0 : 1));
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) steps = Math.min(steps, (beforeLast[column - 2] ?? 0) + 1);
      current.push(steps);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
