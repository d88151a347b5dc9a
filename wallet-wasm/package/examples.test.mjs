// The examples for browsers in Chromium, as the center's own site: `cargo xtask package --check` runs this, and says
// where everything is.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const { CHROMEDRIVER, CHROMIUM, TUPPENCE_EXAMPLES, TUPPENCE_PROGRAM, TUPPENCE_ROOT } = process.env;
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
];

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function until(what, ask) {
  for (let tries = 0; tries < 300; tries += 1) {
    const found = await ask().catch(() => null);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return assert.fail(`waited in vain for ${what}`);
}

/** A process that ends with the test. */
function started(context, program, options) {
  const child = spawn(program, options, { stdio: "ignore" });
  context.after(async () => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null && child.kill("SIGTERM")) await ended;
  });
}

for (const example of ["wallet-module", "wallet-vite/dist"]) {
  test(`${example}: opens a wallet, lists articles, and says why it cannot pay yet`, async (context) => {
    const folder = mkdtempSync(join(tmpdir(), "tuppence-example-"));
    context.after(() => rmSync(folder, { recursive: true, force: true }));
    const [center, shop, driver] = [await freePort(), await freePort(), await freePort()];
    const fixtures = join(TUPPENCE_ROOT, "tests/fixtures/shop");
    started(context, TUPPENCE_PROGRAM, [
      "serve", "--data", join(folder, "data"), "--wallet-site", join(TUPPENCE_EXAMPLES, example),
      "--center-port", String(center), "--storefront-port", String(shop),
      "--content", join(fixtures, "content"), "--campaigns", join(fixtures, "campaigns"), "--challenge-bits", "4",
    ]);
    started(context, CHROMEDRIVER, [`--port=${driver}`]);
    await until("the shop", async () => (await fetch(`http://localhost:${shop}/health`)).ok);
    await until("chromedriver", async () => (await fetch(`http://127.0.0.1:${driver}/status`)).ok);

    const call = async (method, path, body) => {
      const answer = await fetch(`http://127.0.0.1:${driver}${path}`, { method, body: body && JSON.stringify(body) });
      const { value } = await answer.json();
      assert.ok(answer.ok, JSON.stringify(value));
      return value;
    };
    const options = { binary: CHROMIUM, args: [...FLAGS, `--user-data-dir=${join(folder, "profile")}`] };
    const capabilities = { alwaysMatch: { browserName: "chrome", "goog:chromeOptions": options } };
    const { sessionId } = await call("POST", "/session", { capabilities });
    const session = `/session/${sessionId}`;
    const find = async (using) => (await call("POST", `${session}/element`, { using: "css selector", value: using }))[ELEMENT];
    const status = async () => call("GET", `${session}/element/${await find("#status")}/text`);
    try {
      await call("POST", `${session}/url`, { url: `http://localhost:${center}/` });
      await until("the balance", async () => (await status()) === "Your balance is USD:0.").catch(async (error) => {
        throw new Error(`${error.message}: ${await status()}`);
      });
      const button = await until("an article", () => find("li button"));
      await call("POST", `${session}/element/${button}/click`, {});
      await until("the reason", async () => /Earn more e-cash/.test(await status()));
    } finally {
      await call("DELETE", session);
    }
  });
}
