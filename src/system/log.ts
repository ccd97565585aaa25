/** What a line of a log can say, whoever writes it: a closed set of fields, none of which is a header, a body or a URL. */

export const levels = ["debug", "info", "warn", "error"] as const;
export type Level = (typeof levels)[number];

/**
 * Everything that a line can say beside its message. A new field is a new name here, and the place to ask whether it could ever
 * hold a secret: no URL (its query may carry a token), no header, no body, no label.
 */
type FieldValues = {
  job: string;
  /** The name of one. */
  schedule: string;
  /** Occurrences that the line is about. */
  count: number;
  attempt: number;
  /** The trace id sent to the target as `traceparent`. */
  trace: string;
  state: string;
  because: string;
  status: number;
  /** A system's or a problem's code, such as ECONNREFUSED. */
  code: string | null;
  latenessMs: number | null;
  callMs: number;
  requestId: string;
  method: string;
  /** A path of our own API or of the receiver, without its query. */
  path: string;
  where: string;
  range: number;
  named: number;
  stretches: number;
  byteCount: number;
  signal: string;
  /** What failed. Written as name, message and code, with its causes; at level error with the stack. */
  cause: unknown;
};
export type Fields = Readonly<Partial<FieldValues>>;

export type Log = {
  /**
   * `message` is a whole sentence, all that a person needs: a terminal shows it and the cause alone. `fields` are for machines to
   * search by.
   */
  (level: Level, message: string, fields?: Fields): void;
  /** Whether a line of this level is written at all: asked before the work of making one. */
  readonly isOn: (level: Level) => boolean;
};
