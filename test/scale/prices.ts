/**
 * What AWS asks, in US dollars, us-east-1, on-demand, without any free tier. Each price names its source and that page's date; AWS's own
 * pages fill their numbers in by script, so most are read from pages that quote them. Check yours before you rely on them:
 * aws.amazon.com/pricing.
 */

export const prices = {
  /** airbyte.com/data-engineering-resources/dynamodb-pricing, as of 21 July 2025, after AWS halved them on 1 November 2024. */
  writeUnits: 0.625 / 1e6,
  readUnits: 0.125 / 1e6,
  /** aws.amazon.com/dynamodb/pricing (undated); wring.co/blog/aws-dynamodb-pricing-guide, as of 8 March 2026. */
  storedGbMonth: 0.25,
  /** docs.echo.stream/docs/table-pricing (undated) has eight tenths of the table's own. */
  recoveryGbMonth: 0.2,
  /** Each 64 KB of a request count. cloudburn.io/blog/amazon-sqs-pricing, as of 14 March 2026. */
  sqsRequests: 0.4 / 1e6,
  /** arm64, the first 7.5 billion GB-seconds of a month. cloudchipr.com/blog/aws-lambda-pricing, as of 2024; wring.co/blog/aws-lambda-pricing-guide says the same, as of 8 March 2026. */
  lambdaGbSeconds: 0.0000133334,
  /** aws.amazon.com/lambda/pricing, as of 20 September 2026. */
  lambdaRequests: 0.2 / 1e6,
  /** A provisioned poller. No page that could be read states it: taken as a twentieth of an event poller unit at $0.185, and not verified. */
  pollerHours: 0.00925,
  /** HTTP API, the first 300 million of a month. go-cloud.io/aws-api-gateway-pricing, as of 2026. */
  apiRequests: 1 / 1e6,
  /** After 14 million free ones a month, which are left out here like all free tiers. huggingface.co/datasets/labofsahil/aws-pricing-dataset (AWSEvents), as of 1 January 2025, has Tokyo's 1.25. */
  scheduledInvocations: 1 / 1e6,
  /** cloudburn.io/blog/amazon-cloudwatch-pricing, as of February 2026; factualminds.com/blog, as of 13 June 2026. */
  logGb: 0.5,
  metricMonths: 0.3,
  alarmMonths: 0.1,
  dashboardMonths: 3,
  /** hivebook.wiki/wiki/aws-secrets-manager (undated). */
  secretMonths: 0.4,
  /** To the internet, up to 10 TB a month. wring.co/blog/aws-data-transfer-pricing-guide, as of 2026. */
  dataOutGb: 0.09,
} as const;

export type Priced = keyof typeof prices;
