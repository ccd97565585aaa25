/** Events as AWS documents them for a mapping from SQS to a function, of a queue and of its dead letter queue, and events of other services. */

export type SqsRecord = ReturnType<typeof sqsRecord>;

/** The record of AWS's own example. */
export function sqsRecord(given: { messageId?: string; body?: string; queue?: string; receives?: number } = {}) {
  const { messageId = "059f36b4-87a3-44ab-83d2-661975830a7d", body = "Test message.", queue = "my-queue", receives = 1 } = given;
  return {
    messageId,
    receiptHandle: "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
    body,
    attributes: {
      ApproximateReceiveCount: String(receives),
      SentTimestamp: "1545082649183",
      SenderId: "AIDAIENQZJOLO23YVJ4VO",
      ApproximateFirstReceiveTimestamp: "1545082649185",
    },
    messageAttributes: {
      myAttribute: { stringValue: "myValue", stringListValues: [], binaryListValues: [], dataType: "String" },
    },
    md5OfBody: "e4e68fb7bd0e697a0ae8f1bb342846b3",
    eventSource: "aws:sqs",
    eventSourceARN: `arn:aws:sqs:us-east-2:123456789012:${queue}`,
    awsRegion: "us-east-2",
  };
}

/** A message that the redrive policy moved: the receives go on, and SQS says where it came from. */
export function redriven(given: Parameters<typeof sqsRecord>[0] & { priority?: string } = {}) {
  const { priority = "normal", ...rest } = given;
  const record = sqsRecord({ queue: `onthedot-prod-${priority}-dead`, receives: 6, ...rest });
  const DeadLetterQueueSourceArn = `arn:aws:sqs:us-east-2:123456789012:onthedot-prod-${priority}`;
  return { ...record, attributes: { ...record.attributes, DeadLetterQueueSourceArn } };
}

/** A tick that EventBridge Scheduler gave up on: its input, and in the attributes why. */
export function undeliveredTick(messageId = "f2e1b1a0-4b8c-4b43-9d0e-3c3f2f6f0b11") {
  const attribute = (stringValue: string) => ({ stringValue, stringListValues: [], binaryListValues: [], dataType: "String" });
  return {
    ...sqsRecord({ messageId, body: '{"range":0}', queue: "onthedot-prod-ticks-dead" }),
    messageAttributes: {
      ERROR_CODE: attribute("AWS.Scheduler.InternalServerError"),
      ERROR_MESSAGE: attribute("Rate exceeded"),
      EXHAUSTED_RETRY_CONDITION: attribute("MaximumEventAgeInSeconds"),
      IS_PAYLOAD_TRUNCATED: attribute("false"),
      RETRY_ATTEMPTS: attribute("3"),
      SCHEDULED_TIME: attribute("2027-01-01T00:00:00Z"),
      SCHEDULE_ARN: attribute("arn:aws:scheduler:us-east-2:123456789012:schedule/onthedot-prod/base"),
      TARGET_ARN: attribute("arn:aws:lambda:us-east-2:123456789012:function:onthedot-prod-dispatcher"),
    },
  };
}

/** What other services send to functions. */
export const foreignEvents = {
  "an event of EventBridge": {
    version: "0",
    id: "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa",
    "detail-type": "Scheduled Event",
    source: "aws.events",
    account: "123456789012",
    time: "2015-10-08T16:53:06Z",
    region: "us-east-1",
    resources: ["arn:aws:events:us-east-1:123456789012:rule/my-scheduled-rule"],
    detail: {},
  },
  "a notification of SNS": {
    Records: [
      {
        EventVersion: "1.0",
        EventSubscriptionArn: "arn:aws:sns:us-east-1:123456789012:sns-lambda:21be56ed-a058-49f5-8c98-aedd2564c486",
        EventSource: "aws:sns",
        Sns: { MessageId: "95df01b4-ee98-5cb9-9903-4c221d41eb5e", Message: "Hello from SNS!", Type: "Notification" },
      },
    ],
  },
  "records of Kinesis": {
    Records: [
      {
        kinesis: {
          kinesisSchemaVersion: "1.0",
          partitionKey: "1",
          sequenceNumber: "49590338271490256608559692538361571095921575989136588898",
        },
        eventSource: "aws:kinesis",
        eventID: "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
        eventSourceARN: "arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream",
      },
    ],
  },
  "an HTTP request": { version: "2.0", routeKey: "$default", rawPath: "/v1/jobs", requestContext: { http: { method: "GET" } } },
  "a tick": { range: 0 },
  "no records": { Records: [] },
  "an empty object": {},
  nothing: undefined,
  null: null,
  text: "hello",
} as const;
