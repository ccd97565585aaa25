/** The admin key, made at deploy: it is in no template, no output and no history of a shell. */

import * as secrets from "aws-cdk-lib/aws-secretsmanager";
import { Construct } from "constructs";
import { acknowledge } from "./acknowledge.ts";
import { nameOf } from "./names.ts";

/** Of 62 characters: 238 bits. */
const keyChars = 40;

export class AdminKey extends Construct {
  readonly secret: secrets.Secret;
  /** As written, for an output that can be typed. */
  readonly secretName: string;

  constructor(scope: Construct, id: string, { stage }: { readonly stage: string }) {
    super(scope, id);
    this.secretName = nameOf(stage, "admin-key");
    this.secret = new secrets.Secret(this, "Secret", {
      secretName: this.secretName,
      description: "The admin key of the API is otd_ followed by this.",
      generateSecretString: { passwordLength: keyChars, excludePunctuation: true, includeSpace: false, requireEachIncludedType: true },
    });
    acknowledge(this.secret, {
      "AwsSolutions-SMG4":
        "Whoever calls the API holds a copy: a rotation nobody has agreed to would lock them out. The pages say how to change it.",
    });
  }
}
