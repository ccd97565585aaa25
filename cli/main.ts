/** The commands of `onthedot`. Each reads its settings first: a wrong one ends the program before anything is opened. */

import { readFileSync } from "node:fs";
import { nearest } from "../src/core/nearest.ts";
import { listenForSignals } from "./signals.ts";

const help = `onthedot calls your URL on the dot, and does not lose the call.

  onthedot start     serve the API and call what is due
  onthedot config    print each setting with its value, its source and its reason
  onthedot ticks     what wakes an installation on AWS: status, pause, resume, resize --ranges n
  onthedot version   print the version
  onthedot help      print this text

"onthedot config" lists every setting; each is a flag (--port 4000) or an environment variable (ONTHEDOT_PORT=4000).
"onthedot start --first-try" also lets jobs call this machine, and on a first run makes one that does.
"onthedot ticks" asks the installation at --url or ONTHEDOT_URL (the stack's output ApiUrl), with the key in ONTHEDOT_API_KEY.
A pause holds back every call that is not hinted yet; a resize spreads the wheel's shards over n dispatchers.`;

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
const [command = "help", ...argv] = process.argv.slice(2);

// Whoever read the output is gone (a closed pipe, a closed terminal). Nobody is left to tell, and it is no reason to stop calling.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

if (isHelpAsked()) console.log(help);
else await run();

/** Also after a command: whoever types `onthedot start --help` wants to read, not to start. */
function isHelpAsked(): boolean {
  return command === "help" || [command, ...argv].some((word) => word === "--help" || word === "-h");
}

async function run(): Promise<void> {
  switch (command) {
    case "start": {
      const asked = listenForSignals();
      // Loaded after the signals are listened for: it is most of the time that a start takes.
      const { start } = await import("./start.ts");
      // All is closed or was given its time: a client that holds a connection open does not hold the program.
      process.exit(await start({ argv, env: process.env, version, asked }));
      break;
    }
    case "config": {
      const { config } = await import("./config.ts");
      process.exitCode = config(argv, process.env);
      break;
    }
    case "ticks": {
      const { ticks } = await import("./ticks.ts");
      process.exitCode = await ticks(argv, process.env);
      break;
    }
    case "version":
    case "--version":
    case "-v":
      console.log(version);
      break;
    default: {
      const meant = nearest(command, ["start", "config", "ticks", "version", "help"]);
      console.error(`there is no command "${command}"${meant === undefined ? "." : `; did you mean "${meant}"?`} Run "onthedot help".`);
      process.exitCode = 2;
    }
  }
}
