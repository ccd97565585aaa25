/** What a text from elsewhere must not show: the forms in which credentials come, and what is left to read beside them. */

import { array, constantFrom, nat, string, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { maskSecrets } from "../../src/system/redact.ts";
import { always } from "../always.ts";

/** As it comes in the envelope of a topic, in an event of a queue, and so on: JSON within JSON. */
function wrapped(text: string, times: number): string {
  return times === 0 ? text : wrapped(JSON.stringify({ Message: text, Type: "Notification" }), times - 1);
}

function unwrapped(text: string, times: number): string {
  return times === 0 ? text : unwrapped((JSON.parse(text) as { Message: string }).Message, times - 1);
}

/** Each of these in some text of its own, and what is shown of it. */
const shownOf: readonly (readonly [text: string, shown: string])[] = [
  ['{"password":"hunter2","order":17}', '{"password":"***","order":17}'],
  ['{"password":"two words","order":17}', '{"password":"***","order":17}'],
  ['{"password":"a \\" and, more","order":17}', '{"password":"***","order":17}'],
  ['{"password":"ends in a backslash\\\\","order":17}', '{"password":"***","order":17}'],
  ['{"password":"spells a mark: \\\\u0022, and more","order":17}', '{"password":"***","order":17}'],
  ['{"password":"spells a mark: \\\\u0022","order":17}', '{"password":"***","order":17}'],
  ['{"secretAccessKey":"wJalrXUtnFEMI/K7MDENG","order":17}', '{"secretAccessKey":"***","order":17}'],
  ["AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG AWS_REGION=eu-central-1", "AWS_SECRET_ACCESS_KEY=*** AWS_REGION=eu-central-1"],
  ["the passphrase: hunter2, and so on", "the passphrase: ***, and so on"],
  ["aws_access_key_id = AKIAIOSFODNN7EXAMPLE\nregion = us-east-1", "aws_access_key_id = ***\nregion = us-east-1"],
  ['{"credentials":{"user":"me","more":["}",{"a":"hunter2"}]},"order":17}', '{"credentials":***,"order":17}'],
  ['{"X-Api-Key":["abcdef","ghijkl"],"order":17}', '{"X-Api-Key":***,"order":17}'],
  ['{"Authorization":"Token abc123","order":17}', '{"Authorization":"***","order":17}'],
  ['{"Set-Cookie":["a=1; Path=/","session=hunter2"],"order":17}', '{"Set-Cookie":***,"order":17}'],
  ['{"Authorization":{"Type":"String","Value":"abc123"},"order":17}', '{"Authorization":***,"order":17}'],
  ['{"name":"Authorization","value":"abc123def"}', '{"name":"Authorization","value":"***"}'],
  ['{"name": "DB_PASSWORD", "type": "text", "value": "abc123def"}', '{"name": "DB_PASSWORD", "type": "text", "value": "***"}'],
  ['{"ParameterKey":"DbPassword","ParameterValue":"hunter2"}', '{"ParameterKey":"DbPassword","ParameterValue":"***"}'],
  ['{"value":"abc \\" def","name":"Authorization"}', '{"value":"***","name":"Authorization"}'],
  ['{"name":"token","password":"hunter2","value":"abc"}', '{"name":"token","password":"***","value":"***"}'],
  ['{"h":[["Authorization","Token abc"]],"value":"a b"}', '{"h":[["Authorization","***"]],"value":"***"}'],
  ['{"name":"token","value":17,"order":17}', '{"name":"token","value":***,"order":17}'],
  ['["Authorization","Token abc123","Host","example.com"]', '["Authorization","***","Host","example.com"]'],
  ["{ password: 'it\\'s mine', order: 17 }", "{ password: '***', order: 17 }"],
  ['headers["x-api-key"] = "abc def";', 'headers["x-api-key"] = "***";'],
  ["{:password=>'two words', :order=>17}", "{:password=>'***', :order=>17}"],
  ['{"url":"https://example.com","password":"p@ss word"}', '{"url":"https://example.com","password":"***"}'],
  ['{"text":"first\\notd_abcdef0123456789"}', '{"text":"first\\notd_***"}'],
  ["Authorization: Token abc123, more\nHost: example.com", "Authorization: ***\nHost: example.com"],
  ["Cookie: a=[1]; session=hunter2\nHost: example.com", "Cookie: ***\nHost: example.com"],
  ['Cookie: "a"; session=hunter2', 'Cookie: "***'],
  ["authorization: [\n  'Token abc123'\n]", "authorization: ***"],
  ["at https://me:pa@ss@example.com/a?b=hunter2", "at https://***@example.com/a?***"],
  ["-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nabc+/=\n-----END RSA PRIVATE KEY-----\nafter", "***\nafter"],
  ['{"pem":"-----BEGIN PRIVATE KEY-----\\nMIIEpAIBAAKCAQEA\\n-----END PRIVATE KEY-----\\n","order":17}', '{"pem":"***\\n","order":17}'],
];

describe("a credential", () => {
  it.each(shownOf)("is masked, and what stands beside it is not: %s", (text, shown) => {
    expect(maskSecrets(text)).toBe(shown);
    // What was masked once is left as it is.
    expect(maskSecrets(shown)).toBe(shown);
  });

  it.each([
    ['{"password":"hunter2', '{"password":"***'],
    ['{"Message":"{\\"password\\":\\"hunter2\\', '{"Message":"{\\"password\\":\\"***'],
    ['{"tokens":["abc","def', '{"tokens":***'],
    ["-----BEGIN EC PRIVATE KEY-----\nMIIEpAIBAAKCAQEA", "***"],
    ['{"Message":"the password: \\"hunter2"}', '{"Message":"the password: \\"***"}'],
  ])("is masked where the text was cut before its end: %s", (text, shown) => {
    expect(maskSecrets(text)).toBe(shown);
  });

  it("is masked in JSON within JSON, however it is spelled", () => {
    const body = JSON.stringify({ password: "hunter2", headers: { Authorization: "Token abc123" }, order: 17 });
    const shown = JSON.stringify({ password: "***", headers: { Authorization: "***" }, order: 17 });
    for (const times of [1, 2, 3, 4]) expect(maskSecrets(wrapped(body, times))).toBe(wrapped(shown, times));
    // Some writers of JSON spell a quotation mark within a text by its number.
    const spelled = (text: string) => wrapped(text, 1).replaceAll('\\"', "\\u0022");
    for (const times of [0, 1, 2, 3]) expect(maskSecrets(wrapped(spelled(body), times))).toBe(wrapped(spelled(shown), times));
    const ending = (secret: string) => spelled(JSON.stringify({ password: secret, order: 17 }));
    for (const times of [0, 1, 2]) expect(maskSecrets(wrapped(ending("ends so\\"), times))).toBe(wrapped(ending("***"), times));
  });

  it("of any characters is gone, at any depth, and the JSON around it is whole", () => {
    const names = constantFrom("password", "client_secret", "secretKey", "AccessKeyId", "token", "x-api-key", "Authorization", "cookie");
    const chars = constantFrom('"', "'", "\\", " ", ",", "[", "]", "{", "}", ":", "\n", "u0022", "é", "a", "?");
    const value = tuple(array(chars, { maxLength: 12 }), string({ unit: "grapheme", maxLength: 8 })).map(
      ([some, others]) => `z${some.join("")}${others}`,
    );
    always(tuple(names, value, nat(4)), ([name, secret, times]) => {
      const masked = maskSecrets(wrapped(JSON.stringify({ before: "b", [name]: secret, after: "a" }), times));
      expect(JSON.parse(unwrapped(masked, times))).toEqual({ before: "b", [name]: "***", after: "a" });
    });
  });
});

it.each([
  "called job_0123456789ABCDEFGHJKMNPQRS 503 in 12 ms: connect ECONNREFUSED 203.0.113.7:443",
  "expected to read the admin key by secretsmanager:GetSecretValue: AccessDeniedException: as told",
  "ExpiredTokenException: The security token included in the request is expired",
  "CredentialsProviderError: Could not load credentials from any providers",
  '{"field":"token","code":"invalid_value"}',
  '{"field":"token", "n":2}',
  "of 'token', 27 are gone",
  '{"name":"customer","value":"a name","keys":"none"}',
  "Unexpected token 'x', \"xyz\" is not valid JSON",
  "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
  "",
])("what only speaks of credentials stays as it is: %s", (text) => {
  expect(maskSecrets(text)).toBe(text);
});

/** Beginnings of every pattern, over and over, with nothing that would end them. */
const hostile = [
  ...["secret", "access_", "token ", "token:", 'token"', 'token",', "token\\", 'token\\\\"', "tokenerror", "authorization:", "passw-"],
  ...['token","value', 'token","a', 'value":"', 'value":"",', 'value":"","name":"', 'value":"","key":"token', '"', "'\"", "\\", '\\\\\\"'],
  ...["password:[", "token:{", 'value":[', 'value":{', 'token",[', '[{"', "a.", "://", "://a?", "://@", "@", "bearer ", "otd_"],
  ...["-----BEGIN ", "-----BEGIN PRIVATE KEY-----", " "],
];
const beginnings = ["", "token:", 'token:"', "token:'", "token:[", 'token",', 'value":"', "https://"];

it("a hostile text of 8 KiB costs milliseconds, and one of 32 times that no more than in proportion", () => {
  // Of this thread's processor, for the machine may be busy with others.
  const costMs = (text: string) => {
    const before = process.threadCpuUsage();
    maskSecrets(text);
    const { user, system } = process.threadCpuUsage(before);
    return (user + system) / 1_000;
  };
  const filled = (start: string, unit: string, chars: number) => start + unit.repeat(chars / unit.length);
  for (const unit of hostile) {
    for (const start of beginnings) {
      const text = filled(start, unit, 8_192);
      // The best of some: the first is not compiled yet.
      const bestMs = Math.min(...Array.from({ length: 3 }, () => costMs(text)));
      expect(bestMs, `${start}${unit}…`).toBeLessThan(15);
    }
    for (const start of ["", "token:"]) expect(costMs(filled(start, unit, 32 * 8_192)), `${start}${unit}…`).toBeLessThan(1_000);
  }
});
