/** Marked blocks of pages that people write: what stands between the marks is generated, and a test holds it against its source. */

import { readFileSync, writeFileSync } from "node:fs";

const pageOf = (page: string) => new URL(page, import.meta.url);
const begin = (name: string) => `<!-- begin ${name}: generated, do not edit -->`;
const end = (name: string) => `<!-- end ${name} -->`;

/** The block's text as it stands. */
export function readBlock(page: string, name: string): string {
  const text = readFileSync(pageOf(page), "utf8");
  const [from, to] = marksOf(text, page, name);
  return text.slice(from, to).trim();
}

export function writeBlock(page: string, name: string, block: string): void {
  const text = readFileSync(pageOf(page), "utf8");
  const [from, to] = marksOf(text, page, name);
  writeFileSync(pageOf(page), `${text.slice(0, from)}\n\n${block}\n\n${text.slice(to)}`);
}

function marksOf(text: string, page: string, name: string): readonly [number, number] {
  const from = text.indexOf(begin(name));
  const to = text.indexOf(end(name));
  if (from < 0 || to < from) throw new Error(`expected docs/${page} to have the marks ${begin(name)} and ${end(name)}, in this order`);
  return [from + begin(name).length, to];
}
