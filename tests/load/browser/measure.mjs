// What a payment costs the wallet in headless Chromium, against the real program: `cargo xtask bench` runs this, says where
// everything is, and gets figures as JSON. The wallet is its package, on a page that shows nothing, so that only its own
// work counts: messages, seals, storage, and the browser's part of them on the page's main thread.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const { CHROMEDRIVER, CHROMIUM, TUPPENCE_PACKAGE, TUPPENCE_PROGRAM, TUPPENCE_PAYMENTS } = process.env;
const HERE = dirname(fileURLToPath(import.meta.url));
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
];
const PRICE = "USD:0.0001";
// Those before are not counted: the engine has yet to compile the module.
const WARM_UP = 20;
const PAYMENTS = Number(TUPPENCE_PAYMENTS ?? 100);

const folder = mkdtempSync(join(tmpdir(), "tuppence-wallet-speed-"));
const processes = [];

function start(program, options) {
  const child = spawn(program, options, { stdio: "ignore" });
  processes.push(child);
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function answers(address) {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await fetch(address).then((answer) => answer.ok, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail(`waited in vain for ${address}`);
}

/** The page, and a shop with an article for each payment and one quiz that pays for all of them. */
function write() {
  const [site, content, campaigns] = ["site", "content", "campaigns"].map((name) => join(folder, name));
  for (const path of [site, content, campaigns]) mkdirSync(path);
  for (const name of ["index.html", "page.js"]) cpSync(join(HERE, name), join(site, name));
  cpSync(TUPPENCE_PACKAGE, join(site, "wallet"), { recursive: true });
  const article = (number) => `+++
title = "Number ${number}"
price = "${PRICE}"
date = 2026-02-10T21:30:00Z
authors = ["A. Writer"]
+++
What everybody may read.

<!-- more -->

What was paid for.
`;
  for (let number = 0; number < WARM_UP + PAYMENTS; number += 1) {
    writeFileSync(join(content, `number-${number}.md`), article(number));
  }
  writeFileSync(join(campaigns, "quiz.toml"), `kind = "quiz"
title = "One question"
sponsor = "Nobody"
intro = "It pays for the articles."
reward = "0.10"
budget = "2.00"
minutes = 1

[[questions]]
text = "How many pennies make a tuppence?"
choices = ["One", "Two"]
right = "Two"
`);
  return { site, content, campaigns };
}

async function measure() {
  const { site, content, campaigns } = write();
  const [center, shop, driver] = [await freePort(), await freePort(), await freePort()];
  start(TUPPENCE_PROGRAM, [
    "serve", "--data", join(folder, "data"), "--wallet-site", site, "--center-port", String(center),
    "--storefront-port", String(shop), "--content", content, "--campaigns", campaigns, "--challenge-bits", "4", "--log", "warn",
  ]);
  start(CHROMEDRIVER, [`--port=${driver}`]);
  await Promise.all([answers(`http://localhost:${shop}/health`), answers(`http://127.0.0.1:${driver}/status`)]);

  const call = async (method, path, body) => {
    const answer = await fetch(`http://127.0.0.1:${driver}${path}`, { method, body: body && JSON.stringify(body) });
    const { value } = await answer.json();
    assert.ok(answer.ok, JSON.stringify(value));
    return value;
  };
  const options = { binary: CHROMIUM, args: [...FLAGS, `--user-data-dir=${join(folder, "profile")}`] };
  const capabilities = { alwaysMatch: { browserName: "chrome", "goog:chromeOptions": options } };
  const begun = await call("POST", "/session", { capabilities });
  const session = `/session/${begun.sessionId}`;
  // A rejected promise fails the command.
  const run = (script, ...args) => call("POST", `${session}/execute/sync`, { script: `return (async () => {${script}})()`, args });
  const devTools = (cmd, params) => call("POST", `${session}/goog/cdp/execute`, { cmd, params });
  const counters = async () => {
    const { metrics } = await devTools("Performance.getMetrics", {});
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  };
  try {
    await call("POST", `${session}/timeouts`, { script: 60_000 });
    await call("POST", `${session}/url`, { url: `http://localhost:${center}/` });
    await run("while (!window.openWallet) await new Promise((resolve) => setTimeout(resolve, 20)); await openWallet()");
    const origin = `http://localhost:${shop}`;
    await run(`const shop = ${JSON.stringify(origin)};
      const [{ item }] = await wallet.campaigns(shop);
      const { questions } = await wallet.campaign(shop, item);
      await wallet.earn(shop, item, questions.map(({ choices }) => choices.find(({ text }) => text === "Two").id))`);
    // So that the counters are of the processor's time, not of the clock's.
    await devTools("Performance.enable", { timeDomain: "threadTicks" });
    // Of the page's main thread: everything, and of that scripts with the wallet's module, while `script` runs.
    const measured = async (script) => {
      const before = await counters();
      const elapsed = await run(`const begun = performance.now(); ${script}; return performance.now() - begun`);
      const after = await counters();
      const millis = (counter) => (after[counter] - before[counter]) * 1_000;
      return { elapsed, cpu: millis("TaskDuration"), script: millis("ScriptDuration") };
    };
    const idle = [];
    for (let times = 0; times < WARM_UP + PAYMENTS; times += 1) idle.push(await measured(""));
    const payments = [];
    for (let number = 0; number < WARM_UP + PAYMENTS; number += 1) {
      payments.push(await measured(`await wallet.pay(${JSON.stringify(origin)}, "number-${number}", { approved: "${PRICE}" })`));
    }
    const { browserName, browserVersion } = begun.capabilities;
    return figures(payments.slice(WARM_UP), idle.slice(WARM_UP), `${browserName} ${browserVersion}`);
  } finally {
    await call("DELETE", session);
  }
}

/** What measuring costs by itself is told, and taken off the processor times. */
function figures(payments, idle, name) {
  const of = (measured, figure, part) => quantile(measured.map((each) => each[figure]), part);
  const idleCpu = of(idle, "cpu", 0.5);
  return {
    name,
    payments: payments.length,
    cpu_millis: of(payments, "cpu", 0.5) - idleCpu,
    cpu_millis_p99: of(payments, "cpu", 0.99) - idleCpu,
    idle_millis: idleCpu,
    script_millis: of(payments, "script", 0.5) - of(idle, "script", 0.5),
    elapsed_millis: of(payments, "elapsed", 0.5),
  };
}

function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * part), sorted.length - 1)];
}

try {
  process.stdout.write(`${JSON.stringify(await measure())}\n`);
} finally {
  for (const child of processes) {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null && child.kill("SIGTERM")) await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}
