import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AllowList, allowNothing, judgeAddress, judgeUrl, parseAllowList, specialIpv4, specialIpv6 } from "../../src/core/address.ts";

const deniedBecause = (what: string) => ({ denied: expect.stringContaining(what) });
const isDenied = (judged: "open" | "name" | { denied: string }) => typeof judged === "object";

function allowing(text: string): AllowList {
  const read = parseAllowList(text);
  if ("wrong" in read) throw new Error(read.wrong);
  return read.allow;
}

/** IPv4 as a number, first byte highest; and back. */
const toNumber = (address: string) => address.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
const toDotted = (value: number) => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");

/** IPv6 as a number, and written out in full. */
function bigOf(cidrAddress: string): bigint {
  const [left = "", right = ""] = cidrAddress.split("::");
  const words = (part: string) => (part === "" ? [] : part.split(":"));
  const middle = Array.from({ length: 8 - words(left).length - words(right).length }, () => "0");
  const all = cidrAddress.includes("::") ? [...words(left), ...middle, ...words(right)] : words(cidrAddress);
  return all.reduce((sum, word) => sum * 65_536n + BigInt(`0x${word}`), 0n);
}
const toWords = (value: bigint) =>
  Array.from({ length: 8 }, (_, index) => ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16)).join(":");

