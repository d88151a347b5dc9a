// The wallet in a browser: with a bundler, or as it is in <script type="module">.
import init, { Wallet } from "./core.js";

await init();

export { Wallet };
