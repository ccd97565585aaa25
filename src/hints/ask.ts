/**
 * Asks SQS, and translates what goes wrong: what passes by itself is an `OutageError`, a missing right or queue is one clear line,
 * and anything else is a bug that is thrown as it is.
 */

import { OutageError } from "../engine/ports.ts";

export type Asked = {
  /** As IAM spells it. */
  readonly action: "sqs:SendMessage" | "sqs:ChangeMessageVisibility";
  readonly queueUrl: string;
};

/** Too many requests for now, SQS not well, no answer at all, or credentials that are just being renewed. The SDK has asked again already. */
const passingErrors = new Set([
  ...["RequestThrottled", "ThrottlingException", "Throttling", "TooManyRequestsException", "KmsThrottled", "RequestLimitExceeded"],
  ...["ServiceUnavailable", "InternalFailure", "InternalError", "RequestTimeout", "RequestTimeoutException"],
  ...["TimeoutError", "AbortError", "NetworkingError", "ExpiredToken", "ExpiredTokenException"],
]);

type SdkError = Error & { readonly $metadata?: { readonly httpStatusCode?: number }; readonly code?: unknown };

export async function ask<T>(asked: Asked, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (cause) {
    throw translated(asked, cause);
  }
}

/** The last part of a queue's URL and of its ARN alike. */
export function queueNameOf(urlOrArn: string): string {
  return urlOrArn.slice(Math.max(urlOrArn.lastIndexOf("/"), urlOrArn.lastIndexOf(":")) + 1);
}

function translated({ action, queueUrl }: Asked, cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  const { name, message, $metadata, code } = cause as SdkError;
  const queue = queueNameOf(queueUrl);
  if (isPassing(name, $metadata?.httpStatusCode, code)) return new OutageError(`${action} to ${queue} did not succeed: ${name}`, { cause });
  if (name.startsWith("AccessDenied")) {
    return new Error(`expected the right to ${action} on ${queue}, and the role of this function lacks it: ${message}`, { cause });
  }
  if (name === "QueueDoesNotExist" || name.endsWith("NonExistentQueue")) {
    return new Error(`expected a queue named ${queue}, and there is none for ${action}; deploy the stack again`, { cause });
  }
  return cause;
}

function isPassing(name: string, status: number | undefined, code: unknown): boolean {
  // An error of the socket has a system's code, and no answer of AWS behind it.
  const isUnanswered = status === undefined && typeof code === "string";
  return passingErrors.has(name) || isUnanswered || (status !== undefined && (status === 429 || status >= 500));
}
