/** Claims about bytes kept beside a job. */

import { expect, test } from "vitest";
import { limits } from "../../../src/core/limits.ts";
import { dayMs, later } from "../../../src/core/time.ts";
import { nextPayloadId, otherTenant, waitingJob } from "../../builders.ts";
import type { OnBench } from "../conformance.ts";

const everyByte = Uint8Array.from({ length: 256 }, (_, value) => value);
const largest = new Uint8Array(limits.bodyBytesMax).map((_, index) => (index * 31) % 251);

export function payloadClaims(onBench: OnBench): void {
  test.each([
    ["no byte", new Uint8Array(0)],
    ["every value of a byte", everyByte],
    ["the largest body", largest],
    ["a view into a larger block", Buffer.from(new Uint8Array(64).fill(7).buffer, 8, 16)],
  ])("a payload of %s is read back as it was written", (_, bytes) =>
    onBench(async ({ store, clock }) => {
      const [owner, id] = [waitingJob(), nextPayloadId()];
      await store.writePayload(owner, { id, bytes, keptUntil: later(clock.now(), dayMs) });
      const [found] = await store.readPayloads(owner, [id]);
      expect(Buffer.compare(found ?? Buffer.from("absent"), bytes)).toBe(0);
    })(),
  );

  test(
    "payloads are answered in the order asked, and undefined for those that are not there",
    onBench(async ({ store, clock }) => {
      const owner = waitingJob();
      const [first, second, absent] = [nextPayloadId(), nextPayloadId(), nextPayloadId()];
      await Promise.all([
        store.writePayload(owner, { id: first, bytes: Uint8Array.of(1), keptUntil: later(clock.now(), dayMs) }),
        store.writePayload(owner, { id: second, bytes: Uint8Array.of(2), keptUntil: later(clock.now(), dayMs) }),
      ]);
      const found = await store.readPayloads(owner, [second, absent, first, second]);
      expect(found.map((bytes) => bytes?.[0])).toEqual([2, undefined, 1, 2]);
      expect(await store.readPayloads(owner, [])).toEqual([]);
    }),
  );

  test(
    "a payload never changes: not by a second write, nor through the writer's or a reader's array",
    onBench(async ({ store, clock }) => {
      const [owner, id, bytes] = [waitingJob(), nextPayloadId(), Uint8Array.of(1, 2, 3)];
      const written = store.writePayload(owner, { id, bytes, keptUntil: later(clock.now(), dayMs) });
      bytes.fill(9);
      await written;
      await store.writePayload(owner, { id, bytes: Uint8Array.of(4), keptUntil: later(clock.now(), dayMs) });
      const [read] = await store.readPayloads(owner, [id]);
      expect(read).toEqual(Uint8Array.of(1, 2, 3));
      read?.fill(9);
      expect(await store.readPayloads(owner, [id])).toEqual([Uint8Array.of(1, 2, 3)]);
    }),
  );

  test(
    "a payload is readable until right before `keptUntil`, whether its job is there or not",
    onBench(async ({ store, clock }) => {
      const [owner, id] = [waitingJob(), nextPayloadId()];
      await store.writePayload(owner, { id, bytes: everyByte, keptUntil: later(clock.now(), dayMs) });
      clock.turn(dayMs - 1);
      expect(await store.readPayloads(owner, [id])).toEqual([everyByte]);
    }),
  );

  test(
    "neither another tenant nor another job reads a payload by its id",
    onBench(async ({ store, clock }) => {
      const [owner, other, id] = [waitingJob(), waitingJob(), nextPayloadId()];
      await store.writePayload(owner, { id, bytes: everyByte, keptUntil: later(clock.now(), dayMs) });
      expect(await store.readPayloads({ tenant: otherTenant, id: owner.id }, [id])).toEqual([undefined]);
      expect(await store.readPayloads(other, [id])).toEqual([undefined]);
    }),
  );

  test(
    "a payload that no caller could have sent is refused as a bug",
    onBench(async ({ store, clock }) => {
      const [owner, id] = [waitingJob(), nextPayloadId()];
      const bytes = new Uint8Array(limits.bodyBytesMax + 1);
      await expect(store.writePayload(owner, { id, bytes, keptUntil: later(clock.now(), dayMs) })).rejects.toThrow(RangeError);
      expect(await store.readPayloads(owner, [id])).toEqual([undefined]);
    }),
  );
}
