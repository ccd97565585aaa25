import { describe, expect, it } from "vitest";
import { listed, refusals, took } from "./rules.ts";

const utc = (cron: string, from: string, count: number) =>
  listed({ when: { cron } }, from, count).map((local) => local.replace(/\+00:00$/, "").replace(/:00$/, ""));

describe("a cron expression", () => {
  it.each([
    // Numbers, ranges, steps, lists.
    ["5 9 * * *", "2027-01-01T09:05", "2027-01-02T09:05", "2027-01-03T09:05"],
    ["*/20 * * * *", "2027-01-01T00:00", "2027-01-01T00:20", "2027-01-01T00:40"],
    ["50/5 8 * * *", "2027-01-01T08:50", "2027-01-01T08:55", "2027-01-02T08:50"],
    ["0-10/5 8 * * *", "2027-01-01T08:00", "2027-01-01T08:05", "2027-01-01T08:10"],
    ["30 1,3-4 * * *", "2027-01-01T01:30", "2027-01-01T03:30", "2027-01-01T04:30"],
    ["05 09 * * *", "2027-01-01T09:05", "2027-01-02T09:05", "2027-01-03T09:05"],
    ["\t 0  9 1 *\t* ", "2027-01-01T09:00", "2027-02-01T09:00", "2027-03-01T09:00"],
    // Wrapped ranges, with a step that counts on.
    ["0 22-1 * * *", "2027-01-01T00:00", "2027-01-01T01:00", "2027-01-01T22:00"],
    ["0 20-2/3 * * *", "2027-01-01T02:00", "2027-01-01T20:00", "2027-01-01T23:00"],
    ["0 0 31-2 * *", "2027-01-01T00:00", "2027-01-02T00:00", "2027-01-31T00:00"],
    ["0 0 1 NOV-JAN *", "2027-01-01T00:00", "2027-11-01T00:00", "2027-12-01T00:00"],
    ["58-1 0 1 1 *", "2027-01-01T00:00", "2027-01-01T00:01", "2027-01-01T00:58"],
    // Weekdays: 2027-01-01 is a Friday.
    ["0 0 * * 0", "2027-01-03T00:00", "2027-01-10T00:00", "2027-01-17T00:00"],
    ["0 0 * * 7", "2027-01-03T00:00", "2027-01-10T00:00", "2027-01-17T00:00"],
    ["0 0 * * FRI-SUN", "2027-01-01T00:00", "2027-01-02T00:00", "2027-01-03T00:00"],
    ["0 0 * * 5-7", "2027-01-01T00:00", "2027-01-02T00:00", "2027-01-03T00:00"],
    ["0 0 * * sat-mon", "2027-01-02T00:00", "2027-01-03T00:00", "2027-01-04T00:00"],
    ["0 0 * * 7-1", "2027-01-03T00:00", "2027-01-04T00:00", "2027-01-10T00:00"],
    ["0 0 * * 0-7", "2027-01-01T00:00", "2027-01-02T00:00", "2027-01-03T00:00"],
    ["0 0 * * 7-7", "2027-01-03T00:00", "2027-01-10T00:00", "2027-01-17T00:00"],
    ["0 0 * * MON-SUN", "2027-01-01T00:00", "2027-01-02T00:00", "2027-01-03T00:00"],
    ["0 0 * * 5/2", "2027-01-01T00:00", "2027-01-08T00:00", "2027-01-15T00:00"],
    ["0 0 * JAN,mar MON", "2027-01-04T00:00", "2027-01-11T00:00", "2027-01-18T00:00"],
    // Days that depend on the month.
    ["0 0 L * *", "2027-01-31T00:00", "2027-02-28T00:00", "2027-03-31T00:00"],
    ["0 0 L-3 * *", "2027-01-28T00:00", "2027-02-25T00:00", "2027-03-28T00:00"],
    ["0 0 L-30 * *", "2027-01-01T00:00", "2027-03-01T00:00", "2027-05-01T00:00"],
    ["0 0 l,1 * *", "2027-01-01T00:00", "2027-01-31T00:00", "2027-02-01T00:00"],
    ["0 0 * * 5L", "2027-01-29T00:00", "2027-02-26T00:00", "2027-03-26T00:00"],
    ["0 0 * * 7L", "2027-01-31T00:00", "2027-02-28T00:00", "2027-03-28T00:00"],
    ["0 0 * * SUNL", "2027-01-31T00:00", "2027-02-28T00:00", "2027-03-28T00:00"],
    ["0 0 * * 2#1", "2027-01-05T00:00", "2027-02-02T00:00", "2027-03-02T00:00"],
    ["0 0 * * TUE#1,THU#3", "2027-01-05T00:00", "2027-01-21T00:00", "2027-02-02T00:00"],
    ["0 0 * * MON#5", "2027-03-29T00:00", "2027-05-31T00:00", "2027-08-30T00:00"],
    // 2 January 2027 is a Saturday: the workday nearest to it is the 1st; to the 1st of May, a Saturday, it is the 3rd.
    ["0 0 2W * *", "2027-01-01T00:00", "2027-02-02T00:00", "2027-03-02T00:00"],
    ["0 0 1W 5 *", "2027-05-03T00:00", "2028-05-01T00:00", "2029-05-01T00:00"],
    ["0 0 15W 8 *", "2027-08-16T00:00", "2028-08-15T00:00", "2029-08-15T00:00"],
    // 31 January 2027 is a Sunday: the workday nearest to it within the month is the 29th. A month of 30 days has no 31st.
    ["0 0 31W * *", "2027-01-29T00:00", "2027-03-31T00:00", "2027-05-31T00:00"],
    ["0 0 LW * *", "2027-01-29T00:00", "2027-02-26T00:00", "2027-03-31T00:00"],
    // Both day fields: either of them, unless one begins with * or is ?.
    ["0 0 13 * FRI", "2027-01-01T00:00", "2027-01-08T00:00", "2027-01-13T00:00"],
    ["0 0 13 * ?", "2027-01-13T00:00", "2027-02-13T00:00", "2027-03-13T00:00"],
    ["0 0 ? * FRI", "2027-01-01T00:00", "2027-01-08T00:00", "2027-01-15T00:00"],
    ["0 0 */13 * FRI", "2027-01-01T00:00", "2027-05-14T00:00", "2027-08-27T00:00"],
    ["0 0 1-31 * FRI", "2027-01-01T00:00", "2027-01-02T00:00", "2027-01-03T00:00"],
    ["0 0 L * MON", "2027-01-04T00:00", "2027-01-11T00:00", "2027-01-18T00:00"],
    ["0 0 29 2 ?", "2028-02-29T00:00", "2032-02-29T00:00", "2036-02-29T00:00"],
    ["0 0 29 2 */7", "2032-02-29T00:00", "2060-02-29T00:00", "2088-02-29T00:00"],
    // Six fields and seven.
    ["30 0 9 * * *", "2027-01-01T09:00:30", "2027-01-02T09:00:30", "2027-01-03T09:00:30"],
    ["*/30 0 9 1 * *", "2027-01-01T09:00", "2027-01-01T09:00:30", "2027-02-01T09:00"],
    ["0 0 9 1 1 * 2028/2", "2028-01-01T09:00", "2030-01-01T09:00", "2032-01-01T09:00"],
    ["0 0 9 1 1 ? 2028-2029,2199", "2028-01-01T09:00", "2029-01-01T09:00", "2199-01-01T09:00"],
    // Nicknames.
    ["@hourly", "2027-01-01T00:00", "2027-01-01T01:00", "2027-01-01T02:00"],
    ["@daily", "2027-01-01T00:00", "2027-01-02T00:00", "2027-01-03T00:00"],
    ["@Midnight", "2027-01-01T00:00", "2027-01-02T00:00", "2027-01-03T00:00"],
    ["@weekly", "2027-01-03T00:00", "2027-01-10T00:00", "2027-01-17T00:00"],
    ["@monthly", "2027-01-01T00:00", "2027-02-01T00:00", "2027-03-01T00:00"],
    ["@yearly", "2027-01-01T00:00", "2028-01-01T00:00", "2029-01-01T00:00"],
    ["@annually", "2027-01-01T00:00", "2028-01-01T00:00", "2029-01-01T00:00"],
  ])("%s fires at %s, %s, %s", (cron, ...known) => {
    expect(utc(cron, "2027-01-01T00:00:00Z", 3)).toEqual(known);
  });

  it.each([
    ["", ["expected an expression"]],
    ["   ", ["only spaces"]],
    ["* * * *", ["expected 5 fields", "got 4"]],
    ["* * * * * * * *", ["got 8"]],
    ["61 * * * * *", ["second: expected 0–59", 'got "61"']],
    ["60 * * * *", ["minute: expected 0–59", 'got "60"']],
    ["* 24 * * *", ["hour: expected 0–23", 'got "24"']],
    ["* * 0 * *", ["day of month: expected 1–31", 'got "0"']],
    ["* * 32 * *", ["day of month: expected 1–31", 'got "32"']],
    ["* * * 13 *", ["month: expected 1–12 or JAN–DEC", 'got "13"']],
    ["* * * 0 *", ["month: expected 1–12"]],
    ["* * * * 8", ["day of week: expected 0–7 or SUN–SAT", 'got "8"']],
    ["0 * * * * * 1969", ["year: expected 1970–2199", 'got "1969"']],
    ["0 * * * * * 2200", ["year: expected 1970–2199"]],
    ["0 * * * * * 2030-2028", ["year: expected a range from less to more"]],
    ["*/0 * * * *", ["minute: expected a step of 1–59", 'got "*/0"']],
    ["*/60 * * * *", ["minute: expected a step of 1–59", 'got "*/60"']],
    ["* */24 * * *", ["hour: expected a step of 1–23"]],
    ["* * * * */8", ["day of week: expected a step of 1–7"]],
    ["*/ * * * *", ['expected a step after "/"']],
    ["*5 * * * *", ['did you mean "*/5"']],
    ["5-2-3 * * * *", ["minute: expected"]],
    ["-5 * * * *", ["minute: expected"]],
    ["1.5 * * * *", ["minute: expected"]],
    ["1, * * * *", ["minute: expected", "nothing between two commas"]],
    ["00001 * * * *", ["minute: expected"]],
    ["FOO * * * *", ["minute: expected", 'got "FOO"']],
    ["* * * JANUARY *", ['did you mean "JAN"']],
    ["* * * JNA *", ['did you mean "JAN"']],
    ["* * * * MONDAY", ['did you mean "MON"']],
    ["* * * * L", ["5L for the last Friday"]],
    ["* * L-31 * *", ["L-0 to L-30"]],
    ["* * LL * *", ["expected L, L-n, nW or LW"]],
    ["* * L-3W * *", ["expected L, L-n, nW or LW"]],
    ["* * 32W * *", ["day of month: expected 1–31"]],
    ["* * * * 2#6", ["2#1 for the first Tuesday"]],
    ["* * * * 8#1", ["day of week: expected 0–7"]],
    ["* * 15,? * *", ["only the day fields take it"]],
    ["? * * * *", ["only the day fields take it"]],
    ["@every 5m", ["@hourly", '"every"']],
    ["@reboot", ["expected one of @yearly"]],
    ["@constructor", ["expected one of @yearly"]],
    ["TZ=Europe/Berlin 0 9 * * *", ["`timezone`"]],
    ["cron(0 12 * * ? *)", ["`expression`"]],
    ["0 9 * * *\n", ["printable ASCII"]],
    ["0 9\u00a0* * *", ["printable ASCII"]],
    ["٠ 9 * * *", ["printable ASCII"]],
    // What can never match.
    ["0 0 30 2 *", ["never matches", "February has 28 or 29"]],
    ["0 0 31 4,6,9,11 *", ["never matches"]],
    ["0 0 31W 2 *", ["never matches"]],
    ["0 0 L-30 2 *", ["never matches"]],
    ["0 0 */30 2 2#5", ["never matches"]],
    ["0 0 0 29 2 * 2027", ["never matches", '"2027"']],
    ["0 0 0 29 2 * 2100", ["never matches"]],
  ])("%j is refused", (cron, hints) => {
    const [message = "", ...more] = refusals({ when: { cron } });
    expect(more).toEqual([]);
    expect(message).toMatch(/^when\.cron: /);
    for (const hint of hints) expect(message).toContain(hint);
  });

  it("has each of its wrong fields named", () => {
    const found = refusals({ when: { cron: "61 60 24 32 13 8 1969" } }).map((message) => message.split(": ")[1]);
    expect(found.toSorted()).toEqual(["day of month", "day of week", "hour", "minute", "month", "second", "year"]);
  });

  it("is refused for its length alone, unread", () => {
    const long = "1,".repeat(5_000);
    expect(refusals({ when: { cron: long } })).toEqual([
      "when.cron: expected at most 200 characters, got 10000; split it into a list of rules",
    ]);
    expect(took(() => refusals({ when: { cron: long } }))).toBeLessThan(100);
  });

  it.each([
    ["a list of a hundred minutes", `${Array.from({ length: 80 }, (_, index) => index % 60).join(",")} * * * *`.slice(-200)],
    ["a list of commas", ",".repeat(190)],
    ["specials of each kind", `0 0 ${"LW,L-1,15W,L,".repeat(13)}1 * MON#1`],
    ["a leap day that only 2196 has on this weekday", "0 0 0 29 2 ? 2190-2199"],
    ["weekdays by number", `0 0 * 2 ${"MON#5,".repeat(30)}SUN#5`],
    ["stars", "*".repeat(200)],
    ["spaces", `${" ".repeat(190)}* * * * *`],
  ])("of up to 200 characters is accepted or refused in less than 100 ms: %s", (_, cron) => {
    // The runtime's own way to its zones is not the expression's.
    refusals({ when: { cron: "@daily", timezone: "Europe/Berlin" } });
    expect(took(() => refusals({ when: { cron: cron.slice(0, 200), timezone: "Europe/Berlin" } }))).toBeLessThan(100);
  });
});
