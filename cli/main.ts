/** The commands of `onthedot`. Each reads its settings first: a wrong one ends the program before anything is opened. */

import { readFileSync } from "node:fs";
import { nearest } from "../src/api/nearest.ts";
import { config } from "./config.ts";
import { start } from "./start.ts";

const help = `onthedot calls your URL on the dot, and does not lose the call.

  onthedot start     serve the API and call what is due
  onthedot config    print each setting with its value, its source and its reason
  onthedot version   print the version
  onthedot help      print this text

"onthedot config" lists every setting; each is a flag (--port 4000) or an environment variable (ONTHEDOT_PORT=4000).`;

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
const [command = "help", ...argv] = process.argv.slice(2);

switch (command) {
  case "start":
    process.exitCode = await start(argv, process.env, version);
    break;
  case "config":
    process.exitCode = config(argv, process.env);
    break;
  case "version":
  case "--version":
  case "-v":
    console.log(version);
    break;
  case "help":
  case "--help":
  case "-h":
    console.log(help);
    break;
  default: {
    const meant = nearest(command, ["start", "config", "version", "help"]);
    console.error(`there is no command "${command}"${meant === undefined ? "" : `; did you mean "${meant}"?`} Run "onthedot help".`);
    process.exitCode = 2;
  }
}
