/**
 * The admin key, made at the deploy and kept in Secrets Manager. Read when the first request asks for it and again every few minutes,
 * so that a key that was changed by hand is taken up without a deploy.
 */

import { createHmac } from "node:crypto";
import { GetSecretValueCommand, type SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type EpochMs, later, minuteMs, secondMs } from "../src/core/time.ts";
import { type Clock, OutageError } from "../src/engine/ports.ts";

export type AdminKey = {
  readonly key: string;
  /** For signing what is not a key: the places in lists that callers carry. */
  readonly cursorKey: Uint8Array;
};

/** What keys of onthedot begin with, so that a scanner of sources knows one that was left there. */
const prefix = "otd_";

const freshMs = 5 * minuteMs;
/** While Secrets Manager is silent an asking takes up to nine seconds, and only one request in so long waits for it. */
const silentMs = 30 * secondMs;

export function createAdminKey(of: {
  readonly client: Pick<SecretsManagerClient, "send">;
  readonly secret: string;
  readonly clock: Pick<Clock, "now">;
}): () => Promise<AdminKey> {
  let read: { readonly freshUntil: EpochMs; readonly value: AdminKey } | undefined;

  return async () => {
    const now = of.clock.now();
    if (read !== undefined && now < read.freshUntil) return read.value;
    try {
      const value = keyOf(await readSecret(of.client, of.secret));
      read = { freshUntil: later(now, freshMs), value };
    } catch (cause) {
      // The key that was good five minutes ago is better than none.
      if (!(cause instanceof OutageError) || read === undefined) throw cause;
      read = { freshUntil: later(of.clock.now(), silentMs), value: read.value };
    }
    return read.value;
  };
}

function keyOf(secret: string): AdminKey {
  return { key: `${prefix}${secret}`, cursorKey: createHmac("sha256", secret).update("cursors").digest() };
}

/** Errors that say that the secret cannot be read as things are set up; whatever else happens passes. */
const lasting = new Set(["AccessDeniedException", "ResourceNotFoundException", "InvalidRequestException", "DecryptionFailure"]);

async function readSecret(client: Pick<SecretsManagerClient, "send">, secret: string): Promise<string> {
  const { SecretString } = await ask(client, secret);
  if (SecretString === undefined || SecretString === "") throw new Error(`expected the admin key in the secret ${secret}, and it is empty`);
  return SecretString;
}

async function ask(client: Pick<SecretsManagerClient, "send">, secret: string) {
  try {
    return await client.send(new GetSecretValueCommand({ SecretId: secret }));
  } catch (cause) {
    const { name, message } = cause instanceof Error ? cause : new Error(String(cause));
    if (lasting.has(name))
      throw new Error(`expected to read the admin key by secretsmanager:GetSecretValue: ${name}: ${message}`, { cause });
    throw new OutageError(`secretsmanager:GetSecretValue did not succeed: ${name}`, { cause });
  }
}
