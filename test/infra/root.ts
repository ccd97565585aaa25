/** Where the repository is. Apart from `home.ts`, for CDK takes a second to load. */

import { join } from "node:path";

export const root = join(import.meta.dirname, "../..");
