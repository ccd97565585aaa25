/** Judges a table's conditions as DynamoDB does, as far as the house's own need: comparisons, absence, AND before OR, one level of brackets. */

import type { Condition, Item } from "../../src/store/dynamo/table.ts";

type Holds = (item: Item, values: Item) => boolean;

const known = new Map<string, Holds>();

/** Whether the condition holds of what stands under the key; of nothing, every attribute is absent. */
export function holds({ expression, values = {} }: Condition, standing: Item | undefined): boolean {
  const judge = known.get(expression) ?? parsed(expression);
  known.set(expression, judge);
  return judge(standing ?? {}, values);
}

function parsed(expression: string): Holds {
  const bracketed = /^(.*) AND \(([^()]+(?:\([^()]*\)[^()]*)*)\)$/.exec(expression);
  if (bracketed !== null) {
    const [first, second] = [parsed(bracketed[1] ?? ""), parsed(bracketed[2] ?? "")];
    return (item, values) => first(item, values) && second(item, values);
  }
  const ways = expression.split(" OR ").map((way) => way.split(" AND ").map(term));
  return (item, values) => ways.some((terms) => terms.every((one) => one(item, values)));
}

function term(text: string): Holds {
  const absent = /^attribute_not_exists\((\w+)\)$/.exec(text)?.[1];
  if (absent !== undefined) return (item) => item[absent] === undefined;
  const [, name, operator, value] = /^(\w+) (=|<=|>) (:\w+)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new Error(`expected a condition that the simulation can judge, got "${text}"`);
  return (item, values) => {
    const [standing, wanted] = [item[name], values[value]];
    if (wanted === undefined) throw new Error(`expected a value for ${value}, got none`);
    // A comparison with an absent attribute never holds.
    if (standing === undefined) return false;
    return operator === "=" ? standing === wanted : operator === ">" ? standing > wanted : standing <= wanted;
  };
}
