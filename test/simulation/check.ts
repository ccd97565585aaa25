/** Every check there is, over one finished world. */

import { cancelsAreExact, durableBeforeTold, editsAreExact, keysAreJobs, nothingIsLost } from "./checks/answers.ts";
import { type Chronicle, chronicleOf, type Violation } from "./checks/chronicle.ts";
import { chainsEnd, hintsAreBounded, pastIsCutWhole } from "./checks/cost.ts";
import { deadLettersAreKept, everyShardHasATick, messagesJudgeNoJob } from "./checks/house.ts";
import { bufferedStart, calmDesksAnswer, changesAreBounded, schedulesAreMet, takenBeforeDue } from "./checks/meeting.ts";
import { missesAreJudgedAsWished } from "./checks/misfire.ts";
import { everyInstantHasOneFate, finishedOnlyAtTheEnd } from "./checks/occurrences.ts";
import { comesToRest, leasesEndInTime, noSlotIdles, oldestFirst, onTheDot, takenInTime } from "./checks/progress.ts";
import * as record from "./checks/record.ts";
import { answersNameWhatIsTaken, overlapsAsWished, pausesAndDeletionsHold, takenHaveJobs, takenNeverEarly } from "./checks/taking.ts";
import { termsOf } from "./checks/terms.ts";
import * as wire from "./checks/wire.ts";
import type { Capacity, House } from "./house.ts";
import type { World } from "./world.ts";

/** Empty where every invariant held. */
export function check(world: World, capacity: Capacity, house: House): readonly Violation[] {
  const chronicle = chronicleOf(world.history);
  return [
    ...wire.noGhosts(chronicle),
    ...wire.noOverlap(chronicle),
    ...wire.recordedBeforeSent(chronicle),
    ...wire.neverEarly(chronicle, world),
    ...wire.neverTooLate(chronicle, world),
    ...wire.lastLookSeesMark(chronicle, world),
    ...wire.contentIsTheRecords(chronicle, world),
    ...wire.duplicatesHaveCauses(chronicle),
    ...wire.silentAfterEnd(chronicle),
    ...record.finalIsFinal(chronicle),
    ...record.fenced(chronicle),
    ...record.countedOnce(chronicle),
    ...record.onlyEditsChange(chronicle),
    ...record.claimsBounded(chronicle),
    ...record.markIsObeyed(chronicle),
    ...record.backoffKept(chronicle),
    ...record.endsAreEarned(chronicle),
    ...record.outcomesAreHeard(chronicle),
    ...record.leaseLossesHaveCauses(chronicle),
    ...record.holdersSettle(chronicle),
    ...record.poisonIsAlone(chronicle, world, capacity),
    ...durableBeforeTold(chronicle, world),
    ...editsAreExact(chronicle),
    ...cancelsAreExact(chronicle),
    ...keysAreJobs(chronicle, world),
    ...nothingIsLost(chronicle),
    ...comesToRest(chronicle, world, house),
    ...takenInTime(chronicle, world, capacity),
    ...noSlotIdles(chronicle, world, capacity),
    ...leasesEndInTime(chronicle, world, capacity),
    ...onTheDot(chronicle, world, capacity),
    ...oldestFirst(chronicle, world),
    ...hintsAreBounded(chronicle, world),
    ...chainsEnd(world, capacity),
    ...pastIsCutWhole(chronicle, world),
    ...deadLettersAreKept(world),
    ...messagesJudgeNoJob(chronicle),
    ...everyShardHasATick(world),
    ...checkSchedules(chronicle, world, capacity),
  ];
}

function checkSchedules(chronicle: Chronicle, world: World, capacity: Capacity): readonly Violation[] {
  const terms = termsOf(world);
  if (terms.terms.length === 0) return terms.strangers.map((message) => ({ invariant: "I15", message }));
  return [
    ...everyInstantHasOneFate(terms),
    ...finishedOnlyAtTheEnd(terms),
    ...takenHaveJobs(terms),
    ...takenNeverEarly(terms, chronicle, world),
    ...pausesAndDeletionsHold(terms),
    ...answersNameWhatIsTaken(terms, chronicle, world),
    ...overlapsAsWished(terms, chronicle),
    ...missesAreJudgedAsWished(terms, chronicle, world),
    ...schedulesAreMet(terms, chronicle, world, capacity),
    ...takenBeforeDue(terms, world),
    ...bufferedStart(terms, chronicle, world, capacity),
    ...changesAreBounded(terms, chronicle),
    ...calmDesksAnswer(terms, chronicle),
  ];
}
