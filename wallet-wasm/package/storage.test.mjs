// The places for records keep what WalletStorage promises: `cargo xtask package --check` runs this.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { fileStorage, memoryStorage } from "./storage.js";

const bytes = (text) => new TextEncoder().encode(text);
const text = (record) => new TextDecoder().decode(record);
const here = fileURLToPath(new URL("./storage.js", import.meta.url));

function folder(context) {
  const path = mkdtempSync(join(tmpdir(), "tuppence-storage-"));
  context.after(() => rmSync(path, { recursive: true }));
  return join(path, "wallet");
}

for (const [kind, make] of [["memory", () => memoryStorage()], ["file", (context) => fileStorage(folder(context))]]) {
  test(`${kind}: records are written together, listed in order, and need what they need`, async (context) => {
    const storage = make(context);
    assert.equal(await storage.commit([["a", bytes("1")]], "wallet"), false);
    assert.equal(await storage.read("a"), undefined);
    const all = [["a/2", bytes("two")], ["a/1", bytes("one")], ["b", bytes("b")], ["a/é", bytes("é")]];
    assert.equal(await storage.commit(all, null), true);
    assert.equal(await storage.commit([["b", null], ["c", bytes("c")]], "a/1"), true);
    const listed = await storage.list("a/");
    assert.deepEqual(listed.map(([name, record]) => [name, text(record)]), [["a/1", "one"], ["a/2", "two"], ["a/é", "é"]]);
    assert.equal(await storage.read("b"), undefined);
    assert.equal((await storage.key()).length, 32);
    assert.deepEqual(await storage.key(), await storage.key());
  });

  test(`${kind}: one holds the lock, and the others wait or give up`, async (context) => {
    const storage = make(context);
    const release = await storage.lock(1_000);
    assert.equal(await storage.lock(1), null);
    const waiting = storage.lock(10_000);
    release();
    (await waiting)();
  });
}

test("another program sees what was written, also after the log was written anew", async (context) => {
  const path = folder(context);
  const [here, there] = [fileStorage(path), fileStorage(path)];
  const large = new Uint8Array(50_000).fill(120);
  for (let round = 0; round < 20; round += 1) {
    await here.commit([["large", large], ["round", bytes(String(round))]], null);
    assert.equal(text(await there.read("round")), String(round));
  }
  assert.ok(statSync(join(path, "records.log")).size < 400_000, "what is old was left out");
  assert.deepEqual(await there.key(), await here.key());
  if (process.platform !== "win32") {
    for (const name of ["records.log", "key"]) assert.equal(statSync(join(path, name)).mode & 0o777, 0o600, name);
    assert.equal(statSync(path).mode & 0o777, 0o700);
  }
});

test("a change that a crash has cut off has not happened, wherever it was cut", async (context) => {
  const path = folder(context);
  await fileStorage(path).commit([["a", bytes("1")]], null);
  const log = join(path, "records.log");
  const whole = readFileSync(log);
  await fileStorage(path).commit([["a", bytes("2")], ["b", bytes("2")]], null);
  const both = readFileSync(log);
  for (let cut = whole.length; cut < both.length; cut += 1) {
    writeFileSync(log, both.subarray(0, cut));
    const storage = fileStorage(path);
    assert.equal(text(await storage.read("a")), "1", `cut at ${cut}`);
    await storage.commit([["c", bytes("3")]], "a");
    const again = fileStorage(path);
    assert.deepEqual((await again.list("")).map(([name, record]) => name + text(record)), ["a1", "c3"]);
  }
  writeFileSync(log, Buffer.concat([whole.subarray(0, 40), Buffer.from("!"), whole.subarray(41), both]));
  await assert.rejects(fileStorage(path).read("a"), /damaged/, "what was changed in the middle is no crash");
});

test("a program that was killed holds no lock", async (context) => {
  const path = folder(context);
  const script = `import { fileStorage } from ${JSON.stringify(here)};
    await fileStorage(${JSON.stringify(path)}).lock(1000); console.log("held"); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const storage = fileStorage(path);
  assert.equal(await storage.lock(100), null, "it lives");
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("exit", resolve));
  (await storage.lock(5_000))();
});

test("many programs at once lose no change", async (context) => {
  const path = folder(context);
  const script = `import { fileStorage } from ${JSON.stringify(here)};
    const storage = fileStorage(${JSON.stringify(path)});
    for (let round = 0; round < 20; round += 1) {
      const release = await storage.lock(30000);
      const count = Number(new TextDecoder().decode(await storage.read("count") ?? new Uint8Array([48])));
      await storage.commit([["count", new TextEncoder().encode(String(count + 1))]], null);
      release();
    }`;
  const children = [1, 2, 3, 4].map(() => spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit" }));
  const codes = await Promise.all(children.map((child) => new Promise((resolve) => child.once("exit", resolve))));
  assert.deepEqual(codes, [0, 0, 0, 0]);
  assert.equal(text(await fileStorage(path).read("count")), "80");
});
