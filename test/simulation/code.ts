/** The code under test as one value, so that a mutated copy of it can take its place. Whatever the simulation runs, it takes from here. */

import { shardsOf } from "../../src/core/tickPlan.ts";
import { admitAll } from "../../src/engine/admit.ts";
import { cancel } from "../../src/engine/cancel.ts";
import { edit } from "../../src/engine/edit.ts";
import { OutageError } from "../../src/engine/ports.ts";
import { createRegister } from "../../src/engine/register.ts";
import { replay } from "../../src/engine/replay.ts";
import { backfill } from "../../src/engine/schedules/backfill.ts";
import { deleteSchedule } from "../../src/engine/schedules/delete.ts";
import { pauseSchedule, resumeSchedule } from "../../src/engine/schedules/pause.ts";
import { putSchedule } from "../../src/engine/schedules/put.ts";
import { takenOf } from "../../src/engine/schedules/read.ts";
import { triggerSchedule } from "../../src/engine/schedules/trigger.ts";
import { createSlots } from "../../src/engine/slots.ts";
import { submit } from "../../src/engine/submit.ts";
import { turn } from "../../src/engine/turn.ts";
import { wake } from "../../src/engine/wake.ts";
import { createMemoryHints } from "../../src/hints/memory.ts";
import { readHint } from "../../src/hints/message.ts";
import { createSqsHints } from "../../src/hints/sqs.ts";
import { createDynamoCursors } from "../../src/store/dynamo/cursors.ts";
import { dynamoDeadLetters } from "../../src/store/dynamo/deadLetters.ts";
import { skewOf } from "../../src/store/dynamo/skew.ts";
import { createDynamoStore } from "../../src/store/dynamo/store.ts";
import { dynamoTickPlans } from "../../src/store/dynamo/tickPlan.ts";
import { memoryCursors, memoryStore } from "../../src/store/memory.ts";
import { reconcile } from "../../src/ticks/reconcile.ts";

export const realCode = {
  ...{ admitAll, cancel, edit, OutageError, createRegister, replay, createSlots, submit, turn, wake },
  ...{ backfill, deleteSchedule, pauseSchedule, putSchedule, resumeSchedule, takenOf, triggerSchedule },
  ...{ createMemoryHints, memoryCursors, memoryStore },
  ...{ createSqsHints, readHint, createDynamoStore, createDynamoCursors, dynamoTickPlans, dynamoDeadLetters, skewOf, reconcile, shardsOf },
};

export type Code = typeof realCode;
