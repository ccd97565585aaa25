/** What arrives as bytes: each is served, or refused by a problem, and the server goes on. */

import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Listening, listen } from "../../local/server.ts";
import { answerTo, connectTo, expectProblem, head, host } from "./rawClient.ts";

type Open = Extract<Listening, { kind: "listening" }>;

async function opened(given: Partial<Parameters<typeof listen>[0]> = {}): Promise<Open> {
  const server = await listen({ host: "127.0.0.1", port: 0, fetch: echo, ...given });
  if (server.kind === "refused") throw new Error(server.message);
  return server;
}

/** Says what it was asked, once it has read it all. */
async function echo(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/bug") throw new Error("a secret of the program");
  const body = await request.text();
  return new Response(JSON.stringify({ method: request.method, pathname, body }));
}

let server: Open;
beforeAll(async () => {
  server = await opened();
});
afterAll(() => server.close());

const ask = (text: string | Buffer) => answerTo(server.url, text);

describe("what is no request is refused by a problem", () => {
  test.each([
    ["garbage", "\u0016\u0003\u0001 hello\r\n\r\n"],
    ["a TLS handshake", Buffer.from("16030100c8010000c40303", "hex")],
    ["an unknown method", head("FROBNICATE / HTTP/1.1", host)],
    ["a method in lower case", head("get / HTTP/1.1", host)],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["an unknown version", head("GET / HTTP/3.7", host)],
    ["NUL in the path", head("GET /v1\u0000/jobs HTTP/1.1", host)],
    ["a space in the path", head("GET /v1/jobs of mine HTTP/1.1", host)],
    ["a header without a colon", head("GET / HTTP/1.1", host, "nonsense")],
    ["a length that is no number", head("POST / HTTP/1.1", host, "Content-Length: many")],
    ["a length and chunks at once", head("POST / HTTP/1.1", host, "Content-Length: 3", "Transfer-Encoding: chunked")],
    ["a chunk that is none", `${head("POST / HTTP/1.1", host, "Transfer-Encoding: chunked")}nonsense\r\n`],
    ["a host that is none", head("GET / HTTP/1.1", "Host: a b")],
    ["a host with a path", head("GET / HTTP/1.1", "Host: localhost/v1")],
    ["no host", head("GET / HTTP/1.1")],
    ["an absolute target without a host", head("GET http://localhost/v1/health HTTP/1.1")],
    ["an absolute target that is no URL", head("GET http://a%zz/ HTTP/1.1", host)],
    ["a target that is an asterisk", head("OPTIONS * HTTP/1.1", host)],
    ["a tunnel", head("CONNECT example.com:443 HTTP/1.1", "Host: example.com:443")],
  ])("%s: 400", async (_name, text) => {
    expectProblem(await ask(text), 400, "invalid_request");
  });

  test("a body that ends before its length: 400", async () => {
    const client = await connectTo(server.url);
    client.send(`${head("POST / HTTP/1.1", host, "Content-Length: 10")}abc`);
    client.socket.end();
    expectProblem(await client.answer(), 400, "invalid_request");
    await client.ended;
  });

  test("a head of more than 16 KiB: 431, be it of headers or of a URL, however much follows", async () => {
    const large = "x".repeat(200_000);
    expectProblem(await ask(head("GET / HTTP/1.1", host, `X-Large: ${large}`)), 431, "invalid_request");
    expectProblem(await ask(head(`GET /${large} HTTP/1.1`, host)), 431, "invalid_request");
  });

  test("an expectation that is not known: 417", async () => {
    expectProblem(await ask(head("GET / HTTP/1.1", host, "Expect: a-miracle")), 417, "invalid_request");
  });

  test("what is thrown behind the server is a 500 that tells nothing of it", async () => {
    const document = expectProblem(await ask(head("GET /bug HTTP/1.1", host)), 500, "internal");
    expect(JSON.stringify(document)).not.toContain("secret");
  });

  test("two refusals have two request ids", async () => {
    const ids = await Promise.all([1, 2].map(async () => expectProblem(await ask("nonsense\r\n\r\n"), 400, "invalid_request").requestId));
    expect(new Set(ids).size).toBe(2);
  });

  test("the refusal ends the connection", async () => {
    const client = await connectTo(server.url);
    client.send("nonsense\r\n\r\n");
    expect((await client.answer())?.headers["connection"]).toBe("close");
    await client.ended;
  });
});

