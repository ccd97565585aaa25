/** The one table: its keys and indexes as `src/store/keys.ts` has them, and how what it holds is kept. */

import type { RemovalPolicy } from "aws-cdk-lib";
import * as dynamodb from "aws-cdk-lib/aws-dynamodb";
import { Construct } from "constructs";
import { table as layout } from "../src/store/keys.ts";
import { acknowledge } from "./acknowledge.ts";
import { stageName } from "./names.ts";

export type JobTableProps = {
  readonly stage: string;
  /** Recovery to any second of the last 35 days. Billed by what is stored. */
  readonly pointInTimeRecovery: boolean;
  /** The table cannot be deleted while this is set, not even by hand. */
  readonly deletionProtection: boolean;
  /** What becomes of the table with the stack. */
  readonly removalPolicy: RemovalPolicy;
};

const text = (name: string): dynamodb.Attribute => ({ name, type: dynamodb.AttributeType.STRING });

export class JobTable extends Construct {
  readonly table: dynamodb.Table;

  constructor(scope: Construct, id: string, { stage, pointInTimeRecovery, deletionProtection, removalPolicy }: JobTableProps) {
    super(scope, id);
    this.table = new dynamodb.Table(this, "Table", {
      // A name of its own: were the table to be replaced, which loses what it holds, CloudFormation would refuse instead.
      tableName: stageName(stage),
      partitionKey: text(layout.partitionKey),
      sortKey: text(layout.sortKey),
      timeToLiveAttribute: layout.expiry,
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      // Nothing about encryption: DynamoDB then uses a key of its own. One in KMS would have costs and limits of its own.
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: pointInTimeRecovery },
      deletionProtection,
      removalPolicy,
    });
    for (const { name, partitionKey, sortKey, projects } of Object.values(layout.indexes)) {
      this.table.addGlobalSecondaryIndex({
        indexName: name,
        partitionKey: text(partitionKey),
        sortKey: text(sortKey),
        ...(projects.length === 0
          ? { projectionType: dynamodb.ProjectionType.KEYS_ONLY }
          : { projectionType: dynamodb.ProjectionType.INCLUDE, nonKeyAttributes: [...projects] }),
      });
    }
    if (!pointInTimeRecovery) {
      acknowledge(this.table, {
        "AwsSolutions-DDB3": "This is no production stage: what it holds may be lost, and the recovery is billed.",
      });
    }
  }
}
