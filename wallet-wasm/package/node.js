// The wallet under Node.js.
import { readFileSync } from "node:fs";

import { initSync, Wallet } from "./core.js";

initSync({ module: readFileSync(new URL("./core_bg.wasm", import.meta.url)) });

export { Wallet };
export { fileStorage, memoryStorage } from "./storage.js";