describe("what is unusual is served", () => {
  const served = async (text: string) => {
    const answer = await ask(text);
    expect(answer?.status).toBe(200);
    return JSON.parse(answer?.body ?? "") as { method: string; pathname: string; body: string };
  };

  test.each([
    ["HTTP/1.0 with a host", head("GET /a HTTP/1.0", host), "/a"],
    ["HTTP/1.0 without a host", head("GET /a HTTP/1.0"), "/a"],
    ["an absolute target", head("GET http://localhost/a HTTP/1.1", host), "/a"],
    ["a path of two slashes", head("GET //example.com/a HTTP/1.1", host), "//example.com/a"],
    ["an encoded path", head("GET /a%2Fb%00%zz HTTP/1.1", host), "/a%2Fb%00%zz"],
    ["dots in a path", head("GET /a/../b HTTP/1.1", host), "/b"],
    ["a URL of 12 KiB", head(`GET /${"a".repeat(12_000)} HTTP/1.1`, host), `/${"a".repeat(12_000)}`],
    ["empty lines first", `\r\n\r\n${head("GET /a HTTP/1.1", host)}`, "/a"],
    ["an upgrade that is not taken", head("GET /a HTTP/1.1", host, "Connection: Upgrade", "Upgrade: websocket"), "/a"],
    ["OPTIONS", head("OPTIONS /a HTTP/1.1", host), "/a"],
  ])("%s", async (_name, text, pathname) => {
    expect((await served(text)).pathname).toBe(pathname);
  });

  test("HEAD is answered without a body, and the connection goes on", async () => {
    const client = await connectTo(server.url);
    client.send(head("HEAD /a HTTP/1.1", host));
    expect((await client.answer(true))?.status).toBe(200);
    client.send(head("GET /b HTTP/1.1", host));
    expect((await client.answer())?.body).toContain("/b");
    client.socket.destroy();
  });

  test("a body in chunks", async () => {
    const { body } = await served(`${head("POST /a HTTP/1.1", host, "Transfer-Encoding: chunked")}3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n`);
    expect(body).toBe("abcde");
  });

  test("requests sent without waiting are answered in their order", async () => {
    const client = await connectTo(server.url);
    client.send(["/a", "/b", "/c"].map((path) => head(`GET ${path} HTTP/1.1`, host)).join(""));
    for (const path of ["/a", "/b", "/c"]) expect((await client.answer())?.body).toContain(`"${path}"`);
    client.socket.destroy();
  });

  test("a body waits for 100 Continue, and is read after it", async () => {
    const client = await connectTo(server.url);
    client.send(head("POST /a HTTP/1.1", host, "Content-Length: 3", "Expect: 100-continue"));
    expect((await client.answer())?.status).toBe(100);
    client.send("abc");
    expect((await client.answer())?.body).toContain('"abc"');
    client.socket.destroy();
  });

  test("an IPv6 address, in brackets in the URL", async () => {
    const other = await opened({ host: "::1" });
    expect(other.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    expect((await fetch(`${other.url}/a`)).status).toBe(200);
    await other.close();
  });
});

describe("opening and closing", () => {
  test("a port in use is refused by a sentence with the remedy", async () => {
    const { port } = new URL(server.url);
    const second = await listen({ host: "127.0.0.1", port: Number(port), fetch: echo });
    expect(second).toMatchObject({ kind: "refused", message: expect.stringContaining(`port ${port} on 127.0.0.1 is in use; stop`) });
  });

  test("an address of another machine is refused by a sentence with the remedy", async () => {
    const second = await listen({ host: "192.0.2.1", port: 0, fetch: echo });
    expect(second).toMatchObject({ kind: "refused", message: expect.stringContaining("no address of this machine") });
  });

  test("what runs is answered before it closes, what has not arrived is cut, and nothing new is taken", async () => {
    const arrived = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const closing = await opened({
      fetch: async () => {
        arrived.resolve();
        await gate.promise;
        return new Response("late");
      },
    });
    const [running, idle, halfSent] = await Promise.all([1, 2, 3].map(() => connectTo(closing.url)));
    halfSent?.send("GET / HTTP/1.1\r\nHos");
    running?.send(head("GET / HTTP/1.1", host));
    await arrived.promise;
    const closed = closing.close();
    await Promise.all([idle?.ended, halfSent?.ended]);
    const refused = new Promise((resolve) => connect({ port: Number(new URL(closing.url).port) }).once("error", resolve));
    expect(await refused).toMatchObject({ code: "ECONNREFUSED" });
    gate.resolve();
    expect((await running?.answer())?.body).toBe("late");
    await Promise.all([closed, running?.ended]);
  });
});
