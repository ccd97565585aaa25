/** The log of the functions: Powertools' lines, with the fields and the two nets for secrets that every log of ours has. */

import { Logger } from "@aws-lambda-powertools/logger";
import { type Fields, type Level, type Log, levels } from "../src/system/log.ts";
import { describeCause, maskSecrets } from "../src/system/redact.ts";

export type FunctionLog = {
  readonly log: Log;
  /** For the middleware that adds the invocation's own ids. */
  readonly logger: Logger;
};

export function createFunctionLog({ level, stage }: { readonly level: Level; readonly stage: string }): FunctionLog {
  const logger = new Logger({ logLevel: powertoolsLevel[level], persistentKeys: { stage } });
  const least = levels.indexOf(level);
  const isOn = (asked: Level) => levels.indexOf(asked) >= least;
  const write = (asked: Level, message: string, fields: Fields = {}) => {
    if (isOn(asked)) logger[asked](maskSecrets(message), plainFields(asked, fields));
  };
  return { log: Object.assign(write, { isOn }), logger };
}

const powertoolsLevel = { debug: "DEBUG", info: "INFO", warn: "WARN", error: "ERROR" } as const satisfies Record<Level, string>;

function plainFields(level: Level, { cause, ...plain }: Fields): Record<string, unknown> {
  const masked: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(plain)) masked[name] = typeof value === "string" ? maskSecrets(value) : value;
  if (cause !== undefined) masked["cause"] = describeCause(cause, level === "error" ? "stack" : "message");
  return masked;
}
