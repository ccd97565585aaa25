import { describe, expect, test, vi } from "vitest";
import type { Lookup } from "../../src/deliver/resolve.ts";
import { call, ok, openDeliver, openTarget } from "./target.ts";

const answering = () => openTarget((socket) => socket.write(ok));
const lookupTo = (...addresses: string[]) =>
  vi.fn<Lookup>(async () => addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })));
const denied = { kind: "failure", reason: "target_denied", sentAt: null, status: null, code: null };
const answered = { kind: "response", status: 200 };

describe("an address in the URL", () => {
  test.each(["127.0.0.1", "2130706433", "0x7f.1", "127.1", "[::ffff:127.0.0.1]"])(
    "spelled %s is denied without a look-up and without a connection",
    async (host) => {
      const target = await answering();
      const lookup = lookupTo("127.0.0.1");
      expect(await call(openDeliver({ allow: "", lookup }), `http://${host}:${target.port}/`)).toMatchObject(denied);
      expect(lookup).not.toHaveBeenCalled();
      expect(target.sockets).toHaveLength(0);
    },
  );

  test("is called where it is allowed, and only on the port that is allowed", async () => {
    const [one, two] = await Promise.all([answering(), answering()]);
    const deliver = openDeliver({ allow: `127.0.0.1:${one.port}` });
    expect(await call(deliver, one.url)).toMatchObject(answered);
    expect(await call(deliver, two.url)).toMatchObject(denied);
    expect(two.sockets).toHaveLength(0);
  });

  test("of IPv6 is called in its brackets where it is allowed", async () => {
    const target = await openTarget((socket) => socket.write(ok), "::1");
    expect(await call(openDeliver({ allow: "::1" }), target.url)).toMatchObject(answered);
    expect(target.requests[0]).toContain(`host: [::1]:${target.port}\r\n`);
  });
});

describe("a name", () => {
  test("that resolves to a private address is denied at connect time, in words that do not tell the address", async () => {
    const target = await answering();
    const answer = await call(openDeliver({ allow: "", lookup: lookupTo("127.0.0.1") }), `http://hook.test:${target.port}/`);
    expect(answer).toMatchObject(denied);
    expect(target.sockets).toHaveLength(0);
    if (answer.kind === "failure") {
      expect(answer.message).toContain("ONTHEDOT_ALLOW_TARGETS");
      expect(answer.message).not.toContain("127.0.0.1");
    }
  });

  test.each([
    ["a public and a private address", ["93.184.216.34", "127.0.0.1"]],
    ["a private and a public address", ["127.0.0.1", "93.184.216.34"]],
    ["IPv4 inside IPv6", ["::ffff:93.184.216.34"]],
    ["an address with a zone", ["fe80::1%lo"]],
  ])("that resolves to %s is denied", async (_, addresses) => {
    const target = await answering();
    expect(await call(openDeliver({ allow: "", lookup: lookupTo(...addresses) }), `http://hook.test:${target.port}/`)).toMatchObject(
      denied,
    );
    expect(target.sockets).toHaveLength(0);
  });

  test("that the operator allowed is exempt for whatever it resolves to, on its port", async () => {
    const [one, two] = await Promise.all([answering(), answering()]);
    const deliver = openDeliver({ allow: `hook.test:${one.port}`, lookup: lookupTo("127.0.0.1") });
    expect(await call(deliver, `http://hook.test:${one.port}/`)).toMatchObject(answered);
    expect(await call(deliver, `http://hook.test:${two.port}/`)).toMatchObject(denied);
    expect(two.sockets).toHaveLength(0);
  });

  test("is looked up once for a connection, which goes to the address that was judged (no rebinding)", async () => {
    const target = await answering();
    const lookup = vi
      .fn<Lookup>()
      .mockResolvedValueOnce([{ address: "127.0.0.1", family: 4 }])
      .mockResolvedValue([{ address: "127.0.0.9", family: 4 }]);
    const deliver = openDeliver({ allow: "127.0.0.1", lookup });
    expect(await call(deliver, `http://hook.test:${target.port}/`)).toMatchObject(answered);
    expect(lookup).toHaveBeenCalledTimes(1);
  });

  test("is judged anew for each new connection", async () => {
    const target = await openTarget((socket) => socket.end(ok.replace("\r\n", "\r\nconnection: close\r\n")));
    const lookup = vi
      .fn<Lookup>()
      .mockResolvedValueOnce([{ address: "127.0.0.1", family: 4 }])
      .mockResolvedValue([{ address: "127.0.0.9", family: 4 }]);
    const deliver = openDeliver({ allow: "127.0.0.1", lookup });
    expect(await call(deliver, `http://hook.test:${target.port}/`)).toMatchObject(answered);
    expect(await call(deliver, `http://hook.test:${target.port}/`)).toMatchObject(denied);
    expect(target.sockets).toHaveLength(1);
  });

  test("of many calls at once is looked up once", async () => {
    const target = await answering();
    const lookup = lookupTo("127.0.0.1");
    const deliver = openDeliver({ lookup });
    const answers = await Promise.all(Array.from({ length: 50 }, () => call(deliver, `http://hook.test:${target.port}/`)));
    for (const answer of answers) expect(answer).toMatchObject(answered);
    expect(lookup).toHaveBeenCalledTimes(1);
  });

  test("without a dot, or of this machine, is denied without a look-up", async () => {
    const lookup = lookupTo("93.184.216.34");
    const deliver = openDeliver({ allow: "", lookup });
    for (const host of ["intranet", "localhost", "a.localhost", "LOCALHOST.", "intranet."]) {
      expect(await call(deliver, `http://${host}/`)).toMatchObject(denied);
    }
    expect(lookup).not.toHaveBeenCalled();
  });

  test.each(["ENOTFOUND", "EAI_AGAIN"])("that cannot be looked up (%s) is a dns failure with the system's code", async (code) => {
    const lookup: Lookup = async () => {
      throw Object.assign(new Error("getaddrinfo"), { code });
    };
    expect(await call(openDeliver({ lookup }), "http://gone.test/")).toMatchObject({ kind: "failure", reason: "dns", code, sentAt: null });
  });

  test("without any address is a dns failure", async () => {
    expect(await call(openDeliver({ lookup: lookupTo() }), "http://none.test/")).toMatchObject({ kind: "failure", reason: "dns" });
  });

  test("is looked up by the system where nothing else is given", async () => {
    const target = await answering();
    const answer = await call(openDeliver({ allow: "localhost" }), `http://localhost:${target.port}/`);
    expect(answer).toMatchObject(answered);
  });
});
