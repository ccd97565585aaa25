/** How an answer names a place in a request: `retry.maxAttempts`, `body.items[3].price`, `labels["a b"]`. */

export type Path = readonly PropertyKey[];

const plainName = /^[A-Za-z_$][\w$-]*$/;
/** A path is a hint for people: one that is deeper or has longer names is shown cut. */
const stepsShown = 12;
const nameCharsShown = 64;

export function formatPath(path: Path): string {
  const text = path.slice(0, stepsShown).reduce<string>((before, step) => before + formatStep(step, before === ""), "");
  return path.length > stepsShown ? `${text}…` : text;
}

function formatStep(step: PropertyKey, first: boolean): string {
  if (typeof step === "number") return `[${step}]`;
  const name = String(step);
  if (!plainName.test(name) || name.length > nameCharsShown) return `[${quote(name, nameCharsShown)}]`;
  return first ? name : `.${name}`;
}

/** A caller's own text inside a message: quoted, escaped, and cut. */
export function quote(text: string, charsMax = 40): string {
  return JSON.stringify(text.length > charsMax ? `${text.slice(0, charsMax)}…` : text);
}
