import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { answerTo, call, get, ok, openDeliver, openTarget, post } from "./target.ts";

const head = (lines: string[], status = "200 OK") => `HTTP/1.1 ${status}\r\n${[...lines, "", ""].join("\r\n")}`;
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");

describe("a request", () => {
  test("arrives with exactly the bytes of its body, and their length", async () => {
    const body = Uint8Array.from({ length: 100_000 }, (_, index) => index % 256);
    const { target } = await answerTo(ok, { request: { ...post, body } });
    const [sentHead, ...sentBody] = target.requests[0]?.split("\r\n\r\n") ?? [];
    expect(sentHead).toMatch(/^POST \/hook HTTP\/1\.1\r\n/);
    expect(sentHead).toContain("content-length: 100000");
    expect(sentBody.join("\r\n\r\n")).toBe(text(body));
  });

  test("that is a view into a larger buffer sends only the view", async () => {
    const { target } = await answerTo(ok, { request: { ...post, body: Buffer.from("xxbodyxx").subarray(2, 6) } });
    expect(target.requests[0]?.split("\r\n\r\n")[1]).toBe("body");
  });

  test("carries the path and the query, the host with its port, and the given headers", async () => {
    const target = await openTarget((socket) => socket.write(ok));
    await call(openDeliver(), `${target.url}?a=b%20c`, { request: { ...get, headers: { "webhook-id": "job_1" } } });
    expect(target.requests[0]).toMatch(/^GET \/hook\?a=b%20c HTTP\/1\.1\r\n/);
    expect(target.requests[0]).toContain(`host: 127.0.0.1:${target.port}\r\n`);
    expect(target.requests[0]).toContain("webhook-id: job_1\r\n");
  });

  test("without a body has a length of 0 where its method expects a body, and none elsewhere", async () => {
    expect((await answerTo(ok, { request: { ...post, body: null } })).target.requests[0]).toContain("content-length: 0\r\n");
    expect((await answerTo(ok, { request: get })).target.requests[0]).not.toContain("content-length");
  });
});

describe("a complete answer", () => {
  test("has its status, its headers in lower case with repeated ones joined, and its body", async () => {
    const answer = await answerTo(`${head(["X-One: a", "x-one: b", "Content-Length: 5"], "503 Busy")}later`);
    expect(answer).toMatchObject({ kind: "response", status: 503, byteCount: 5, body: "complete" });
    if (answer.kind !== "response") return;
    expect(answer.headers).toEqual({ "x-one": "a, b", "content-length": "5" });
    expect(text(answer.excerpt)).toBe("later");
  });

  test("keeps the first 4 KiB of its body and counts all of it", async () => {
    const body = "abcdefgh".repeat(6_000);
    const answer = await answerTo(head(["content-length: 48000"]) + body);
    expect(answer).toMatchObject({ kind: "response", byteCount: 48_000, body: "complete" });
    if (answer.kind === "response") expect(text(answer.excerpt)).toBe(body.slice(0, limits.excerptBytesMax));
  });

  test("joins an excerpt that came in pieces", async () => {
    const answer = await answerTo(`${head(["transfer-encoding: chunked"])}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`);
    expect(answer).toMatchObject({ kind: "response", byteCount: 5, body: "complete" });
    if (answer.kind === "response") expect(text(answer.excerpt)).toBe("abcde");
  });

  test("keeps Retry-After although more headers than are kept stand before it", async () => {
    const many = Array.from({ length: 100 }, (_, index) => `x-${index}: ${"v".repeat(40)}`);
    const answer = await answerTo(head([...many, "retry-after: 7", "content-length: 0"], "429 Slow"));
    if (answer.kind !== "response") throw new Error(answer.message);
    expect(answer.headers["retry-after"]).toBe("7");
    expect(Object.entries(answer.headers).flat().join("").length).toBeLessThanOrEqual(limits.excerptHeaderBytesMax);
  });

  test("of HEAD, 204 or 304 has no body, whatever length it names", async () => {
    const none = { kind: "response", byteCount: 0, body: "complete" };
    expect(await answerTo(head(["content-length: 100"]), { request: { ...get, method: "HEAD" } })).toMatchObject(none);
    expect(await answerTo(head([], "204 No Content"))).toMatchObject({ ...none, status: 204 });
    expect(await answerTo(head(["content-length: 100"], "304 Not Modified"), { request: get })).toMatchObject({ ...none, status: 304 });
  });

  test("without a length ends with its connection", async () => {
    const answer = await answerTo(`${head(["connection: close"])}all there is`, { afterwards: "end" });
    expect(answer).toMatchObject({ kind: "response", byteCount: 12, body: "complete" });
  });

  test("stays complete when the connection is reset right after its last byte", async () => {
    expect(await answerTo(ok, { afterwards: "reset" })).toMatchObject({ kind: "response", status: 200, body: "complete" });
  });

  test("that redirects is the answer: nothing is fetched from where it points", async () => {
    const other = await openTarget((socket) => socket.write(ok));
    const answer = await answerTo(head([`location: ${other.url}`, "content-length: 0"], "302 Found"));
    expect(answer).toMatchObject({ kind: "response", status: 302 });
    expect(other.sockets).toHaveLength(0);
  });

  test("after an interim answer is the final one", async () => {
    const answer = await answerTo(`${head(["link: </a>"], "103 Early Hints")}${ok}`);
    expect(answer).toMatchObject({ kind: "response", status: 200, byteCount: 2 });
  });
});

