/**
 * The address policy: which addresses a call may go to. It keeps a job from reaching what only this machine or its network
 * can reach (cloud metadata, admin ports, neighbours). Literal addresses are judged when a job is made, names when a
 * connection is opened: what a name stands for may change in between.
 */

import ipaddr from "ipaddr.js";

export type SpecialBlock = {
  /** The block in CIDR notation. */
  readonly block: string;
  /** Its name in the registry. */
  readonly name: string;
  /** The document that sets it aside. */
  readonly source: string;
};

/**
 * Denied in IPv4: the whole IANA special-purpose registry, also its few blocks that are globally reachable, for none of them is a host
 * that takes a webhook (https://www.iana.org/assignments/iana-ipv4-special-registry), the multicast space, and one address of a cloud.
 */
export const specialIpv4: readonly SpecialBlock[] = [
  { block: "0.0.0.0/8", name: "this network", source: "RFC 791" },
  { block: "10.0.0.0/8", name: "private use", source: "RFC 1918" },
  { block: "100.64.0.0/10", name: "shared address space", source: "RFC 6598" },
  { block: "127.0.0.0/8", name: "loopback", source: "RFC 1122" },
  { block: "168.63.129.16/32", name: "Azure platform services", source: "learn.microsoft.com, what-is-ip-address-168-63-129-16" },
  { block: "169.254.0.0/16", name: "link local, cloud metadata", source: "RFC 3927" },
  { block: "172.16.0.0/12", name: "private use", source: "RFC 1918" },
  { block: "192.0.0.0/24", name: "IETF protocol assignments", source: "RFC 6890" },
  { block: "192.0.2.0/24", name: "documentation (TEST-NET-1)", source: "RFC 5737" },
  { block: "192.31.196.0/24", name: "AS112-v4", source: "RFC 7535" },
  { block: "192.52.193.0/24", name: "AMT", source: "RFC 7450" },
  { block: "192.88.99.0/24", name: "deprecated 6to4 relay anycast", source: "RFC 7526" },
  { block: "192.168.0.0/16", name: "private use", source: "RFC 1918" },
  { block: "192.175.48.0/24", name: "direct delegation AS112 service", source: "RFC 7534" },
  { block: "198.18.0.0/15", name: "benchmarking", source: "RFC 2544" },
  { block: "198.51.100.0/24", name: "documentation (TEST-NET-2)", source: "RFC 5737" },
  { block: "203.0.113.0/24", name: "documentation (TEST-NET-3)", source: "RFC 5737" },
  { block: "224.0.0.0/4", name: "multicast", source: "RFC 5771" },
  { block: "255.255.255.255/32", name: "limited broadcast", source: "RFC 919" },
  { block: "240.0.0.0/4", name: "reserved", source: "RFC 1112" },
];

/**
 * Denied in IPv6, first match first: the IANA special-purpose registry (https://www.iana.org/assignments/iana-ipv6-special-registry), and
 * every form that carries an IPv4 address, which a gateway on the way would unpack. What 2000::/3 does not hold is denied anyway;
 * its blocks stand here so that the refusal can name them.
 */
export const specialIpv6: readonly SpecialBlock[] = [
  { block: "::1/128", name: "loopback", source: "RFC 4291" },
  { block: "::/128", name: "unspecified", source: "RFC 4291" },
  { block: "::/96", name: "IPv4-compatible, carries an IPv4 address", source: "RFC 4291" },
  { block: "::ffff:0:0/96", name: "IPv4-mapped, carries an IPv4 address", source: "RFC 4291" },
  { block: "::ffff:0:0:0/96", name: "IPv4-translated, carries an IPv4 address", source: "RFC 2765" },
  { block: "64:ff9b::/96", name: "NAT64, carries an IPv4 address", source: "RFC 6052" },
  { block: "64:ff9b:1::/48", name: "local NAT64, carries an IPv4 address", source: "RFC 8215" },
  { block: "100::/64", name: "discard only", source: "RFC 6666" },
  { block: "100:0:0:1::/64", name: "dummy prefix", source: "RFC 9780" },
  { block: "2001::/32", name: "Teredo, carries an IPv4 address", source: "RFC 4380" },
  { block: "2001:2::/48", name: "benchmarking", source: "RFC 5180" },
  { block: "2001:3::/32", name: "AMT", source: "RFC 7450" },
  { block: "2001:4:112::/48", name: "AS112-v6", source: "RFC 7535" },
  { block: "2001:10::/28", name: "deprecated ORCHID", source: "RFC 4843" },
  { block: "2001:20::/28", name: "ORCHIDv2", source: "RFC 7343" },
  { block: "2001:30::/28", name: "drone remote ids", source: "RFC 9374" },
  { block: "2001::/23", name: "IETF protocol assignments", source: "RFC 2928" },
  { block: "2001:db8::/32", name: "documentation", source: "RFC 3849" },
  { block: "2002::/16", name: "6to4, carries an IPv4 address", source: "RFC 3056" },
  { block: "2620:4f:8000::/48", name: "direct delegation AS112 service", source: "RFC 7534" },
  { block: "3fff::/20", name: "documentation", source: "RFC 9637" },
  { block: "5f00::/16", name: "segment routing", source: "RFC 9602" },
  { block: "fc00::/7", name: "unique local", source: "RFC 4193" },
  { block: "fe80::/10", name: "link local", source: "RFC 4291" },
  { block: "fec0::/10", name: "deprecated site local", source: "RFC 3879" },
  { block: "ff00::/8", name: "multicast", source: "RFC 4291" },
];

