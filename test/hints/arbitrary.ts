/** Hints drawn at random: whatever a turn or an executor could send. */

import fc from "fast-check";
import { endOf, type Hint, startOf, type WheelKey } from "../../src/core/hint.ts";
import { jobIdAt, scheduleIdOf, soleTenant, type TenantId } from "../../src/core/ids.ts";
import { priorities } from "../../src/core/job.ts";
import { type EpochMs, toEpochMs } from "../../src/core/time.ts";
import { startAt } from "../builders.ts";

const plain = { noNullPrototype: true } as const;
const instant: fc.Arbitrary<EpochMs> = fc
  .oneof(fc.integer({ min: 0, max: startAt * 2 }), fc.constantFrom(0, 8.64e15, -8.64e15, -62_167_219_200_000))
  .map(toEpochMs);
const jobId = fc.uint8Array({ minLength: 10, maxLength: 10 }).map((random) => jobIdAt(startAt, random));
/** Of a job or a schedule: both stand on the wheel. */
const itemId = fc.oneof(
  jobId,
  fc.string().map((name) => scheduleIdOf(soleTenant, name)),
);
const tenant = fc.stringMatching(/^[\w.-]{1,64}$/).map((text) => text as TenantId);
const place: fc.Arbitrary<WheelKey> = fc.oneof(
  fc.record({ wakeAt: instant, id: itemId }, plain),
  instant.map((at) => startOf(at)),
  instant.map((at) => endOf(at)),
);
const priority = fc.constantFrom(...priorities);

export const anyHint: fc.Arbitrary<Hint> = fc.oneof(
  fc.record(
    {
      kind: fc.constant("names" as const),
      priority,
      startAt: instant,
      names: fc.array(fc.record({ tenant, id: itemId, wakeAt: instant }, plain), { minLength: 1, maxLength: 30 }),
    },
    plain,
  ),
  fc.record(
    {
      kind: fc.constant("stretch" as const),
      shard: fc.integer({ min: 0, max: 65_535 }),
      priority,
      after: place,
      until: place,
      cutAt: instant,
      startAt: instant,
    },
    plain,
  ),
);
