/** The commands that print and end: what is said, where it is said, and the exit code. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { settingNames, settingsTable } from "../../local/settingsTable.ts";
import { run } from "./program.ts";

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };

describe.concurrent("onthedot", () => {
  it.each(["help", "--help", "start --help", "config -h", "start --port 70000 --help", ""])(
    "%j prints the commands and starts nothing",
    async (line) => {
      const { code, output, errors } = await run(line === "" ? [] : line.split(" ")).ended;
      expect({ code, errors }).toEqual({ code: 0, errors: "" });
      for (const command of ["start", "config", "ticks", "version", "help"])
        expect(output).toMatch(new RegExp(`^ {2}onthedot ${command} `, "m"));
    },
  );

  it.each(["version", "--version", "-v"])("%s prints the version of the package alone", async (word) => {
    expect(await run([word]).ended).toMatchObject({ code: 0, output: `${version}\n`, errors: "" });
  });

  it.each([
    ["strat", "start"],
    ["conf", "config"],
    ["Version", "version"],
  ])("%s is no command, and %s is offered", async (word, meant) => {
    const line = `there is no command "${word}"; did you mean "${meant}"? Run "onthedot help".\n`;
    expect(await run([word]).ended).toMatchObject({ code: 2, output: "", errors: line });
  });

  it("offers nothing for a word that is like no command", async () => {
    expect(await run(["deploy"]).ended).toMatchObject({
      code: 2,
      output: "",
      errors: 'there is no command "deploy". Run "onthedot help".\n',
    });
  });
});

describe.concurrent("onthedot config", () => {
  it("prints each setting with its value and where that came from, and never the key", async () => {
    const key = "k".repeat(30);
    const env = { ONTHEDOT_API_KEY: key, PORT: "5000", ONTHEDOT_CONCURENCY: "5" };
    const { code, output, errors } = await run(["config", "--data", "/somewhere"], { env }).ended;
    expect(code).toBe(0);
    const rows = output
      .trimEnd()
      .split("\n")
      .slice(1)
      .map((row) => row.split(/ {2,}/).slice(0, 3));
    expect(rows.map(([name]) => name)).toEqual(settingNames.map((name) => settingsTable[name].variables[0]));
    expect(rows).toContainEqual(["ONTHEDOT_DATA", "/somewhere", "--data"]);
    expect(rows).toContainEqual(["ONTHEDOT_PORT", "5000", "PORT"]);
    expect(rows).toContainEqual(["ONTHEDOT_API_KEY", "set, not shown", "ONTHEDOT_API_KEY"]);
    expect(rows).toContainEqual(["ONTHEDOT_CONCURRENCY", "256", "default"]);
    expect(output + errors).not.toContain(key);
    expect(errors).toBe("ONTHEDOT_CONCURENCY: no such setting, so it changes nothing; did you mean ONTHEDOT_CONCURRENCY?\n");
  });

  it.each(["config", "start"])("with wrong settings, %s says each in one line of standard error and ends with 2", async (command) => {
    const env = { ONTHEDOT_PORT: "70000", ONTHEDOT_RETENTION: "1h", ONTHEDOT_API_KEY: "short" };
    const { code, output, errors } = await run([command, "--concurrency", "-1", "--dta", "x"], { env }).ended;
    expect({ code, output }).toEqual({ code: 2, output: "" });
    const lines = errors.trimEnd().split("\n");
    const names = ["--dta", "ONTHEDOT_PORT", "ONTHEDOT_API_KEY", "--concurrency", "ONTHEDOT_RETENTION"];
    expect(lines.map((line) => line.split(":")[0]).toSorted()).toEqual(names.toSorted());
    expect(errors).not.toContain("short");
  });
});
