/** The fields that requests are made of: each reads one spelling into what the engine works with, or says what is wrong. */

import * as z from "zod";
import { limits } from "../core/limits.ts";
import { methods, readUrl, wrongHeader } from "../core/target.ts";
import { type EpochMs, formatDuration, parseDuration, parseInstant, toEpochMs } from "../core/time.ts";
import { quote } from "./path.ts";
import type { FieldError } from "./problem.ts";

type Wrong = { readonly code: FieldError["code"]; readonly message: string; readonly path?: readonly string[] };
/** What a field's reader reports to: zod's own list of issues. */
type Issues = { push(issue: z.core.$ZodRawIssue): unknown };

function report(issues: Issues, input: unknown, { code, message, path = [] }: Wrong): typeof z.NEVER {
  issues.push({ code: "custom", input, message, path: [...path], params: { code } });
  return z.NEVER;
}

/** A text field. `read` answers the value, or what is wrong. `meta` is its JSON Schema. */
function text<T>(meta: z.core.GlobalMeta, read: (text: string) => { value: T } | Wrong) {
  return z
    .string()
    .meta(meta)
    .transform((written, context): T => {
      const got = read(written);
      return "value" in got ? got.value : report(context.issues, written, got);
    });
}

/** 0000-01-01T00:00:00Z. An offset can reach before it, where RFC 3339 has no spelling to answer with. */
const instantMin = toEpochMs(-62_167_219_200_000);
const instantExample = "2027-01-01T00:00:00Z";

export const instant = text<EpochMs>({ format: "date-time", examples: [instantExample] }, (written) => {
  const at = parseInstant(written);
  if (at !== undefined && at >= instantMin) return { value: at };
  return {
    code: "invalid_format",
    message: `expected an existing date and time with an offset such as "${instantExample}" or "2027-01-01T01:00:00+01:00", got ${quote(written)}`,
  };
});

/** A duration within bounds, in milliseconds. `of` says whose bound the upper one is, where that helps. */
export function duration(bounds: { min: number; max: number; of?: string; default?: number }, description: string) {
  const standard = bounds.default === undefined ? "" : ` Default ${formatDuration(bounds.default)}.`;
  const range = `${formatDuration(bounds.min)} – ${formatDuration(bounds.max)}`;
  const meta = { description: `${description} ${range}.${standard}`, examples: ["90s", "1h30m", "PT90S"] };
  return text<number>(meta, (written) => {
    const got = parseDuration(written);
    if (got === undefined) {
      return {
        code: "invalid_format",
        message: `expected a duration such as "250ms", "90s", "1h30m", "7d" or "PT90S", got ${quote(written)}`,
      };
    }
    const min = formatDuration(bounds.min);
    if (got < bounds.min) return { code: "too_small", message: `expected at least ${min}, got ${quote(written)}` };
    const max = formatDuration(bounds.max) + (bounds.of ?? "");
    if (got > bounds.max) return { code: "too_large", message: `expected at most ${max}, got ${quote(written)}` };
    return { value: got };
  });
}

/** What `URL` would silently drop, repair or replace. */
const urlAltered = /[\p{Cc}\s]/u;

export const url = text<string>(
  {
    description: "Where to call. http or https, no user name, password or fragment. Answered in its normal form.",
    format: "uri",
    maxLength: limits.urlCharsMax,
    examples: ["https://example.com/hook"],
  },
  (written) => {
    if (urlAltered.test(written) || !written.isWellFormed()) {
      return { code: "invalid_format", message: "expected a URL without spaces, line breaks or control characters; percent-encode them" };
    }
    if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(written)) {
      return { code: "invalid_format", message: 'expected an absolute URL such as "https://example.com/hook"' };
    }
    const got = readUrl(written);
    return "url" in got
      ? { value: got.url }
      : { code: written.length > limits.urlCharsMax ? "too_large" : "invalid_format", message: got.wrong };
  },
);

export const method = z.enum(methods);

/** An object whose names are the caller's. zod's record drops `__proto__` in silence, so names and values are read here. */
function names<T>(meta: z.core.GlobalMeta, read: (entries: readonly (readonly [string, unknown])[], wrong: (wrong: Wrong) => void) => T) {
  return z
    .unknown()
    .meta({ type: "object", ...meta })
    .transform((written, context): T => {
      if (typeof written !== "object" || written === null || Array.isArray(written)) {
        context.issues.push({ code: "invalid_type", expected: "object", input: written });
        return z.NEVER;
      }
      const entries = Object.entries(written);
      return read(entries, (wrong) => {
        report(context.issues, written, wrong);
      });
    });
}

/** Answers show secret headers as this; sent back, it would replace the secret. */
export const maskedValue = "***";

