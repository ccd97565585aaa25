/**
 * The simulation's only source of chance: a small seeded generator. A fork is derived from the seed and its own name, not from how many
 * numbers were drawn before it, so that a draw added in one place reshuffles nothing elsewhere.
 */

export type Dice = {
  /** In [0, 1). */
  fraction(): number;
  /** A whole number from `min` to `max`, both included. */
  whole(min: number, max: number): number;
  happens(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  bytes(count: number): Uint8Array;
  /** Other dice, of the same seed and this name: the same whenever they are asked for. */
  fork(name: string): Dice;
};

export function createDice(path: string): Dice {
  const next = sfc32(path);
  const fraction = () => next() / 2 ** 32;
  const whole = (min: number, max: number) => min + Math.floor(fraction() * (max - min + 1));
  return {
    fraction,
    whole,
    happens: (probability) => probability > 0 && fraction() < probability,
    pick(items) {
      const item = items[whole(0, items.length - 1)];
      if (item === undefined) throw new Error("expected something to pick from, got an empty list");
      return item;
    },
    bytes(count) {
      const bytes = new Uint8Array(count);
      for (let index = 0; index < count; index++) bytes[index] = next() >>> 24;
      return bytes;
    },
    fork: (name) => createDice(`${path}/${name}`),
  };
}

/** Chris Doty-Humphrey's sfc32 (PractRand): 128 bits of state, here a hash of the path; the first draws are thrown away to mix it. */
function sfc32(path: string): () => number {
  let a = mix(path, 0x9e3779b9);
  let b = mix(path, 0x243f6a88);
  let c = mix(path, 0xb7e15162);
  let counter = 1;
  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  }
  for (let warmUp = 0; warmUp < 12; warmUp++) next();
  return next;
}

/** FNV-1a with murmur3's finish. */
function mix(text: string, seed: number): number {
  let hash = seed;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
