/** EventBridge Scheduler as its client sees it: schedules by group, pages, refusals by name, and faults on demand. */

import {
  ConflictException,
  type CreateScheduleCommandInput,
  type ListSchedulesCommandInput,
  ResourceNotFoundException,
  type SchedulerClient,
} from "@aws-sdk/client-scheduler";

type Kept = Omit<CreateScheduleCommandInput, "ClientToken">;

export type FakeScheduler = {
  readonly client: Pick<SchedulerClient, "send">;
  readonly kept: Map<string, Kept>;
  /** Each request so far, by what it asked for. */
  readonly asked: { readonly action: string; readonly name: string | undefined; readonly token: string | undefined }[];
  /** Before a request is carried out: may throw, or change what is kept. */
  before: (action: string, input: { readonly Name?: string | undefined }) => void | Promise<void>;
};

export function refusal(name: string, status: number, message = "said AWS"): Error {
  return Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });
}

const missing = () =>
  new ResourceNotFoundException({ $metadata: { httpStatusCode: 404 }, Message: "Schedule does not exist.", message: "" });
const conflict = () => new ConflictException({ $metadata: { httpStatusCode: 409 }, Message: "Schedule already exists.", message: "" });

export function createFakeScheduler({ pageSize = 2, group = "onthedot-test" } = {}): FakeScheduler {
  const kept = new Map<string, Kept>();
  const fake: FakeScheduler = { client: { send }, kept, asked: [], before: () => {} };

  async function send(command: { readonly constructor: { readonly name: string }; readonly input: unknown }): Promise<object> {
    const action = command.constructor.name.replace(/Command$/, "");
    const input = command.input as CreateScheduleCommandInput;
    fake.asked.push({ action, name: input.Name, token: input.ClientToken });
    await fake.before(action, input);
    if (input.GroupName !== group) throw missing();
    return answer(action, input);
  }

  function answer(action: string, input: CreateScheduleCommandInput): object {
    const name = input.Name ?? "";
    const { ClientToken: _, ...schedule } = input;
    switch (action) {
      case "ListSchedules":
        return list(input as ListSchedulesCommandInput);
      case "GetSchedule":
        if (!kept.has(name)) throw missing();
        return { ...kept.get(name) };
      case "CreateSchedule":
        if (kept.has(name)) throw conflict();
        kept.set(name, schedule);
        return {};
      case "UpdateSchedule":
        if (!kept.has(name)) throw missing();
        kept.set(name, schedule);
        return {};
      case "DeleteSchedule":
        if (!kept.delete(name)) throw missing();
        return {};
      default:
        throw new Error(`expected a command that the fake knows, got ${action}`);
    }
  }

  function list({ NamePrefix = "", NextToken = "0" }: ListSchedulesCommandInput) {
    const names = [...kept.keys()].filter((name) => name.startsWith(NamePrefix)).toSorted();
    const from = Number(NextToken);
    const next = from + pageSize;
    const Schedules = names.slice(from, next).map((Name) => ({ Name }));
    return { Schedules, ...(next < names.length && { NextToken: String(next) }) };
  }

  return fake;
}
