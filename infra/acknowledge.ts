/** Findings of the rule packs that stand as they are, each with its reason, at the construct that it concerns. */

import { Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

/** `reasons`: rule id to the reason why it does not hold here. They cover the construct and what is in it. */
export function acknowledge(construct: IConstruct, reasons: Readonly<Record<string, string>>): void {
  Validations.of(construct).acknowledge(...Object.entries(reasons).map(([id, reason]) => ({ id, reason })));
}
