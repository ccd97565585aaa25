import { expect, test } from "vitest";
import type { Fields, Level } from "../../src/system/log.ts";
import { createOutageLog } from "../../src/system/outages.ts";

function opened() {
  const lines: { level: Level; message: string; fields: Fields | undefined }[] = [];
  const log = Object.assign((level: Level, message: string, fields?: Fields) => void lines.push({ level, message, fields }), {
    isOn: () => true,
  });
  let elapsed = 1_000;
  const tell = createOutageLog(log, () => elapsed);
  const turn = (ms: number) => {
    elapsed += ms;
  };
  return { lines, tell, turn, messages: () => lines.map(({ message }) => message) };
}

test("the first failure is told at once, with its cause", () => {
  const { lines, tell } = opened();
  const cause = new Error("disk full");
  tell("store did not answer", { where: "store", cause });
  expect(lines).toEqual([{ level: "warn", message: "store did not answer", fields: { where: "store", cause } }]);
});

test("of a thousand failures a second for a minute six more lines are written, and no failure goes uncounted in them", () => {
  const { tell, turn, messages } = opened();
  for (let failure = 0; failure < 60_000; failure++) {
    tell("store did not answer", {});
    turn(1);
  }
  tell("store did not answer", {});
  const said = messages();
  expect(said).toHaveLength(7);
  const unsaid = said.map((message) => Number(/\(and (\d+) times/.exec(message)?.[1] ?? 0));
  expect(unsaid.reduce((sum, count) => sum + count + 1, 0)).toBe(60_001);
});

test("a failure that is alone again is told without a count", () => {
  const { tell, turn, messages } = opened();
  tell("store did not answer", {});
  turn(10_000);
  tell("store did not answer", {});
  expect(messages()).toEqual(["store did not answer", "store did not answer"]);
});

test("one message does not keep another unsaid", () => {
  const { tell, messages } = opened();
  tell("store did not answer", {});
  tell("a request met an outage", {});
  tell("store did not answer", {});
  expect(messages()).toEqual(["store did not answer", "a request met an outage"]);
});
