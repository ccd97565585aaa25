/** What things are called: every name begins with the stage's, so that stages live side by side in one account. */

/** The stack's own name, and that of what there is one of: the table, the group of schedules, the dashboard. */
export function stageName(stage: string): string {
  return `onthedot-${stage}`;
}

export function nameOf(stage: string, part: string): string {
  return `${stageName(stage)}-${part}`;
}

/** Under which the functions report their metrics. */
export const ownNamespace = "onthedot";
