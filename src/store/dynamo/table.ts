/**
 * The verbs on the table, in values of ours: what AWS answers is translated here and nowhere else. A condition that did not hold is
 * an answer; throttling, silence and faults of AWS are an `OutageError`; a missing right or a table of another shape is one clear line.
 */

import { setTimeout as pause } from "node:timers/promises";
import {
  type AttributeValue,
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { OutageError } from "../../engine/ports.ts";
import { table as layout } from "../keys.ts";
import { createGate } from "./gate.ts";

type Value = string | number | boolean | Uint8Array;
export type Item = Readonly<Record<string, Value>>;
export type Key = { readonly pk: string; readonly sk: string };

/** What must hold of the one item that is written. */
export type Condition = {
  readonly expression: string;
  readonly values?: Item;
};

export type Change = {
  readonly set?: Item;
  readonly remove?: readonly string[];
  readonly add?: Readonly<Record<string, number>>;
};

export type Page = {
  readonly index: { readonly name: string; readonly partitionKey: string; readonly sortKey: string };
  readonly partition: string;
  /** Both inclusive. */
  readonly from: string;
  readonly to: string;
  readonly newestFirst?: boolean;
  readonly limit: number;
};

export type Table = {
  put(item: Key & Item, condition?: Condition): Promise<"written" | "refused">;
  /** Sets, removes and adds to attributes; answers the whole item after it, and needs no right to read. */
  update(key: Key, change: Change, condition?: Condition): Promise<Item | "refused">;
  /** Consistent. */
  get(key: Key): Promise<Item | undefined>;
  /** Consistent; in no order, absent ones left out. A key may be asked for once only. */
  getMany(keys: readonly Key[]): Promise<readonly Item[]>;
  /** An index's entries, in the order of its sort key. May lag behind writes. `hasMore`: the limit cut it short. */
  query(page: Page): Promise<{ readonly items: readonly Item[]; readonly hasMore: boolean }>;
};

/** What DynamoDB takes at once. */
const batchKeysMax = 100;
/** Rounds in which DynamoDB may leave keys of a batch unanswered before that is an outage: about three seconds of waiting. */
const roundsMax = 7;
const roundPauseMs = 25;
/** As many as the SDK has sockets: what waits for one would be timed as if DynamoDB were slow to answer. */
const requestsMax = 50;

export type TableOptions = {
  readonly client: Pick<DynamoDBClient, "send">;
  readonly name: string;
  /** A sentence while nothing that is read may be acted upon: this machine's clock is off. */
  readonly refusal?: () => string | undefined;
};

export function createTable({ client, name, refusal = () => undefined }: TableOptions): Table {
  const of = { TableName: name };
  const gate = createGate(requestsMax);
  const ask = <T>(action: string, request: () => Promise<T>) => gate(() => askOnce(action, request));

  async function written<T>(action: string, write: () => Promise<T>): Promise<T | "refused"> {
    try {
      return await ask(action, write);
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return "refused";
      throw error;
    }
  }

  /** What is read leads to claims and calls; a process whose clock is off must not come so far. */
  async function read<T>(action: string, request: () => Promise<T>): Promise<T> {
    const answer = await ask(action, request);
    const refused = refusal();
    if (refused !== undefined) throw new OutageError(refused);
    return answer;
  }

  async function getBatch(keys: readonly Key[]): Promise<readonly Item[]> {
    const found: Item[] = [];
    let asked: Record<string, AttributeValue>[] = keys.map(marshal);
    for (let round = 0; asked.length > 0; round++) {
      if (round === roundsMax) throw new OutageError(`expected an answer for ${keys.length} items, and ${asked.length} had none`);
      if (round > 0) await pause(roundPauseMs * 2 ** (round - 1));
      const request = new BatchGetItemCommand({ RequestItems: { [name]: { Keys: asked, ConsistentRead: true } } });
      const { Responses, UnprocessedKeys } = await read("dynamodb:BatchGetItem", () => client.send(request));
      for (const item of Responses?.[name] ?? []) found.push(unmarshal(item));
      asked = UnprocessedKeys?.[name]?.Keys ?? [];
    }
    return found;
  }

  return {
    async put(item, condition) {
      const request = new PutItemCommand({ ...of, Item: marshal(item), ...conditioned(condition) });
      return written("dynamodb:PutItem", async () => {
        await client.send(request);
        return "written" as const;
      });
    },
    async update(key, change, condition) {
      const request = new UpdateItemCommand({ ...of, Key: marshal(key), ...updateOf(change, condition), ReturnValues: "ALL_NEW" });
      return written("dynamodb:UpdateItem", async () => unmarshal((await client.send(request)).Attributes ?? {}));
    },
    async get(key) {
      const request = new GetItemCommand({ ...of, Key: marshal(key), ConsistentRead: true });
      const { Item } = await read("dynamodb:GetItem", () => client.send(request));
      return Item === undefined ? undefined : unmarshal(Item);
    },
    async getMany(keys) {
      const batches = Array.from({ length: Math.ceil(keys.length / batchKeysMax) }, (_, index) =>
        getBatch(keys.slice(index * batchKeysMax, (index + 1) * batchKeysMax)),
      );
      return (await Promise.all(batches)).flat();
    },
    async query({ index, partition, from, to, newestFirst = false, limit }) {
      const items: Item[] = [];
      let start: Record<string, AttributeValue> | undefined;
      do {
        const request = new QueryCommand({
          ...of,
          IndexName: index.name,
          KeyConditionExpression: "#partition = :partition AND #sort BETWEEN :from AND :to",
          ExpressionAttributeNames: { "#partition": index.partitionKey, "#sort": index.sortKey },
          ExpressionAttributeValues: marshal({ ":partition": partition, ":from": from, ":to": to }),
          ScanIndexForward: !newestFirst,
          Limit: limit - items.length,
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        });
        const { Items, LastEvaluatedKey } = await read("dynamodb:Query", () => client.send(request));
        for (const item of Items ?? []) items.push(unmarshal(item));
        start = LastEvaluatedKey;
      } while (start !== undefined && items.length < limit);
      return { items, hasMore: start !== undefined };
    },
  };
}

function conditioned(condition: Condition | undefined) {
  if (condition === undefined) return {};
  const { expression, values } = condition;
  return {
    ConditionExpression: expression,
    ...(values === undefined ? {} : { ExpressionAttributeValues: marshal(values) }),
  };
}

/** Names are spelled by placeholders, for some that we use are words of DynamoDB's own. */
function updateOf({ set = {}, remove = [], add = {} }: Change, condition: Condition | undefined) {
  const names = [...Object.keys(set), ...remove, ...Object.keys(add)];
  const clause = (word: string, parts: readonly string[]) => (parts.length === 0 ? [] : [`${word} ${parts.join(", ")}`]);
  const written = Object.fromEntries(Object.entries({ ...set, ...add }).map(([name, value]) => [`:${name}`, value]));
  const values = { ...condition?.values, ...written };
  return {
    ...(condition === undefined ? {} : { ConditionExpression: condition.expression }),
    UpdateExpression: [
      ...clause(
        "SET",
        Object.keys(set).map((name) => `#${name} = :${name}`),
      ),
      ...clause(
        "REMOVE",
        remove.map((name) => `#${name}`),
      ),
      ...clause(
        "ADD",
        Object.keys(add).map((name) => `#${name} :${name}`),
      ),
    ].join(" "),
    ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    // DynamoDB refuses an empty list of values.
    ...(Object.keys(values).length === 0 ? {} : { ExpressionAttributeValues: marshal(values) }),
  };
}

/** What passes by itself: too many requests for now, or AWS not well. The SDK has repeated each some times already. */
const passingErrors = new Set([
  ...["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "LimitExceededException"],
  ...["InternalServerError", "ServiceUnavailable", "TransactionInProgressException", "ReplicatedWriteConflictException"],
  // Of the connection: no answer at all, or half of one. And credentials that are just being renewed.
  ...["TimeoutError", "AbortError", "NetworkingError", "ExpiredTokenException", "RequestTimeout", "RequestTimeoutException"],
]);

async function askOnce<T>(action: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (cause) {
    throw translated(action, cause);
  }
}

type SdkError = Error & { readonly $metadata?: { readonly httpStatusCode?: number }; readonly code?: string };

function translated(action: string, cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  const { name, message, $metadata, code } = cause as SdkError;
  const status = $metadata?.httpStatusCode;
  // An error of the socket has a system's code, and no answer of AWS behind it.
  const isUnanswered = status === undefined && code !== undefined;
  if (passingErrors.has(name) || isUnanswered || (status !== undefined && status >= 500)) {
    return new OutageError(`${action} did not succeed: ${name}`, { cause });
  }
  switch (name) {
    case "AccessDeniedException":
      return new Error(`expected the right to ${action}, and the role of this function lacks it: ${message}`, { cause });
    case "ResourceNotFoundException":
      return new Error(`expected the table that ONTHEDOT_TABLE names, and there is none for ${action}; deploy the stack again`, { cause });
    case "ValidationException":
      return /specified index/.test(message)
        ? new Error(`expected the table's indexes ${indexNames}, and ${action} found one missing: a table of another version?`, { cause })
        : cause;
    default:
      return cause;
  }
}

const indexNames = Object.values(layout.indexes)
  .map((index) => index.name)
  .join(", ");

function marshal(item: Item): Record<string, AttributeValue> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, attributeOf(value)]));
}

function attributeOf(value: Value): AttributeValue {
  switch (typeof value) {
    case "string":
      return { S: value };
    case "number":
      return { N: String(value) };
    case "boolean":
      return { BOOL: value };
    default:
      return { B: value };
  }
}

function unmarshal(attributes: Readonly<Record<string, AttributeValue>>): Item {
  return Object.fromEntries(Object.entries(attributes).map(([name, attribute]) => [name, valueOfAttribute(name, attribute)]));
}

function valueOfAttribute(name: string, { S, N, BOOL, B }: AttributeValue): Value {
  const value = S ?? (N === undefined ? undefined : Number(N)) ?? BOOL ?? B;
  if (value === undefined) throw new Error(`expected a text, number, boolean or bytes in attribute ${name}, got another type`);
  return value;
}