describe("a body is read to 64 KiB:", () => {
  test("then the connection is cut and the status counts", async () => {
    let closed = () => {};
    const cut = new Promise<void>((done) => (closed = done));
    const target = await openTarget((socket) => {
      socket.once("close", closed);
      socket.write(head(["transfer-encoding: chunked"]));
      const more = () => {
        while (socket.write(`1000\r\n${"e".repeat(4_096)}\r\n`));
      };
      socket.on("drain", more);
      more();
    });
    const answer = await call(openDeliver(), target.url);
    expect(answer).toMatchObject({ kind: "response", status: 200, byteCount: limits.answerBytesRead, body: "cut" });
    await cut;
  });

  test("a body that ends there is complete, and its connection is used again", async () => {
    const body = "x".repeat(limits.answerBytesRead);
    const target = await openTarget((socket) => socket.write(`${head([`content-length: ${body.length}`])}${body}`));
    const deliver = openDeliver();
    const whole = { kind: "response", byteCount: limits.answerBytesRead, body: "complete" };
    expect(await call(deliver, target.url)).toMatchObject(whole);
    expect(await call(deliver, target.url)).toMatchObject(whole);
    expect(target.sockets).toHaveLength(1);
  });

  test("a body that pauses there for ever counts, for nobody waits for more", async () => {
    const body = "x".repeat(limits.answerBytesRead);
    const answer = await answerTo(`${head(["transfer-encoding: chunked"])}10000\r\n${body}\r\n`);
    expect(answer).toMatchObject({ kind: "response", byteCount: limits.answerBytesRead, body: "cut" });
  });

  test("ten megabytes in ten kilobytes of gzip stay ten kilobytes", async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    const start = Buffer.from(head(["content-encoding: gzip", `content-length: ${bomb.length}`]));
    const answer = await answerTo(Buffer.concat([start, bomb]));
    expect(answer).toMatchObject({ kind: "response", byteCount: bomb.length, body: "complete" });
    if (answer.kind === "response") expect(Buffer.from(answer.excerpt)).toEqual(bomb.subarray(0, limits.excerptBytesMax));
  });
});

describe("an answer fails", () => {
  const truncated = { kind: "failure", reason: "truncated", status: 200 };

  test("as truncated when its body is shorter than its length, kept alive or not", async () => {
    expect(await answerTo(`${head(["content-length: 10"])}short`, { afterwards: "end" })).toMatchObject(truncated);
    expect(await answerTo(`${head(["content-length: 10", "connection: close"])}short`, { afterwards: "end" })).toMatchObject(truncated);
  });

  test("as truncated when its last chunk is missing, kept alive or not", async () => {
    expect(await answerTo(`${head(["transfer-encoding: chunked"])}5\r\nhello\r\n`, { afterwards: "end" })).toMatchObject(truncated);
    expect(await answerTo(`${head(["transfer-encoding: chunked", "connection: close"])}5\r\nhel`, { afterwards: "end" })).toMatchObject(
      truncated,
    );
  });

  test("as truncated when the connection is reset inside its body", async () => {
    expect(await answerTo(`${head(["content-length: 10"])}short`, { afterwards: "reset" })).toMatchObject({
      ...truncated,
      code: "ECONNRESET",
    });
  });

  test("as too large when its head is, in one header or in many", async () => {
    const tooLarge = { kind: "failure", reason: "too_large", status: null };
    expect(await answerTo(head([`x: ${"v".repeat(17_000)}`]))).toMatchObject(tooLarge);
    expect(await answerTo(`HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(20_000)}`)).toMatchObject(tooLarge);
  });

  test("as too large when interim answers do not end", async () => {
    const flood = head([], "102 Processing").repeat(1_000);
    expect(await answerTo(flood + ok)).toMatchObject({ kind: "failure", reason: "too_large", status: null });
  });

  test("as network when the target switches protocols", async () => {
    const network = { kind: "failure", reason: "network", status: null };
    expect(await answerTo(head(["connection: upgrade", "upgrade: websocket"], "101 Switching"))).toMatchObject(network);
    expect(await answerTo(head([], "101 Switching"))).toMatchObject(network);
  });

  test("as network, naming the rule that it broke, when it is not HTTP", async () => {
    const noHttp = { kind: "failure", reason: "network", status: null, message: expect.stringContaining("HTTP/1.1") };
    expect(await answerTo("SSH-2.0-OpenSSH_9.6\r\n")).toMatchObject(noHttp);
    expect(await answerTo(`${head(["content-length: 2", "content-length: 3"])}ok`)).toMatchObject(noHttp);
    expect(await answerTo(`${head(["transfer-encoding: chunked"])}zz\r\n`)).toMatchObject({ ...noHttp, status: 200 });
  });

  test("as network when the connection ends before it began; the request was sent", async () => {
    for (const afterwards of ["end", "reset"] as const) {
      const answer = await answerTo("", { afterwards });
      expect(answer).toMatchObject({ kind: "failure", reason: "network", status: null, sentAt: expect.any(Number) });
      expect(answer.target.requests).toHaveLength(1);
    }
  });

  test("in words that hold nothing of the answer", async () => {
    const answer = await answerTo(`${head(["set-cookie: secret", "content-length: 10"])}secret`, { afterwards: "end" });
    if (answer.kind === "failure") expect(answer.message).not.toContain("secret");
    expect(answer.kind).toBe("failure");
  });
});
