/**
 * One linear look at a JSON text before it is parsed. It accepts exactly what `JSON.parse` accepts, and finds what that would
 * pass over in silence: a key given twice, a number that a double would change, nesting too deep to be written again, and
 * more values than a request needs. The depth of its own recursion is bounded.
 */

import { limits } from "../core/limits.ts";
import { quote } from "./path.ts";

/** What is wrong at one place, while the text as a whole is JSON. In a batch it is the matter of that item alone. */
export type Finding = {
  readonly kind: "duplicate_key" | "inexact_number" | "too_deep";
  readonly path: readonly (string | number)[];
  readonly text: string;
};

export type Scanned = { readonly ok: true; readonly findings: readonly Finding[] } | { readonly ok: false; readonly wrong: string };

type Scan = {
  readonly text: string;
  readonly depthMax: number;
  /** Keys and indexes down to the value being looked at; its length is the depth. */
  readonly path: (string | number)[];
  readonly findings: Finding[];
  at: number;
  values: number;
  wrong: string;
  /** Findings of the part that the last finding lies in. */
  findingsInPart: number;
};

/** Beyond it the text is not looked at further, so that the recursion fits any stack. No honest request comes near. */
const depthScannedMax = 512;
/** More than this in one part helps nobody. A part is two steps from the root, so that no item of a batch hides another's findings. */
const findingsPerPartMax = 32;
/** Objects up to this size are searched member by member, which is faster than a set; larger ones would be quadratic. */
const keysListedMax = 12;

export function scanJson(text: string, depthMax: number): Scanned {
  const scan: Scan = { text, depthMax, path: [], findings: [], at: 0, values: 0, wrong: "", findingsInPart: 0 };
  if (text.charCodeAt(0) === 0xfeff) return { ok: false, wrong: "expected JSON without a byte order mark; send plain UTF-8" };
  skipSpace(scan);
  if (!scanValue(scan)) return { ok: false, wrong: scan.wrong };
  skipSpace(scan);
  if (scan.at < text.length) {
    expected(scan, "the end of the body after the JSON value");
    return { ok: false, wrong: scan.wrong };
  }
  return { ok: true, findings: scan.findings };
}

function scanValue(scan: Scan): boolean {
  scan.values += 1;
  if (scan.values > limits.jsonValuesMax) {
    scan.wrong = `expected at most ${limits.jsonValuesMax} values in one request; send fewer, or large data as bodyText`;
    return false;
  }
  switch (scan.text.charCodeAt(scan.at)) {
    case 0x22:
      return scanString(scan) !== undefined;
    case 0x7b:
      return scanObject(scan);
    case 0x5b:
      return scanArray(scan);
    case 0x74:
      return scanWord(scan, "true");
    case 0x66:
      return scanWord(scan, "false");
    case 0x6e:
      return scanWord(scan, "null");
    default:
      return scanNumber(scan);
  }
}

function scanObject(scan: Scan): boolean {
  const { text, path } = scan;
  if (!enter(scan)) return false;
  skipSpace(scan);
  if (text.charCodeAt(scan.at) === 0x7d) return leave(scan);
  const keys: string[] = [];
  let keySet: Set<string> | undefined;
  for (;;) {
    if (text.charCodeAt(scan.at) !== 0x22)
      return expected(scan, keys.length === 0 ? 'a name in double quotes or "}"' : "a name in double quotes");
    const key = scanString(scan);
    if (key === undefined) return false;
    path[path.length - 1] = key;
    if (keySet === undefined ? keys.includes(key) : keySet.has(key)) find(scan, "duplicate_key", key);
    keySet?.add(key);
    if (keys.push(key) === keysListedMax) keySet = new Set(keys);
    skipSpace(scan);
    if (text.charCodeAt(scan.at) !== 0x3a) return expected(scan, '":" after the name');
    scan.at += 1;
    skipSpace(scan);
    if (!scanValue(scan)) return false;
    skipSpace(scan);
    const next = text.charCodeAt(scan.at);
    if (next === 0x7d) return leave(scan);
    if (next !== 0x2c) return expected(scan, '"," or "}"');
    scan.at += 1;
    skipSpace(scan);
  }
}

function scanArray(scan: Scan): boolean {
  const { text, path } = scan;
  if (!enter(scan)) return false;
  skipSpace(scan);
  if (text.charCodeAt(scan.at) === 0x5d) return leave(scan);
  for (let index = 0; ; index++) {
    path[path.length - 1] = index;
    if (!scanValue(scan)) return false;
    skipSpace(scan);
    const next = text.charCodeAt(scan.at);
    if (next === 0x5d) return leave(scan);
    if (next !== 0x2c) return expected(scan, '"," or "]"');
    scan.at += 1;
    skipSpace(scan);
  }
}

