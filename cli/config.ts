/** `onthedot config`: what would be used, where it comes from, and what for. */

import { printSettings, readSettings } from "../local/settings.ts";

export function config(argv: readonly string[], env: NodeJS.ProcessEnv): 0 | 2 {
  const read = readSettings({ argv, env });
  if ("wrong" in read) {
    for (const line of read.wrong) console.error(line);
    return 2;
  }
  console.log(printSettings(read));
  for (const warning of read.warnings) console.error(warning);
  return 0;
}
