/** Starting where it cannot be, and ending as asked: one line that says what to do, and the exit code. */

import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { freshFolder } from "./folder.ts";
import { post, startHostReady, startHostRefused, startTarget } from "./hostProcess.ts";

describe("a start that cannot be", () => {
  it("on a folder that another process works on ends with one line, and leaves the other in peace", async () => {
    const data = await freshFolder();
    const first = await startHostReady(data);
    const second = await startHostRefused(data);
    expect(second).toMatchObject({ code: 2 });
    expect(second.errors).toMatch(/^another onthedot works on .*--data or ONTHEDOT_DATA\n$/);
    expect((await fetch(`${first.url}/v1/health`)).status).toBe(200);
    await first.end("SIGTERM");
  });

  it("on a port in use names the port and the setting", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const port = (other.address() as AddressInfo).port;
    const ended = await startHostRefused(await freshFolder(), { ONTHEDOT_PORT: String(port) });
    expect(ended).toMatchObject({ code: 2, errors: expect.stringMatching(new RegExp(`^port ${port} .*ONTHEDOT_PORT\n$`)) });
    other.close();
  });

  it("on a folder that cannot be made says so in one line", async () => {
    const file = join(await freshFolder(), "file");
    await writeFile(file, "");
    expect(await startHostRefused(join(file, "data"))).toMatchObject({
      code: 2,
      errors: expect.stringMatching(/^expected a folder .*\n$/),
    });
  });

  it("on a database of a newer version touches nothing", async () => {
    const data = await freshFolder();
    const host = await startHostReady(data);
    await host.end("SIGTERM");
    const database = new DatabaseSync(join(data, "onthedot.db"));
    database.exec("PRAGMA user_version = 999");
    database.close();
    const ended = await startHostRefused(data);
    expect(ended).toMatchObject({ code: 2, errors: expect.stringMatching(/newer/) });
    expect(ended.errors.trim().split("\n")).toHaveLength(1);
  });

  it("with wrong settings names each of them before anything is opened", async () => {
    const data = join(await freshFolder(), "never-made");
    const ended = await startHostRefused(data, {
      ONTHEDOT_PORT: "70000",
      ONTHEDOT_CONCURRENCY: "-1",
      ONTHEDOT_ALLOW_TARGETS: "10.0.0.0/99",
    });
    expect(ended).toMatchObject({ code: 2 });
    const lines = ended.errors.trim().split("\n");
    expect(lines).toHaveLength(3);
    for (const name of ["ONTHEDOT_PORT", "ONTHEDOT_CONCURRENCY", "ONTHEDOT_ALLOW_TARGETS"])
      expect(lines.some((line) => line.includes(name))).toBe(true);
  });
});

describe("an end that was asked for", () => {
  it("lets the call in flight end, records it, and exits 0", async () => {
    const data = await freshFolder();
    const target = await startTarget(() => ({ status: 200, afterMs: 1_500 }));
    const host = await startHostReady(data);
    const { json } = await post(`${host.url}/v1/jobs`, { target: { url: target.url } });
    while (target.calls.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await host.end("SIGINT")).toBe(0);
    const again = await startHostReady(data);
    const job = (await (await fetch(`${again.url}/v1/jobs/${json["id"]}`)).json()) as Record<string, unknown>;
    expect(job).toMatchObject({ state: "succeeded", attemptCount: 1 });
    expect(target.calls).toHaveLength(1);
    await again.end("SIGTERM");
    await target.close();
  });
});
