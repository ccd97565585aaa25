/**
 * Finds what is written as the value of a telling name, in the forms that text from elsewhere has: headers, settings, JSON, and JSON
 * within JSON, whose quotation marks carry backslashes. Each character is looked at a bounded number of times, for the text is anybody's.
 */

/** The word, and what is grown onto it; the name of an error tells of a secret and holds none, nor does that of an AWS action. */
const telling = String.raw`(?:(authorization|cookie)|(?<!get)secret(?!smanager:)|access[-_ ]?key|passw|passphrase|token|(?:api|private)[-_ ]?key|credential)(?![\w-]{0,64}(?:error|exception)\b)[\w-]{0,64}`;

/** A quotation mark in text that is itself quoted, up to five times; some writers of JSON spell it by its number. */
const quote = String.raw`(?:\\{0,31}["']|\\{1,31}u002[27])`;

/**
 * Up to where a secret may begin. A telling name before its value; one that is itself a text, before the next text of a list or a
 * later field `value` of its object; and such a field, whose name may also come after it.
 */
const place = new RegExp(
  [
    String.raw`${telling}(?:(?:${quote}|(?<unquoted>))\]?\s*[:=]>?\s*|${quote}\s*,(?=(?<toValue>[^{}]{0,200}?value${quote}\s*:\s*)|)(?<listed>\s*))`,
    String.raw`(?<field>value)${quote}\s*:\s*`,
  ].join("|"),
  "gi",
);

/** After a value: the rest of its object names it. */
const namedAfter = new RegExp(String.raw`${quote}\s*,[^{}]{0,200}?(?:name|key)${quote}\s*:\s*${quote}[\w-]{0,64}?${telling}${quote}`, "iy");
/** After a text in a list: it is a field's name instead. */
const colon = new RegExp(String.raw`${quote}\s*:`, "y");

const opening = new RegExp(quote, "y");
const bracket = /[[{]/y;
/** From the first backslash of a run, or a run of many would be looked at from each of them. */
const anyQuote = /(?<!\\)(\\*)(["']|u002[27])/g;
const anyBracket = /(?<!\\)\\*(?:["']|u002[27])|[[\]{}]/g;
const line = /.*/y;
const word = /[^\s"',;]*/y;

export function maskNamed(text: string): string {
  let masked = "";
  let done = 0;
  /** Where the value begins that an earlier field has named. */
  let namedAt = -1;
  place.lastIndex = 0;
  for (let found = place.exec(text); found !== null; found = place.exec(text)) {
    const at = place.lastIndex;
    const { listed, toValue, field } = found.groups ?? {};
    if (listed !== undefined && toValue !== undefined) namedAt = at - listed.length + toValue.length;
    // In a list only a text is masked, and so it is before its name: what else would be looked at again and again without an end.
    const isCertain = listed === undefined && (field === undefined || at === namedAt);
    if (!isCertain && matchAt(opening, text, at) === undefined) continue;
    const { start, end } = secretAt(text, at, found);
    if (start === end || !(isCertain || isNamed(text, end, listed === undefined))) continue;
    masked += `${text.slice(done, start)}***`;
    done = end;
    place.lastIndex = done;
  }
  return masked + text.slice(done);
}

/** A field `value` by the rest of its object; a text in a list, where it is not the name of the next field. */
function isNamed(text: string, end: number, isField: boolean): boolean {
  return isField ? matchAt(namedAfter, text, end) !== undefined : matchAt(colon, text, end) === undefined;
}

/** A header as it is sent goes to the end of its line at least, whatever marks stand in it. */
function secretAt(text: string, at: number, { 1: header, groups }: RegExpExecArray): Stretch {
  const isHeader = header !== undefined && groups?.["unquoted"] !== undefined;
  const { start, end } = valueAt(text, at);
  return { start, end: isHeader ? Math.max(end, at + (matchAt(line, text, at)?.length ?? 0)) : end };
}

type Stretch = { readonly start: number; readonly end: number };

/** Within its quotation marks, with its brackets, or one word. */
function valueAt(text: string, at: number): Stretch {
  const opened = matchAt(opening, text, at);
  if (opened !== undefined) return { start: at + opened.length, end: closingQuote(text, opened, at + opened.length) };
  if (matchAt(bracket, text, at) !== undefined) return { start: at, end: afterBrackets(text, at) };
  return { start: at, end: at + (matchAt(word, text, at)?.length ?? 0) };
}

/**
 * Where the quotation ends, at its mark's first backslash; the text's end where it was cut. A mark with fewer backslashes ends a
 * quotation around this one. With more it stands inside, unless they are the value's own last ones, each doubled at every depth.
 */
function closingQuote(text: string, opened: string, from: number): number {
  const depth = slashesOf(opened);
  anyQuote.lastIndex = from;
  for (let found = anyQuote.exec(text); found !== null; found = anyQuote.exec(text)) {
    const [whole, written = "", mark = ""] = found;
    if (markOf(mark) !== markOf(opened) || (mark.startsWith("u") && written === "")) continue;
    const slashes = slashesOf(whole);
    if (slashes <= depth) return found.index;
    if (slashes % (2 * (depth + 1)) === depth) return found.index + whole.length - mark.length - writtenSlashesOf(opened);
  }
  return text.length;
}

function afterBrackets(text: string, at: number): number {
  let open = 0;
  anyBracket.lastIndex = at;
  for (let found = anyBracket.exec(text); found !== null; found = anyBracket.exec(text)) {
    const [mark] = found;
    if (mark === "[" || mark === "{") open += 1;
    else if (mark === "]" || mark === "}") open -= 1;
    else anyBracket.lastIndex = afterQuote(text, mark, anyBracket.lastIndex);
    if (open === 0) return anyBracket.lastIndex;
  }
  return text.length;
}

function afterQuote(text: string, opened: string, from: number): number {
  const end = closingQuote(text, opened, from);
  return end + (matchAt(opening, text, end)?.length ?? 0);
}

function writtenSlashesOf(quotation: string): number {
  return quotation.lastIndexOf("\\") + 1;
}

/**
 * As many as a mark that is no number would have there. Each reading halves them; it takes a number for the mark only where they are
 * odd, and until then leaves one backslash fewer before it: what is a number to the second reading stands where the mark has three.
 */
function slashesOf(quotation: string): number {
  const written = writtenSlashesOf(quotation);
  if (!/u002[27]$/.test(quotation)) return written;
  const lowestBit = written & -written;
  return written + lowestBit - 1;
}

function markOf(quotation: string): "single" | "double" {
  return /['7]$/.test(quotation) ? "single" : "double";
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}
