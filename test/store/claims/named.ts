/** Claims about the lists of what has a name, and that they and the list of jobs do not meet. */

import { expect, test } from "vitest";
import type { TenantId } from "../../../src/core/ids.ts";
import type { Active } from "../../../src/core/schedule.ts";
import { deleteSchedule } from "../../../src/core/scheduleChange.ts";
import type { NamedKind, Store } from "../../../src/engine/ports.ts";
import { nextTenant, waitingJob } from "../../builders.ts";
import { activeSchedule, editLabels, keptCalendar, removalOf, scheduleFactsAt } from "../../scheduleBuilders.ts";
import type { OnBench } from "../conformance.ts";

/** Walks a list to its end, and answers the names. `between` runs after each page. */
async function walk(
  store: Store,
  { tenant, kind = "schedule", limit }: { readonly tenant: TenantId; readonly kind?: NamedKind; readonly limit: number },
  between: () => Promise<unknown> = async () => {},
): Promise<readonly string[]> {
  const names: string[] = [];
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<Store["listNamed"]>> = await store.listNamed({ tenant, kind, after, limit });
    expect(page.items.length).toBeLessThanOrEqual(limit);
    names.push(...page.items.map((item) => item.name));
    // A store that answers the same page for ever must fail and not hang.
    expect(names.length).toBeLessThan(1_000);
    after = page.next;
    await between();
  } while (after !== null);
  return names;
}

/** In their order: each is the beginning of one after it, or differs in a character that sorts otherwise in some locale. */
const sortedNames = ["-", ".", "0", "9", "A", "B", "Z", "_", "a", "a-", "a-b", "a.b", "a0", "aB", "a_b", "ab", "b"];

async function insertAll(store: Store, tenant: TenantId, names: readonly string[]): Promise<readonly Active[]> {
  const schedules = names.map((name) => activeSchedule({ tenant, name }));
  await Promise.all(schedules.map((schedule) => store.insert(schedule)));
  return schedules;
}

export function namedClaims(onBench: OnBench): void {
  test(
    "schedules are listed by name, whatever the page's size, as their last commit left them",
    onBench(async ({ store, clock }) => {
      const tenant = nextTenant();
      const [first] = await insertAll(store, tenant, sortedNames.toReversed());
      for (const limit of [1, 2, 5, 16, 17, 200]) expect(await walk(store, { tenant, limit })).toEqual(sortedNames);
      const edited = editLabels(first as Active, { a: "b" }, scheduleFactsAt(clock.now()));
      await store.commit(edited);
      const page = await store.listNamed({ tenant, kind: "schedule", after: "ab", limit: 10 });
      expect(page).toEqual({ items: [edited.to], next: null });
    }),
  );

  test(
    "a list holds nothing of another tenant's, of another kind, or of jobs; and the list of jobs holds nothing of these",
    onBench(async ({ store }) => {
      const [tenant, other] = [nextTenant(), nextTenant()];
      await insertAll(store, tenant, ["b", "a"]);
      await insertAll(store, other, ["c"]);
      const [calendar, job] = [keptCalendar({ tenant, name: "d" }), waitingJob({ tenant })];
      await Promise.all([store.insert(calendar), store.insert(job)]);
      expect(await walk(store, { tenant, limit: 1 })).toEqual(["a", "b"]);
      expect(await walk(store, { tenant: other, limit: 5 })).toEqual(["c"]);
      expect(await store.listNamed({ tenant, kind: "calendar", after: null, limit: 5 })).toEqual({ items: [calendar], next: null });
      expect(await walk(store, { tenant: other, kind: "calendar", limit: 5 })).toEqual([]);
      expect(await store.list({ tenant, among: "all", after: null, limit: 5 })).toEqual({ jobs: [job], next: null });
      expect(await store.list({ tenant: other, among: "all", after: null, limit: 5 })).toEqual({ jobs: [], next: null });
      expect(await store.list({ tenant, among: "failed", after: null, limit: 5 })).toEqual({ jobs: [], next: null });
    }),
  );

  test(
    "a deleted schedule is in no page, and one made anew under its name stands once, in its place",
    onBench(async ({ store, clock }) => {
      const tenant = nextTenant();
      const schedules = await insertAll(store, tenant, ["a", "b", "c", "d", "e"]);
      for (const schedule of schedules.slice(1, 4)) await store.commit(deleteSchedule(schedule, scheduleFactsAt(clock.now())));
      for (const limit of [1, 2, 5]) expect(await walk(store, { tenant, limit })).toEqual(["a", "e"]);
      await store.insert(activeSchedule({ tenant, name: "c", createdAt: clock.turn(1) }));
      for (const limit of [1, 2, 5]) expect(await walk(store, { tenant, limit })).toEqual(["a", "c", "e"]);
    }),
  );

  test(
    "a removed calendar is in no page",
    onBench(async ({ store, clock }) => {
      const calendar = keptCalendar({ tenant: nextTenant(), name: "a" });
      await store.insert(calendar);
      await store.commit(removalOf(calendar, clock.now()));
      expect(await walk(store, { tenant: calendar.tenant, kind: "calendar", limit: 5 })).toEqual([]);
    }),
  );

  test(
    "a walk under writes brings each schedule that stood throughout exactly once, and in order",
    onBench(async ({ store, clock }) => {
      const tenant = nextTenant();
      const names = Array.from({ length: 40 }, (_, index) => `n-${String(index).padStart(2, "0")}`);
      const untouched = [...(await insertAll(store, tenant, names))];
      const found = await walk(store, { tenant, limit: 6 }, async () => {
        const deleted = untouched.pop();
        if (deleted === undefined) return;
        await store.insert(activeSchedule({ tenant, name: `${deleted.name}-new` }));
        await store.commit(deleteSchedule(deleted, scheduleFactsAt(clock.now())));
      });
      expect(found).toEqual(found.toSorted());
      const standing = untouched.map(({ name }) => name);
      expect(found.filter((name) => standing.includes(name))).toEqual(standing);
    }),
  );
}
