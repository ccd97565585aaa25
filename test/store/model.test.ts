/** The stores that are compared with the model. */

import { openSqliteStore } from "../../src/store/sqlite.ts";
import { openDynamo, startDynalite } from "./dynalite.ts";
import { freshFolder, onUnreadable } from "./folder.ts";
import { agreesWithModel, type Real } from "./model.ts";

agreesWithModel({
  name: "the database",
  keepsOrder: true,
  runs: 4,
  async open(clock, shards) {
    const folder = await freshFolder();
    const reopen = async (): Promise<Real> => {
      const store = await openSqliteStore({ path: folder.file("jobs.db"), now: clock.now, shards, onUnreadable });
      return {
        ...{ store, removeExpired: store.removeExpired, counts: store.counts },
        async reopen() {
          await store.close();
          return reopen();
        },
        async close() {
          await store.close();
          await folder.remove();
        },
      };
    };
    return reopen();
  },
});

agreesWithModel({
  name: "DynamoDB",
  keepsOrder: false,
  runs: 1,
  open: async (clock, shards) => openDynamo(await startDynalite(), clock, shards),
});
