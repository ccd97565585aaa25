/** Commands of a run, quiet while they go well; and the run's own lines, each with the time since it began. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

const linesShown = 60;

export function say(text: string): void {
  process.stdout.write(`${(performance.now() / 1_000).toFixed(1).padStart(7)} s  ${text}\n`);
}

export type Env = Readonly<Record<string, string | undefined>>;

/** Ends what runs now; whatever comes after is refused. */
export type Run = {
  /** Its output is shown where it fails, and an error is thrown. */
  quiet(what: string, args: readonly string[], env: Env): Promise<void>;
  /** With this terminal as its own. Answers its exit code. */
  shown(args: readonly string[], env: Env): Promise<number>;
  interrupt(): void;
};

/** Each command is a Node program, run by this Node in the root of the checkout. */
export function createRun(root: string): Run {
  let current: ChildProcess | undefined;
  let isInterrupted = false;
  const start = (args: readonly string[], env: Env, output: "pipe" | "inherit") => {
    if (isInterrupted) throw new Error("interrupted");
    current = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", output, output] });
    return current;
  };
  return {
    async quiet(what, args, env) {
      const child = start(args, env, "pipe");
      let text = "";
      for (const stream of [child.stdout, child.stderr])
        stream?.on("data", (chunk: Buffer) => {
          text += chunk.toString();
        });
      const [code] = await once(child, "close");
      if (code === 0) return;
      process.stderr.write(`${text.trimEnd().split("\n").slice(-linesShown).join("\n")}\n`);
      throw new Error(`expected ${what} to succeed, it ended with ${code}`);
    },
    async shown(args, env) {
      const [code] = await once(start(args, env, "inherit"), "close");
      return typeof code === "number" ? code : 1;
    },
    interrupt() {
      isInterrupted = true;
      current?.kill("SIGTERM");
    },
  };
}