const inIpv4Block = (block: string) => {
  const [address = "", bits] = block.split("/");
  return fc.integer({ min: 0, max: 2 ** (32 - Number(bits)) - 1 }).map((offset) => toNumber(address) + offset);
};
const inIpv6Block = (block: string) => {
  const [address = "", bits] = block.split("/");
  return fc.bigInt({ min: 0n, max: 2n ** BigInt(128 - Number(bits)) - 1n }).map((offset) => bigOf(address) + offset);
};
const anyIpv4 = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe("an address", () => {
  test.each(specialIpv4)("anywhere in $block ($name) is denied, in every spelling that a URL has", ({ block }) => {
    fc.assert(
      fc.property(inIpv4Block(block), (value) => {
        const hex = toDotted(value)
          .split(".")
          .map((byte) => `0x${Number(byte).toString(16)}`);
        const octal = toDotted(value)
          .split(".")
          .map((byte) => `0${Number(byte).toString(8)}`);
        const lastThree = `${Math.floor(value / 2 ** 24)}.${value % 2 ** 24}`;
        const spellings = [
          toDotted(value),
          `${value}`,
          `0x${value.toString(16)}`,
          hex.join("."),
          octal.join("."),
          lastThree,
          `${toDotted(value)}.`,
        ];
        expect(judgeAddress(toDotted(value), 80, allowNothing)).toMatchObject({ denied: expect.any(String) });
        for (const host of spellings) expect(isDenied(judgeUrl(new URL(`http://${host}/`).href, allowNothing))).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  test.each(specialIpv6)("anywhere in $block ($name) is denied", ({ block }) => {
    fc.assert(
      fc.property(inIpv6Block(block), (value) => {
        expect(isDenied(judgeAddress(toWords(value), 443, allowNothing))).toBe(true);
        expect(isDenied(judgeUrl(new URL(`https://[${toWords(value)}]/`).href, allowNothing))).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  test("of IPv4 just outside a denied block is open, unless another block holds it", () => {
    const edges = specialIpv4.flatMap(({ block }) => {
      const [address = "", bits] = block.split("/");
      return [toNumber(address) - 1, toNumber(address) + 2 ** (32 - Number(bits))];
    });
    const open = edges.filter((value) => value >= 0 && value < 2 ** 32 && judgeAddress(toDotted(value), 80, allowNothing) === "open");
    expect(open.map(toDotted)).toEqual(
      expect.arrayContaining(["1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0"]),
    );
    expect(open.map(toDotted)).toEqual(
      expect.arrayContaining([
        "168.63.129.15",
        "168.63.129.17",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.169.0.0",
        "198.20.0.0",
        "223.255.255.255",
      ]),
    );
  });

  test("of IPv4 is denied in every form of IPv6 that carries it, public or not", () => {
    fc.assert(
      fc.property(anyIpv4, (value) => {
        const hex = (value / 2 ** 16).toString(16).split(".")[0] ?? "0";
        const words = `${hex}:${(value % 2 ** 16).toString(16)}`;
        const forms = [`::ffff:${toDotted(value)}`, `::${toDotted(value)}`, `64:ff9b::${words}`, `64:ff9b:1::${words}`, `2002:${words}::1`];
        for (const form of [...forms, `2001:0:${words}::1`, `::ffff:0:${words}`]) {
          expect(isDenied(judgeAddress(form, 80, allowNothing))).toBe(true);
          expect(isDenied(judgeUrl(new URL(`http://[${form}]/`).href, allowNothing))).toBe(true);
        }
      }),
    );
  });

  test("of IPv6 outside 2000::/3 is denied, whatever it is", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }), (value) => {
        fc.pre(value >> 125n !== 1n);
        expect(isDenied(judgeAddress(toWords(value), 80, allowNothing))).toBe(true);
      }),
    );
    expect(judgeAddress("4000::1", 80, allowNothing)).toMatchObject(deniedBecause("2000::/3"));
  });

  test.each([
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001:82a::200e",
    "2001:200::1",
    "2001:4860:4860::8888",
  ])("%s is open", (address) => {
    expect(judgeAddress(address, 443, allowNothing)).toBe("open");
  });

  test.each([
    "",
    "hook.test",
    "127.1",
    "0x7f.0.0.1",
    "010.0.0.1",
    "fe80::1%eth0",
    "2606:4700::1%1",
    "1.1.1.1 ",
    "1.1.1.1:80",
    "[2606:4700::1]",
  ])("that is not plainly spelled (%j) is denied", (address) => {
    expect(isDenied(judgeAddress(address, 80, allowNothing))).toBe(true);
    expect(isDenied(judgeAddress(address, 80, allowing("0.0.0.0/0,::/0")))).toBe(true);
  });

  test("is refused in words that name the block and the remedy, and not the address", () => {
    const judged = judgeAddress("169.254.169.254", 80, allowNothing);
    expect(judged).toMatchObject(deniedBecause("169.254.0.0/16 (link local, cloud metadata, RFC 3927)"));
    expect(judged).toMatchObject(deniedBecause("ONTHEDOT_ALLOW_TARGETS"));
    expect(JSON.stringify(judged)).not.toContain("169.254.169.254");
  });
});

describe("a URL", () => {
  test.each([
    "http://localhost/",
    "http://LOCALHOST:80/",
    "http://localhost./",
    "http://a.b.localhost/",
    "http://a.localhost./",
    "http://intranet/",
    "https://intranet./x",
    "http://localhost../",
  ])("whose name only this machine or its network knows is denied: %s", (url) => {
    expect(isDenied(judgeUrl(new URL(url).href, allowNothing))).toBe(true);
  });

  test("with any other name is left to the moment of connecting", () => {
    for (const host of [
      "example.com",
      "example.com.",
      "localhost.example.com",
      "notlocalhost.com",
      "127.0.0.1.example.com",
      "xn--bcher-kva.example",
    ]) {
      expect(judgeUrl(`https://${host}/`, allowNothing)).toBe("name");
    }
  });

  test("with a public address is open", () => {
    expect(judgeUrl("http://1.1.1.1:8080/", allowNothing)).toBe("open");
    expect(judgeUrl("http://[2606:4700::1]/", allowNothing)).toBe("open");
  });
});

describe("an allow list", () => {
  test("of CIDRs opens their addresses on all ports, and no other", () => {
    const allow = allowing("127.0.0.0/8, ::1, fd00::/8");
    expect(judgeAddress("127.1.2.3", 1, allow)).toBe("open");
    expect(judgeUrl("http://[::1]:4001/", allow)).toBe("open");
    expect(judgeAddress("fdff::1", 443, allow)).toBe("open");
    expect(isDenied(judgeAddress("10.0.0.1", 80, allow))).toBe(true);
    expect(isDenied(judgeAddress("::2", 80, allow))).toBe(true);
    expect(isDenied(judgeAddress("::ffff:127.0.0.1", 80, allow))).toBe(true);
    expect(isDenied(judgeUrl("http://localhost/", allow))).toBe(true);
  });

  test("with prefix lengths inside a byte opens exactly the range", () => {
    const allow = allowing("172.16.0.0/12,10.0.0.7/32");
    expect(judgeAddress("172.31.255.255", 80, allow)).toBe("open");
    expect(isDenied(judgeAddress("192.168.0.1", 80, allow))).toBe(true);
    expect(judgeAddress("10.0.0.7", 80, allow)).toBe("open");
    expect(isDenied(judgeAddress("10.0.0.6", 80, allow))).toBe(true);
  });

  test("with a port opens only that port, the default one included", () => {
    const allow = allowing("127.0.0.1:80,[::1]:8080,hook.internal:443,localhost:4001");
    expect(judgeUrl("http://127.0.0.1/", allow)).toBe("open");
    expect(isDenied(judgeUrl("https://127.0.0.1/", allow))).toBe(true);
    expect(judgeUrl("http://[::1]:8080/", allow)).toBe("open");
    expect(isDenied(judgeUrl("http://[::1]/", allow))).toBe(true);
    expect(judgeUrl("https://hook.internal/", allow)).toBe("open");
    expect(judgeUrl("http://hook.internal/", allow)).toBe("name");
    expect(judgeUrl("http://localhost:4001/", allow)).toBe("open");
    expect(isDenied(judgeUrl("http://localhost:4002/", allow))).toBe(true);
  });

  test("with a name opens it for whatever it resolves to, however it is written, and not its subdomains", () => {
    const allow = allowing("Hook.Internal., receiver, bücher.internal");
    for (const host of ["hook.internal", "HOOK.internal.", "receiver", "xn--bcher-kva.internal"])
      expect(judgeUrl(new URL(`http://${host}:99/`).href, allow)).toBe("open");
    expect(judgeUrl("http://a.hook.internal/", allow)).toBe("name");
    expect(isDenied(judgeUrl("http://other/", allow))).toBe(true);
  });

  test("that names a host with and without a port opens all its ports, in either order", () => {
    for (const text of ["a.test,a.test:80", "a.test:80,a.test"]) expect(judgeUrl("http://a.test:99/", allowing(text))).toBe("open");
    expect(judgeUrl("http://a.test:81/", allowing("a.test:80,a.test:81"))).toBe("open");
  });

  test("that is empty, or has empty entries, opens nothing by them", () => {
    for (const text of ["", " ", ",", " , ,"]) expect(parseAllowList(text)).toEqual({ allow: allowNothing });
  });

  test.each([
    ["10.0.0.0/33", "prefix length from 0 to 32"],
    ["::/129", "prefix length from 0 to 128"],
    ["10.0.0/8", "CIDR"],
    ["10.0.0.0/", "CIDR"],
    ["10.0.0.0/8:80", "CIDR"],
    ["hook.test/8", "CIDR"],
    ["http://hook.test", "without http://"],
    ["hook.test:0", "port from 1 to 65535"],
    ["hook.test:70000", "port from 1 to 65535"],
    ["hook.test:http", "host:port"],
    ["*.hook.test", "letters, digits, dots and hyphens"],
    ["user@hook.test", "letters, digits, dots and hyphens"],
    ["ho ok", "letters, digits, dots and hyphens"],
    ["127.1", "spelled 127.0.0.1"],
    ["0x7f000001", "spelled 127.0.0.1"],
    ["999.1.1.1", "letters, digits, dots and hyphens"],
    ["[127.0.0.1]:80", "IPv6 address"],
    ["[fe80::1%eth0]", "IPv6 address"],
    ["fe80::1%eth0", "host:port"],
    ["1::2::3", "host:port"],
  ])("with %j is wrong, names the entry and says what is expected", (entry, expected) => {
    const read = parseAllowList(`127.0.0.1,${entry}`);
    expect(read).toEqual({ wrong: expect.stringContaining(expected) });
    expect(read).toEqual({ wrong: expect.stringContaining(`got "${entry}"`) });
  });
});
