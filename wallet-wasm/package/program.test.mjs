// The package under Node.js against the real program: `cargo xtask package --check` runs this, and says where both are.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createServer, request } from "node:http";
import { createServer as createTcp } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

const { TUPPENCE_PACKAGE, TUPPENCE_PROGRAM, TUPPENCE_ROOT } = process.env;
const { Wallet, fileStorage, memoryStorage } = await import(pathToFileURL(join(TUPPENCE_PACKAGE, "node.js")));

const PAID_WORDS = "that is the whole secret";
let folder, program, proxy, center, shop;
/** Told of each request to the center; what it returns is waited for before the request is passed on. */
let onRequest = () => undefined;

async function freePort() {
  const server = createTcp().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "tuppence-package-"));
  const [backend, shopPort] = [await freePort(), await freePort()];
  proxy = createServer((from, to) => {
    const chunks = [];
    from.on("data", (chunk) => chunks.push(chunk)).on("end", async () => {
      await onRequest(from.url);
      const headers = { ...from.headers };
      const passed = request({ port: backend, host: "127.0.0.1", method: from.method, path: from.url, headers }, (answer) => {
        to.writeHead(answer.statusCode, answer.headers);
        answer.pipe(to);
      });
      passed.on("error", () => to.destroy());
      passed.end(Buffer.concat(chunks));
    });
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => proxy.once("listening", resolve));
  center = `http://localhost:${proxy.address().port}`;
  shop = `http://localhost:${shopPort}`;
  const fixtures = join(TUPPENCE_ROOT, "tests/fixtures/shop");
  program = spawn(TUPPENCE_PROGRAM, [
    "serve", "--data", join(folder, "data"), "--center-port", String(backend), "--storefront-port", String(shopPort),
    "--center-origin", center, "--content", join(fixtures, "content"), "--campaigns", join(fixtures, "campaigns"),
    "--challenge-bits", "4", "--registrations-per-minute", "1000", "--log", "warn",
  ], { stdio: "ignore" });
  for (let tries = 0; ; tries += 1) {
    const well = await fetch(`${shop}/health`).then((answer) => answer.ok, () => false);
    if (well) break;
    assert.ok(tries < 600, "the program does not answer");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

after(async () => {
  program.kill("SIGTERM");
  await new Promise((resolve) => program.once("exit", resolve));
  proxy.closeAllConnections();
  proxy.close();
  rmSync(folder, { recursive: true });
});

async function withFourCents(storage) {
  const wallet = await Wallet.open({ center, storage });
  await wallet.register();
  const { questions } = await wallet.campaign(shop, "quiz");
  const right = ["Two", "Copper"];
  const answers = questions.map(({ choices }) => choices.find(({ text }) => right.includes(text)).id);
  await wallet.earn(shop, "quiz", answers);
  assert.equal((await wallet.balance()).amount, "USD:0.04");
  return wallet;
}

test("an address is paid once, for at most what was allowed", async () => {
  const wallet = await withFourCents(memoryStorage());
  const bread = `${shop}/articles/bread`;
  const above = await wallet.payUrl(bread, { max: "USD:0.02" }).catch((error) => error);
  assert.deepEqual([above.name, above.code, above.money], ["WalletError", "price_changed", "untouched"]);
  const bought = await wallet.payUrl(bread, { max: "USD:0.03" });
  assert.ok(bought.charged && bought.text.html.includes(PAID_WORDS));
  const again = await wallet.payUrl(`${bread}?again`, { max: "USD:0.03" });
  assert.ok(!again.charged && again.text.html.includes(PAID_WORDS));
  assert.equal((await wallet.balance()).amount, "USD:0.01");

  const receipt = Buffer.from(JSON.stringify(bought.article.receipt)).toString("base64url");
  const headers = { authorization: `Tuppence ${receipt}`, accept: "application/json" };
  assert.ok((await (await fetch(bread, { headers })).json()).document.includes(PAID_WORDS));
  assert.equal((await fetch(bread)).status, 402);
});

test("records in a folder are the next program's, without naming the center again", async () => {
  const path = join(folder, "kept");
  await withFourCents(fileStorage(path));
  const wallet = await Wallet.open({ storage: fileStorage(path) });
  assert.equal((await wallet.balance()).amount, "USD:0.04");
  const words = await wallet.recoveryWords();
  const other = await Wallet.open({ center, storage: memoryStorage() });
  await other.restore(words.join(" "));
  assert.equal((await other.balance()).amount, "USD:0.04");
});

test("what is no storage, and no center, is said", async () => {
  const open = (options) => Wallet.open(options).catch((error) => error.code);
  assert.equal(await open({ center, storage: {} }), "argument_invalid");
  assert.equal(await open({ storage: memoryStorage() }), "argument_invalid");
  assert.equal(await open({ center }), "storage_unavailable", "Node.js has no IndexedDB");
  const full = { ...memoryStorage(), commit: () => Promise.reject(Object.assign(new Error(), { code: "ENOSPC" })) };
  const wallet = await Wallet.open({ center, storage: full });
  assert.equal(await wallet.register().catch((error) => error.code), "storage_full");
});

test("the example pays, and killed in mid-payment it pays once at the next start", async () => {
  const home = join(folder, "example");
  mkdirSync(join(home, "node_modules/@tuppence"), { recursive: true });
  symlinkSync(TUPPENCE_PACKAGE, join(home, "node_modules/@tuppence/wallet"), "junction");
  copyFileSync(join(TUPPENCE_ROOT, "examples/wallet-node/pay.mjs"), join(home, "pay.mjs"));
  await withFourCents(fileStorage(join(home, "wallet")));
  const start = () =>
    spawn(process.execPath, ["pay.mjs", `${shop}/articles/bread`], {
      cwd: home,
      env: { ...process.env, TUPPENCE_CENTER: center, TUPPENCE_WALLET: "wallet" },
      stdio: ["ignore", "pipe", "pipe"],
    });
  const ended = (child) => new Promise((resolve) => {
    const said = { out: "", err: "" };
    child.stdout.on("data", (chunk) => (said.out += chunk));
    child.stderr.on("data", (chunk) => (said.err += chunk));
    child.once("close", (code) => resolve({ code, ...said }));
  });
  for (const path of ["/api/v1/payment", "/api/v1/payment/finish"]) {
    const child = start();
    const end = ended(child);
    await new Promise((resolve) => {
      onRequest = (url) => {
        if (url !== path) return undefined;
        onRequest = () => undefined;
        child.kill("SIGKILL");
        resolve();
        return end;
      };
    });
    const killed = await end;
    assert.deepEqual([killed.code, killed.out], [null, ""], killed.err);
  }
  const { code, out, err } = await ended(start());
  assert.equal(code, 0, err);
  assert.ok(out.includes(PAID_WORDS), err);
  assert.ok(err.includes("The balance is USD:0.01."), err);
  assert.ok(existsSync(join(home, "wallet/records.log")));
});