/** Steps into an object or array. The place for its members' names is made now, so that the path's length is the depth. */
function enter(scan: Scan): boolean {
  if (scan.path.length === scan.depthMax) find(scan, "too_deep", "");
  if (scan.path.length === depthScannedMax) {
    scan.wrong = `expected at most ${scan.depthMax} levels of nesting, got more than ${depthScannedMax}; send deep data as bodyText`;
    return false;
  }
  scan.path.push(0);
  scan.at += 1;
  return true;
}

function leave(scan: Scan): true {
  scan.path.pop();
  scan.at += 1;
  return true;
}

/** Answers the string's value; undefined when it is no string. Only one with escapes costs a parse. */
function scanString(scan: Scan): string | undefined {
  const { text } = scan;
  const start = scan.at + 1;
  let escaped = false;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      scan.at = at + 1;
      return escaped ? (JSON.parse(text.slice(start - 1, at + 1)) as string) : text.slice(start, at);
    }
    if (code < 0x20) return outside(scan, at, "a string without raw control characters: write them as escapes such as \\n");
    if (code !== 0x5c) continue;
    escaped = true;
    const length = escapeLength(text, at);
    if (length === 0) return outside(scan, at, 'an escape such as \\n, \\" or \\u00e9');
    at += length - 1;
  }
  return outside(scan, text.length, "a closing double quote");
}

const escapePattern = /\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})/y;

function escapeLength(text: string, at: number): number {
  escapePattern.lastIndex = at;
  return escapePattern.test(text) ? escapePattern.lastIndex - at : 0;
}

function scanWord(scan: Scan, word: string): boolean {
  if (!scan.text.startsWith(word, scan.at)) return expected(scan, "a JSON value");
  scan.at += word.length;
  return true;
}

const numberPattern = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** Up to 15 digits without an exponent survive a double (IEEE 754: DBL_DIG = 15). */
const surelyExact = /^[-\d.]{1,15}$/;

function scanNumber(scan: Scan): boolean {
  numberPattern.lastIndex = scan.at;
  if (!numberPattern.test(scan.text)) return expected(scan, "a JSON value");
  const text = scan.text.slice(scan.at, numberPattern.lastIndex);
  scan.at = numberPattern.lastIndex;
  if (!surelyExact.test(text) && !survivesDouble(text)) find(scan, "inexact_number", text);
  return true;
}

/** Whether the double nearest to the text is written again with the same decimal value: 0.10 and 1e2 are, 1e400 is not. */
function survivesDouble(text: string): boolean {
  const value = Number(text);
  return Number.isFinite(value) && decimalOf(text) === decimalOf(String(value));
}

const decimalParts = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i;

/** A decimal in one spelling: sign, digits without outer zeros, and the place of the point. Zero has no sign. */
function decimalOf(text: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = decimalParts.exec(text) ?? [];
  const all = whole + fraction;
  let first = 0;
  while (all.charCodeAt(first) === 0x30) first += 1;
  let last = all.length;
  while (last > first && all.charCodeAt(last - 1) === 0x30) last -= 1;
  if (first === last) return "0";
  return `${sign}${all.slice(first, last)}e${Number(exponent) + whole.length - first}`;
}

function skipSpace(scan: Scan): void {
  for (;;) {
    const code = scan.text.charCodeAt(scan.at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    scan.at += 1;
  }
}

function find(scan: Scan, kind: Finding["kind"], text: string): void {
  const last = scan.findings.at(-1)?.path;
  const samePart = last !== undefined && last[0] === scan.path[0] && last[1] === scan.path[1];
  scan.findingsInPart = samePart ? scan.findingsInPart + 1 : 1;
  if (scan.findingsInPart <= findingsPerPartMax) scan.findings.push({ kind, path: [...scan.path], text });
}

function outside(scan: Scan, at: number, what: string): undefined {
  scan.at = at;
  expected(scan, what);
  return undefined;
}

function expected(scan: Scan, what: string): false {
  const { text, at } = scan;
  const got = at >= text.length ? "the end of the body" : quote(String.fromCodePoint(text.codePointAt(at) ?? 0));
  const lineStart = text.lastIndexOf("\n", at - 1) + 1;
  const line = text.slice(0, lineStart).split("\n").length;
  scan.wrong = `expected ${what}, got ${got} at line ${line}, column ${at - lineStart + 1}`;
  return false;
}
