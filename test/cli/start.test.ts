/** `onthedot start` up to the point where it serves: what it says on which stream, and what must not keep it from serving. */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { freePort, freshFolder, runStart, until } from "./program.ts";

/** A try as `npm start` makes it, on ports that are free. */
async function firstTry(env: Readonly<Record<string, string>> = {}) {
  return runStart(["--first-try"], { env: { ONTHEDOT_RECEIVER_PORT: String(await freePort()), ...env } });
}

describe.concurrent("a start", () => {
  it("that is no first try prints one line on standard output, logs JSON on standard error, and makes no job", async () => {
    const program = await runStart([], { env: { ONTHEDOT_PROT: "1", ONTHEDOT_RECEIVER_PORT: String(await freePort()) } });
    const url = await program.ready();
    const list = (await (await fetch(`${url}/v1/jobs`)).json()) as { data: unknown[] };
    expect(list.data).toEqual([]);
    program.child.kill("SIGTERM");
    const { code, output, errors } = await program.ended;
    expect({ code, output }).toEqual({ code: 0, output: `ready ${url}\n` });
    const lines = errors
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines[0]).toMatchObject({ level: "warn", message: expect.stringContaining("ONTHEDOT_PORT") });
    expect(lines.at(-1)).toMatchObject({ level: "info", signal: "SIGTERM" });
  });

  it("for a first try greets a newcomer with a call that arrives, and greets once", async () => {
    const env = { ONTHEDOT_DATA: await freshFolder() };
    const first = await firstTry(env);
    const url = await first.ready();
    await until("the hello job to arrive", () => /received POST \/ of job_/.test(first.errors()));
    first.child.kill("SIGINT");
    const { code, output } = await first.ended;
    expect(code).toBe(0);
    expect(output.startsWith(`ready ${url}\n`)).toBe(true);
    expect(output).toMatch(new RegExp(`^ {2}curl -d .* ${url}/v1/jobs$`, "m"));
    const second = await firstTry(env);
    const again = await second.ready();
    second.child.kill("SIGINT");
    expect(await second.ended).toMatchObject({ code: 0, output: `ready ${again}\n` });
  });

  it("with a key prints a line that names the key's variable, and not the key", async () => {
    const key = "k".repeat(40);
    const program = await firstTry({ ONTHEDOT_API_KEY: key });
    const url = await program.ready();
    await until("the hello job to arrive", () => /received POST \/ of job_/.test(program.errors()));
    program.child.kill("SIGINT");
    const { output } = await program.ended;
    expect(output).toContain(` -H "Authorization: Bearer $ONTHEDOT_API_KEY" ${url}/v1/jobs\n`);
    expect(output).not.toContain(key);
  });

  it.each([
    // As on a machine whose every request goes through a proxy that does not answer for this one.
    ["submitted", { NODE_USE_ENV_PROXY: "1", HTTP_PROXY: "http://127.0.0.1:9" }, "could not be submitted"],
    ["taken", { ONTHEDOT_ALLOW_TARGETS: "" }, "was refused with 422"],
  ])("whose hello job cannot be %s says so, and serves", async (_, env, said) => {
    const program = await firstTry(env);
    const url = await program.ready();
    await until("the warning", () => program.errors().includes(said));
    expect((await fetch(`${url}/v1/health`)).status).toBe(200);
    program.child.kill("SIGTERM");
    expect(await program.ended).toMatchObject({ code: 0, output: `ready ${url}\n` });
  });

  it("whose receiver finds its port taken says so in one line, and serves", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const program = await firstTry({ ONTHEDOT_RECEIVER_PORT: String(port) });
    const url = await program.ready();
    program.child.kill("SIGTERM");
    const { code, output, errors } = await program.ended;
    expect({ code, output }).toEqual({ code: 0, output: `ready ${url}\n` });
    expect(errors.split("\n").filter((line) => line.includes("ONTHEDOT_RECEIVER_PORT"))).toHaveLength(1);
    other.close();
  });

  it("goes on when nobody reads its output", async () => {
    const port = await freePort();
    const program = await firstTry({ ONTHEDOT_PORT: String(port) });
    program.child.stdout?.destroy();
    program.child.stderr?.destroy();
    const isWell = () =>
      fetch(`http://127.0.0.1:${port}/v1/health`).then(
        ({ status }) => status === 200,
        () => false,
      );
    await until("the host to serve", isWell);
    // The greeting and the log of its call were written to nobody.
    const succeeded = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/v1/jobs?state=succeeded`);
      return ((await response.json()) as { data: unknown[] }).data.length === 1;
    };
    await until("the hello job to succeed", succeeded);
    program.child.kill("SIGTERM");
    expect(await program.ended).toMatchObject({ code: 0, signal: null });
  });
});
