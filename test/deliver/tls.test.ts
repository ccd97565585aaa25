import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { authority, expired, forOtherName, good, selfSigned } from "./certificates.ts";
import { call, ok, openDeliver, openTarget, openTlsTarget } from "./target.ts";

const trusted = getCACertificates("default");
beforeAll(() => setDefaultCACertificates([...trusted, authority]));
afterAll(() => setDefaultCACertificates(trusted));

const open = () => openDeliver({ lookup: async () => [{ address: "127.0.0.1", family: 4 }] });
const answered = { kind: "response", status: 200 };
const tls = { kind: "failure", reason: "tls", sentAt: null };

test("a target is asked for its certificate by its name, although the connection goes to a judged address", async () => {
  const target = await openTlsTarget(good, (socket) => socket.write(ok));
  expect(await call(open(), `https://hook.test:${target.port}/`)).toMatchObject(answered);
  expect(target.names).toEqual(["hook.test"]);
});

test("a name with a trailing dot is sent and checked without it", async () => {
  const target = await openTlsTarget(good, (socket) => socket.write(ok));
  expect(await call(open(), `https://hook.test.:${target.port}/`)).toMatchObject(answered);
  expect(target.names).toEqual(["hook.test"]);
});

test("an address is checked against the addresses of the certificate", async () => {
  const target = await openTlsTarget(good, (socket) => socket.write(ok));
  const deliver = open();
  expect(await call(deliver, `https://127.0.0.1:${target.port}/`)).toMatchObject(answered);
  const other = await openTlsTarget(forOtherName, (socket) => socket.write(ok));
  expect(await call(deliver, `https://127.0.0.1:${other.port}/`)).toMatchObject({ ...tls, code: "ERR_TLS_CERT_ALTNAME_INVALID" });
});

test.each([
  ["has expired", expired, "CERT_HAS_EXPIRED"],
  ["is for another name", forOtherName, "ERR_TLS_CERT_ALTNAME_INVALID"],
  ["is self-signed", selfSigned, "DEPTH_ZERO_SELF_SIGNED_CERT"],
])("a target whose certificate %s gets no byte of the request", async (_, certificate, code) => {
  const target = await openTlsTarget(certificate, (socket) => socket.write(ok));
  expect(await call(open(), `https://hook.test:${target.port}/`)).toMatchObject({ ...tls, code });
  expect(target.requests).toHaveLength(0);
});

test("a certificate is checked in full on every connection, also after a good one to the same name", async () => {
  const target = await openTlsTarget(good, (socket) => socket.end(ok.replace("\r\n", "\r\nconnection: close\r\n")));
  const deliver = open();
  expect(await call(deliver, `https://hook.test:${target.port}/`)).toMatchObject(answered);
  expect(await call(deliver, `https://hook.test:${target.port}/`)).toMatchObject(answered);
  expect(target.names).toEqual(["hook.test", "hook.test"]);
});

test("a target that speaks no TLS is a tls failure", async () => {
  const target = await openTarget(() => {});
  const answering = call(open(), `https://hook.test:${target.port}/`);
  await target.accepted(1);
  target.sockets[0]?.write("HTTP/1.1 400 Bad Request\r\n\r\n");
  expect(await answering).toMatchObject({ ...tls, code: expect.any(String) });
});

test("a connection that is reset during the handshake is a network failure", async () => {
  const target = await openTarget(() => {});
  const answering = call(open(), `https://hook.test:${target.port}/`);
  await target.accepted(1);
  target.sockets[0]?.resetAndDestroy();
  expect(await answering).toMatchObject({ kind: "failure", reason: "network", code: "ECONNRESET", sentAt: null });
});

test("calls one after another share a TLS connection", async () => {
  const target = await openTlsTarget(good, (socket) => socket.write(ok));
  const deliver = open();
  for (let count = 0; count < 3; count += 1) expect(await call(deliver, `https://hook.test:${target.port}/`)).toMatchObject(answered);
  expect(target.sockets).toHaveLength(1);
});
