import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { methods, readUrl, takesBody, wrongHeader } from "../../src/core/target.ts";
import { always } from "../always.ts";

describe("a target's URL", () => {
  it.each([
    ["https://example.com", "https://example.com/"],
    ["http://example.com:8080/a?b=c", "http://example.com:8080/a?b=c"],
    ["HTTPS://EXAMPLE.com/Hook", "https://example.com/Hook"],
    ["https://example.com:443/", "https://example.com/"],
    ["https://example.com/ü", "https://example.com/%C3%BC"],
    ["https://bücher.example/", "https://xn--bcher-kva.example/"],
    ["http://0x7f.1/", "http://127.0.0.1/"],
    ["http://[::1]:4001/", "http://[::1]:4001/"],
  ])("%s is read in its normal form", (text, url) => {
    expect(readUrl(text)).toEqual({ url });
  });

  it.each([
    ["is relative", "/hook", "absolute"],
    ["has no scheme", "example.com/hook", "absolute"],
    ["is empty", "", "absolute"],
    ["has another scheme", "ftp://example.com/", "http"],
    ["is a script", "javascript:alert(1)", "http"],
    ["names a file", "file:///etc/passwd", "http"],
    ["carries a user", "https://me@example.com/", "password"],
    ["carries a password", "https://me:secret@example.com/", "password"],
    ["carries a password without a user", "https://:secret@example.com/", "password"],
    ["has a fragment", "https://example.com/#a", "fragment"],
    ["has an empty fragment", "https://example.com/#", "fragment"],
    ["has port 0", "http://example.com:0/", "port"],
    ["has a port that does not exist", "http://example.com:65536/", "absolute"],
    ["is too long", `https://example.com/${"a".repeat(limits.urlCharsMax)}`, "2048"],
    ["is too long once encoded", `https://example.com/${"ü".repeat(limits.urlCharsMax / 2)}`, "percent-encoding"],
  ])("that %s is refused, and the refusal says why", (_, text, word) => {
    expect(readUrl(text)).toEqual({ wrong: expect.stringContaining(word) });
  });

  it("is not repeated in a refusal where it holds a password", () => {
    expect(JSON.stringify(readUrl("https://me:hunter2@example.com/"))).not.toContain("hunter2");
  });

  it("is its own normal form the second time", () => {
    always(fc.string({ unit: "grapheme" }), fc.string(), (path, query) => {
      const first = readUrl(`https://example.com/${path}?${query}`);
      if ("url" in first) expect(readUrl(first.url)).toEqual(first);
    });
  });
});

describe("a target's header", () => {
  it.each([
    ["x-a", "b"],
    ["authorization", "Bearer abc"],
    ["content-type", "text/xml; charset=utf-8"],
    ["x-empty", ""],
    ["x-tab", "a\tb"],
    ["x!#$%&'*+.^_`|~", "~"],
  ])("%s is taken", (name, value) => {
    expect(wrongHeader(name, value)).toBeUndefined();
  });

  it.each([
    ["host"],
    ["content-length"],
    ["connection"],
    ["keep-alive"],
    ["proxy-authorization"],
    ["te"],
    ["trailer"],
    ["transfer-encoding"],
    ["upgrade"],
    ["expect"],
    ["traceparent"],
    ["user-agent"],
    ["webhook-id"],
    ["webhook-signature"],
    ["webhook-anything"],
    ["onthedot-job"],
  ])("%s is refused, for onthedot sets it", (name) => {
    expect(wrongHeader(name, "x")).toContain(name);
  });

  it.each([[""], ["a b"], ["a:b"], ["a\n"], ["ä"], ["a\u0000"], ['"a"']])("named %j is refused", (name) => {
    expect(wrongHeader(name, "x")).toContain("name");
  });

  it.each([["a\r\nx: y"], ["a\n"], ["\ra"], ["a\u0000b"], [" a"], ["a "], ["\ta"], ["ä"], ["\u007f"]])(
    "with value %j is refused",
    (value) => {
      expect(wrongHeader("x-a", value)).toContain("value");
    },
  );

  it("that is taken can be set on a request, and reads back unaltered", () => {
    always(fc.string({ unit: "binary-ascii" }), (value) => {
      if (wrongHeader("x-a", value) === undefined) expect(new Headers({ "x-a": value }).get("x-a")).toBe(value);
    });
  });
});

describe("a method", () => {
  it("carries a body unless it is GET or HEAD", () => {
    expect(methods.filter((method) => !takesBody(method))).toEqual(["GET", "HEAD"]);
  });
});
