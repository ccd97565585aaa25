import { afterAll, beforeAll, describe } from "vitest";
import { conformSqs } from "./conformance.ts";
import { openFauxqs } from "./fauxqs.ts";

let sqs: Awaited<ReturnType<typeof openFauxqs>>;

beforeAll(async () => {
  sqs = await openFauxqs();
});
afterAll(() => sqs.close());

describe("hints by SQS, on fauxqs", () => conformSqs(() => sqs));
