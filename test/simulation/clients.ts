/** The clients of a world: what they ask, what they are told, and that they hear nothing when whom they asked dies. */

import { type JobId, soleTenant } from "../../src/core/ids.ts";
import type { Job, Priority } from "../../src/core/job.ts";
import type { RetryPolicy } from "../../src/core/retry.ts";
import type { EpochMs } from "../../src/core/time.ts";
import type { Engine } from "../../src/engine/engine.ts";
import type { Submission } from "../../src/engine/submit.ts";
import type { Process } from "./process.ts";
import { answerAbout, type ScheduleAsked, type Shown } from "./schedules/desk.ts";
import type { World } from "./world.ts";

export type Asked =
  | ScheduleAsked
  | {
      readonly what: "create";
      readonly label: string;
      readonly key: string | null;
      readonly dueAt: EpochMs;
      readonly content: string;
      readonly beside: boolean;
      readonly priority: Priority;
      readonly timeoutMs: number;
      readonly deadline: EpochMs | null;
      readonly retry: RetryPolicy;
    }
  | { readonly what: "cancel"; readonly job: JobId }
  | {
      readonly what: "edit";
      readonly job: JobId;
      readonly content?: string;
      readonly beside?: boolean;
      readonly dueAt?: EpochMs;
      readonly priority?: Priority;
      readonly timeoutMs?: number;
      readonly retry?: RetryPolicy;
    }
  | { readonly what: "replay"; readonly job: JobId };

/** What the client heard. "unavailable" and silence mean the same: nobody knows whether it was done. */
export type Told = {
  readonly kind:
    | "created"
    | "replayed"
    | "conflict"
    | "cancelled"
    | "requested"
    | "edited"
    | "in_flight"
    | "state_conflict"
    | "replaced"
    | "changed"
    | "triggered"
    | "busy"
    | "begun"
    | "deleted"
    | "not_found"
    | "other"
    | "unavailable";
  readonly job?: JobId;
  readonly version?: number;
  /** The attempt that was under way. */
  readonly attempt?: number;
  readonly shown?: Shown;
};

/** Who serves a request. Undefined: nobody is there. */
export type Desk = { readonly engine: Engine; readonly process: Process; leave(): void } | undefined;

export type Clients = {
  /** Resolves with "unavailable" too when whoever was asked has died. */
  ask(asked: Asked): Promise<Told>;
};

export function createClients(world: World, openDesk: () => Desk): Clients {
  let ops = 0;
  return {
    async ask(asked) {
      const desk = openDesk();
      if (desk === undefined) return { kind: "unavailable" };
      const op = ++ops;
      world.note({ kind: "asked", op, by: desk.process.name, asked });
      const told = await heard(world, desk.process, answer(world, desk.engine, asked));
      world.note({ kind: "told", op, told });
      desk.leave();
      return told;
    },
  };
}

function heard(world: World, process: Process, answered: Promise<Told>): Promise<Told> {
  return new Promise((resolve) => {
    process.onEnd(() => resolve({ kind: "unavailable" }));
    answered.then(resolve, (error: unknown) => {
      if (!(error instanceof world.code.OutageError)) world.note({ kind: "threw", by: process.name, error: String(error) });
      resolve({ kind: "unavailable" });
    });
  });
}

async function answer({ code }: World, engine: Engine, asked: Asked): Promise<Told> {
  switch (asked.what) {
    case "create": {
      const submitted = await code.submit(engine, submissionOf(asked));
      return submitted.kind === "conflict" ? submitted : about(submitted.kind, submitted.job);
    }
    case "cancel": {
      const cancelled = await code.cancel(engine, { tenant: soleTenant, id: asked.job });
      return cancelled.kind === "not_found" ? cancelled : about(cancelled.kind, cancelled.job);
    }
    case "edit": {
      const edited = await code.edit(engine, { tenant: soleTenant, id: asked.job }, () => editOf(asked), null);
      if (edited.kind === "version_conflict" || edited.kind === "invalid") return { kind: "other" };
      return edited.kind === "not_found" ? edited : about(edited.kind, edited.job);
    }
    case "replay": {
      const replayed = await code.replay(engine, { tenant: soleTenant, id: asked.job });
      if (replayed.kind === "body_gone") return { kind: "other" };
      return replayed.kind === "not_found" ? replayed : about(replayed.kind, replayed.job);
    }
    default:
      return answerAbout(code, engine, asked);
  }
}

function about(kind: Told["kind"], job: Job): Told {
  return { kind, job: job.id, version: job.version, attempt: job.attemptCount };
}

function submissionOf(asked: Extract<Asked, { what: "create" }>): Submission {
  const { label, key, content, beside, dueAt, priority, timeoutMs, deadline, retry } = asked;
  return {
    tenant: soleTenant,
    target: { url: `https://example.com/${label}`, method: "POST", headers: {} },
    body: bodyOf(content, beside),
    labels: {},
    key: key === null ? null : { text: key, fingerprint: content },
    ...{ dueAt, priority, timeoutMs, deadline, retry },
  };
}

function editOf(asked: Extract<Asked, { what: "edit" }>) {
  const { what, job, content, beside, ...fields } = asked;
  return content === undefined ? fields : { ...fields, body: bodyOf(content, beside === true) };
}

/** The content is the body's first word. A large body lies beside its job. */
function bodyOf(content: string, beside: boolean) {
  return { contentType: "text/plain", bytes: Buffer.from(beside ? `${content} ${"x".repeat(401)}` : content) };
}
