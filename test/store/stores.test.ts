/** The stores that the conformance suite is run on. */

import { memoryCursors, memoryStore } from "../../src/store/memory.ts";
import { openSqliteStore } from "../../src/store/sqlite.ts";
import { conforms } from "./conformance.ts";
import { openDynamo, startDynalite } from "./dynalite.ts";
import { freshFolder, onUnreadable } from "./folder.ts";

conforms({
  name: "memory",
  lagMs: 0,
  open: async (clock, shards) => ({ store: memoryStore({ now: clock.now, shards }), cursors: memoryCursors(), close: async () => {} }),
});

conforms({
  name: "sqlite",
  lagMs: 0,
  async open(clock, shards) {
    const folder = await freshFolder();
    const store = await openSqliteStore({ path: folder.file("jobs.db"), now: clock.now, shards, onUnreadable });
    return {
      store,
      cursors: memoryCursors(),
      async close() {
        await store.close();
        await folder.remove();
      },
    };
  },
});

conforms({
  name: "DynamoDB, by dynalite",
  lagMs: 0,
  open: async (clock, shards) => openDynamo(await startDynalite(), clock, shards),
});