/** The only unicast space that IANA has given out (https://www.iana.org/assignments/ipv6-address-space): anything else leads nowhere public. */
const globalIpv6 = "2000::/3";

/** A range of addresses. An IPv4 and an IPv6 range never match each other's addresses: the lengths of `bytes` differ. */
type Range = { readonly bytes: readonly number[]; readonly prefixBits: number };

/** What an operator lets through beside the public addresses. */
export type AllowList = {
  /** Names in lower case without a trailing dot, each with the ports it is allowed on; null: all. */
  readonly names: ReadonlyMap<string, ReadonlySet<number> | null>;
  readonly ranges: readonly (Range & { readonly port: number | null })[];
};

export const allowNothing: AllowList = { names: new Map(), ranges: [] };

const remedy = "if onthedot must call it, let it through with ONTHEDOT_ALLOW_TARGETS";
const deniedIpv4 = specialIpv4.map((special) => ({ special, range: toRange(special.block) }));
const deniedIpv6 = specialIpv6.map((special) => ({ special, range: toRange(special.block) }));
const globalIpv6Range = toRange(globalIpv6);

/**
 * Whether a connection may go to this address. Anything but a plainly spelled IPv4 or IPv6 address without zone is denied. The sentence names the
 * block but not the address, so that it can be shown to someone who gave only a name.
 */
export function judgeAddress(address: string, port: number, allow: AllowList): "open" | { denied: string } {
  const bytes = readAddress(address);
  if (bytes === undefined) return { denied: "expected an IPv4 or IPv6 address without a zone" };
  if (allow.ranges.some((range) => (range.port === null || range.port === port) && contains(range, bytes))) return "open";
  const found = (bytes.length === 4 ? deniedIpv4 : deniedIpv6).find(({ range }) => contains(range, bytes));
  if (found !== undefined) {
    const { block, name, source } = found.special;
    return { denied: `expected a public address, got one in ${block} (${name}, ${source}); ${remedy}` };
  }
  if (bytes.length === 16 && !contains(globalIpv6Range, bytes)) {
    return { denied: `expected a public address, got one outside ${globalIpv6}, the public space of IPv6; ${remedy}` };
  }
  return "open";
}

/**
 * Judges the host of a URL as far as it says where it leads. "open": an address that may be called, or a name that the operator
 * allowed, for whatever it resolves to. "name": judge each address it resolves to, at connect time. `url` is in the form that
 * `new URL` gives, which has already turned `http://0x7f.1` into `http://127.0.0.1`.
 */
export function judgeUrl(url: string, allow: AllowList): "open" | "name" | { denied: string } {
  const { hostname, port, protocol } = new URL(url);
  const portNumber = port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
  const address = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  if (readAddress(address) !== undefined) return judgeAddress(address, portNumber, allow);
  const name = withoutTrailingDot(hostname);
  const ports = allow.names.get(name);
  if (ports === null || ports?.has(portNumber) === true) return "open";
  if (name === "localhost" || name.endsWith(".localhost")) {
    return { denied: `expected a public name, got a name of this machine; ${remedy}` };
  }
  // Such a name is completed by the resolver's search list, or names a neighbour: a container, a NetBIOS host.
  if (!name.includes(".")) return { denied: `expected a name with a dot, got one that only a local network knows; ${remedy}` };
  return "name";
}