export const headers = names<Record<string, string>>(
  {
    description: `At most ${limits.headersMax}, ${limits.headerBytesMax} bytes in all; names in any case. Not host, content-length, hop-by-hop, webhook-* or onthedot-*. In answers, the values of headers that carry credentials read "${maskedValue}".`,
    additionalProperties: { type: "string" },
    maxProperties: limits.headersMax,
    examples: [{ "x-a": "b" }],
  },
  (entries, wrong) => {
    const read: Record<string, string> = {};
    if (entries.length > limits.headersMax) {
      wrong({ code: "too_large", message: `expected at most ${limits.headersMax} headers, got ${entries.length}` });
      return read;
    }
    let bytes = 0;
    for (const [written, value] of entries) {
      const name = written.toLowerCase();
      const path = [written];
      bytes += name.length + String(value).length;
      const mistake = typeof value === "string" ? wrongHeader(name, value) : `expected a text, got ${kindOf(value)}`;
      if (mistake !== undefined) wrong({ code: typeof value === "string" ? "invalid_value" : "invalid_type", message: mistake, path });
      else if (name === "__proto__") wrong({ code: "forbidden", message: "this name is not taken; choose another", path });
      else if (Object.hasOwn(read, name))
        wrong({ code: "duplicate", message: `the header "${name}" is given twice; names differ only in case`, path });
      else if (value === maskedValue) {
        wrong({
          code: "invalid_value",
          message: `"${maskedValue}" stands for a value that answers do not show; send the value itself`,
          path,
        });
      } else read[name] = String(value);
    }
    if (bytes > limits.headerBytesMax) {
      wrong({ code: "too_large", message: `expected at most ${limits.headerBytesMax} bytes of names and values, got ${bytes}` });
    }
    return read;
  },
);

const labelKey = new RegExp(`^[A-Za-z0-9._/-]{1,${limits.labelKeyCharsMax}}$`);
const control = /\p{Cc}/u;

/** What is wrong with one label, or undefined. */
export function wrongLabel(key: string, value: unknown): Wrong | undefined {
  if (!labelKey.test(key) || key === "__proto__") {
    const message = `expected a key of 1–${limits.labelKeyCharsMax} letters, digits and . _ / -, got ${quote(key)}`;
    return { code: "invalid_format", message };
  }
  if (typeof value !== "string") return { code: "invalid_type", message: `expected a text, got ${kindOf(value)}` };
  if (value.length > limits.labelValueCharsMax) {
    return { code: "too_large", message: `expected at most ${limits.labelValueCharsMax} characters, got ${value.length}` };
  }
  if (control.test(value) || !value.isWellFormed()) {
    return { code: "invalid_format", message: "expected text without control characters, line breaks and unpaired surrogates" };
  }
  return undefined;
}

export const labels = names<Record<string, string>>(
  {
    description: `At most ${limits.labelsMax}. Keys: 1–${limits.labelKeyCharsMax} of A–Z a–z 0–9 . _ / -; values: up to ${limits.labelValueCharsMax} characters.`,
    additionalProperties: { type: "string", maxLength: limits.labelValueCharsMax },
    propertyNames: { type: "string", pattern: labelKey.source },
    maxProperties: limits.labelsMax,
    examples: [{ team: "billing" }],
  },
  (entries, wrong) => {
    const read: Record<string, string> = {};
    if (entries.length > limits.labelsMax) {
      wrong({ code: "too_large", message: `expected at most ${limits.labelsMax} labels, got ${entries.length}` });
      return read;
    }
    for (const [key, value] of entries) {
      const mistake = wrongLabel(key, value);
      if (mistake === undefined) read[key] = String(value);
      else wrong({ ...mistake, path: [key] });
    }
    return read;
  },
);

const keyPattern = new RegExp(`^[\\x20-\\x7e]{1,${limits.idempotencyKeyCharsMax}}$`);

/** What is wrong with an idempotency key, or undefined. */
export function wrongKey(written: string): string | undefined {
  if (keyPattern.test(written)) return undefined;
  return `expected 1–${limits.idempotencyKeyCharsMax} printable ASCII characters, got ${written.length === 0 ? "none" : quote(written)}`;
}

export const key = text<string>(
  {
    description: "Idempotency key, the same as the header Idempotency-Key: the same key and request is the same job.",
    pattern: keyPattern.source,
    examples: ["order-17"],
  },
  (written) => {
    const message = wrongKey(written);
    return message === undefined ? { value: written } : { code: "invalid_format", message };
  },
);

export const bodyText = text<string>({ description: "Sent byte for byte in UTF-8, as text/plain." }, (written) =>
  written.isWellFormed()
    ? { value: written }
    : { code: "invalid_format", message: "expected text without unpaired surrogates, which UTF-8 cannot carry; use bodyBase64" },
);

export const bodyBase64 = text<Uint8Array>(
  { description: "Decoded and sent byte for byte, as application/octet-stream.", contentEncoding: "base64" },
  (written) => {
    const bytes = Buffer.from(written, "base64");
    // Buffer.from never fails: it skips what it cannot read. Only the way back shows whether all was read.
    if (bytes.toString("base64") === written) return { value: bytes };
    return { code: "invalid_format", message: "expected base64 of the standard alphabet, padded and without line breaks (RFC 4648 §4)" };
  },
);

/** A few words for people. */
export function note(charsMax: number, description: string) {
  return text<string>({ description, minLength: 1, maxLength: charsMax }, (written) => {
    if (written === "") return { code: "too_small", message: "expected some text, got none; leave the field out instead" };
    if (written.length > charsMax) return { code: "too_large", message: `expected at most ${charsMax} characters, got ${written.length}` };
    if (!control.test(written) && written.isWellFormed()) return { value: written };
    return { code: "invalid_format", message: "expected text without control characters, line breaks and unpaired surrogates" };
  });
}

/** A value's kind in a caller's words. */
export function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  if (typeof value === "string") return `the text ${quote(value)}`;
  return typeof value === "boolean" ? String(value) : `the number ${String(value)}`;
}