/** Reads ONTHEDOT_ALLOW_TARGETS: hosts, `host:port`, `[v6]:port` and CIDRs, separated by commas. `wrong` names the entry and the remedy. */
export function parseAllowList(text: string): { allow: AllowList } | { wrong: string } {
  const names = new Map<string, ReadonlySet<number> | null>();
  const ranges: (Range & { port: number | null })[] = [];
  for (const entry of text.split(",").map((part) => part.trim())) {
    if (entry === "") continue;
    const read = readEntry(entry);
    if ("wrong" in read) return { wrong: `${read.wrong}, got "${entry}"` };
    if ("range" in read) ranges.push({ ...read.range, port: read.port });
    else names.set(read.name, unite(names.get(read.name), read.port));
  }
  return { allow: { names, ranges } };
}

/** A name listed both with and without a port is allowed on all. */
function unite(before: ReadonlySet<number> | null | undefined, port: number | null): ReadonlySet<number> | null {
  if (before === null || port === null) return null;
  return new Set([...(before ?? []), port]);
}

type Entry = { range: Range; port: number | null } | { name: string; port: number | null } | { wrong: string };

function readEntry(entry: string): Entry {
  if (entry.includes("://")) return { wrong: "expected a host without http:// or a path" };
  if (entry.includes("/")) return readCidr(entry);
  const bytes = readAddress(entry);
  if (bytes !== undefined) return { range: wholeAddress(bytes), port: null };
  const split = /^(?:\[([^\]]*)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(entry);
  if (split === null) return { wrong: "expected a host, host:port, [IPv6]:port or CIDR" };
  const [, bracketed, plain = "", portText] = split;
  const port = portText === undefined ? null : Number(portText);
  if (port !== null && (port < 1 || port > 65_535)) return { wrong: "expected a port from 1 to 65535" };
  const host = readAddress(bracketed ?? plain);
  if (bracketed !== undefined && host?.length !== 16) return { wrong: "expected an IPv6 address without zone inside [ ]" };
  return host === undefined ? readName(plain, port) : { range: wholeAddress(host), port };
}

function readCidr(entry: string): Entry {
  const [, address = "", bits = ""] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? [];
  const bytes = readAddress(address);
  if (bytes === undefined || bits === "") return { wrong: "expected a CIDR such as 10.0.0.0/8 or fd00::/8, without a port" };
  if (Number(bits) > bytes.length * 8) return { wrong: `expected a prefix length from 0 to ${bytes.length * 8}` };
  return { range: { bytes, prefixBits: Number(bits) }, port: null };
}

function readName(text: string, port: number | null): Entry {
  const url = URL.parse(`http://${text}/`);
  // The URL parser takes "127.1" for an address and "a*b" or "a@b" for hosts: whoever writes these means something else.
  if (url === null || url.host !== url.hostname || !/^[a-z0-9._-]+$/.test(url.hostname) || url.username !== "") {
    return { wrong: "expected a host name of letters, digits, dots and hyphens" };
  }
  if (readAddress(url.hostname) !== undefined) return { wrong: `expected the address spelled ${url.hostname}` };
  return { name: withoutTrailingDot(url.hostname), port };
}

function withoutTrailingDot(name: string): string {
  return name.replace(/\.+$/, "");
}

/** The bytes of a plainly spelled address; undefined for anything else, zones and octal or shortened IPv4 included. */
function readAddress(text: string): readonly number[] | undefined {
  // Asked of a name, the library finds out by an exception; that took more time than all the rest of a create.
  if (/^[0-9.]+$/.test(text) && ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text).toByteArray();
  if (text.includes(":") && !text.includes("%") && ipaddr.IPv6.isValid(text)) return ipaddr.IPv6.parse(text).toByteArray();
  return undefined;
}

function wholeAddress(bytes: readonly number[]): Range {
  return { bytes, prefixBits: bytes.length * 8 };
}

function toRange(cidr: string): Range {
  const [address = "", bits] = cidr.split("/");
  return { bytes: readAddress(address) ?? [], prefixBits: Number(bits) };
}

function contains(range: Range, bytes: readonly number[]): boolean {
  if (range.bytes.length !== bytes.length) return false;
  return range.bytes.every((byte, index) => {
    const bitsHere = Math.min(8, Math.max(0, range.prefixBits - index * 8));
    const mask = (0xff << (8 - bitsHere)) & 0xff;
    return (byte & mask) === ((bytes[index] ?? 0) & mask);
  });
}
