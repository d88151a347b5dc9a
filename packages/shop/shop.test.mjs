// Run by `cargo test -p tuppence-protocol --test shop_package`, or `node --test packages/shop/shop.test.mjs`.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, request as requestOf } from "node:http";
import { test } from "node:test";

import { decodeReceipt, paywall, Refused, verifyReceipt } from "./index.js";

const vectors = JSON.parse(readFileSync(new URL("../../protocol/vectors/scrip.json", import.meta.url), "utf8"));
const delivery = (code) => vectors.messages.find(({ wire }) => wire.header?.cmdType === code).wire;
const receipt = delivery("PM7_1").receipt;
const reward = delivery("GM7_1").receipt;
const credentials = { vendorId: receipt.vendorId, secrets: { secrets: { 5: vectors.secrets.vendor_secret } } };
const ARTICLE = "https://shop.example/articles/small-change";
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

test("the published receipt holds, and says what was paid", () => {
  const paid = verifyReceipt(decodeReceipt(encoded(receipt)), credentials, ARTICLE);
  assert.deepEqual(paid, {
    tranId: receipt.tranId,
    article: ARTICLE,
    amount: "USD:0.03",
    date: new Date(receipt.date),
  });
});

test("no receipt holds with anything in it changed", () => {
  const { ipAddr, ...elsewhere } = receipt.vendorId;
  const changes = {
    kind: ["issue", "Payment", ""],
    vendorId: [elsewhere, { ...receipt.vendorId, port: 443 }, { ...receipt.vendorId, x: 1 }, null, []],
    tranId: [reward.tranId, `${receipt.tranId}A`, `${receipt.tranId}=`, "", 1],
    subject: ["https://shop.example/articles/other", `${ARTICLE}/`, null, "\ud800", "x".repeat(3_000)],
    amount: ["USD:0.3", "EUR:0.03", "USD:0.030", "USD:00.03", "USD:9007199254.740992", 0.03],
    date: [receipt.date + 1, -1, 1.5, 2 ** 60, "1"],
    secretId: [4, 6, -1, "5", 2 ** 40, "__proto__"],
    seal: [reward.seal, receipt.seal.slice(1), `${receipt.seal}A`, "", null],
  };
  for (const [name, values] of Object.entries(changes)) {
    for (const value of values) {
      const changed = { ...receipt, [name]: value };
      assert.throws(() => verifyReceipt(changed, credentials, ARTICLE), Refused, `${name}: ${value}`);
    }
    const { [name]: _, ...without } = receipt;
    assert.throws(() => verifyReceipt(without, credentials, ARTICLE), Refused, `without ${name}`);
  }
  for (const none of [null, 1, "x", [], {}, { ...receipt, more: 1 }]) {
    assert.throws(() => verifyReceipt(none, credentials, ARTICLE), Refused);
  }
});

test("a receipt holds for its own article, shop and secret alone", () => {
  const refused = (...args) => assert.throws(() => verifyReceipt(...args), Refused);
  refused(receipt, credentials, "https://shop.example/articles/other");
  refused(reward, credentials, "coins-quiz");
  refused(receipt, { ...credentials, secrets: { secrets: { 5: vectors.secrets.session_key } } }, ARTICLE);
  refused(receipt, { ...credentials, secrets: { secrets: {} } }, ARTICLE);
  refused(receipt, { ...credentials, vendorId: { ...receipt.vendorId, dnsName: "other.example" } }, ARTICLE);
});

test("amounts that every implementation refuses are refused under a right seal too", () => {
  const { amounts } = JSON.parse(
    readFileSync(new URL("../../protocol/vectors/refused.json", import.meta.url), "utf8"),
  );
  for (const amount of amounts) {
    assert.throws(() => verifyReceipt({ ...receipt, amount }, credentials, ARTICLE), /amount does not fit/, amount);
  }
});

test("what is no receipt does not decode", () => {
  for (const text of [undefined, "", "=", "a b", "AAAA", encoded(receipt) + "=", "A".repeat(10_000)]) {
    assert.throws(() => decodeReceipt(text), Refused, String(text));
  }
});

const slugOf = (path) => (path === "/news/small-change" ? "small-change" : undefined);

/** A server with one article for sale and one page that is not. */
async function served(run, around = (handler) => handler, slug = slugOf) {
  const wall = paywall({
    credentials,
    origin: "https://news.example",
    storefront: "https://shop.example",
    wallet: "https://wallet.example",
    slug,
  });
  const server = createServer(
    around((request, response) =>
      wall(request, response, (error) => {
        if (error) response.statusCode = 500;
        response.end(request.tuppence?.paid ? "PAID" : `TEASER ${request.tuppence?.payUrl}`);
      }),
    ),
  );
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const base = `http://127.0.0.1:${server.address().port}`;
  const get = (path, headers = {}, signal) => fetch(base + path, { headers, redirect: "manual", signal });
  const post = (path, form) =>
    fetch(base + path, { method: "POST", body: new URLSearchParams(form), redirect: "manual" });
  try {
    await run({ get, post, base });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("a receipt by form becomes a cookie that opens its article", () =>
  served(async ({ get, post }) => {
    const before = await get("/news/small-change");
    const [, address, asked] = /^TEASER (.*)#(.*)$/.exec(await before.text());
    assert.equal(address, "https://wallet.example/approve?shop=https%3A%2F%2Fshop.example&article=small-change");
    const { for: page, claim, back } = Object.fromEntries(new URLSearchParams(asked));
    assert.deepEqual([page, back], ["https://news.example", "https://news.example/news/small-change"]);
    assert.match(before.headers.get("set-cookie"), new RegExp(`^tuppence_claim_small-change=${claim}\\.\\d+\\.[\\w-]{43}; Path=/news/small-change; Max-Age=86400; HttpOnly`));
    assert.equal(before.headers.get("cache-control"), "private, no-store");
    assert.match(before.headers.get("vary"), /Cookie, Authorization/);

    const opened = await post("/news/small-change", { receipt: encoded(receipt) });
    assert.equal(opened.status, 303);
    assert.equal(opened.headers.get("location"), "/news/small-change");
    const cookie = opened.headers.get("set-cookie");
    for (const part of ["HttpOnly", "SameSite=Lax", "Secure", "Path=/news/small-change"]) {
      assert.ok(cookie.includes(part), cookie);
    }
    const kept = cookie.split(";", 1)[0];
    assert.equal(await (await get("/news/small-change?from=mail", { cookie: `a=b; ${kept}` })).text(), "PAID");
    const forged = createHmac("sha256", "guess").update(ARTICLE).digest("base64url");
    for (const wrong of ["tuppence_paid=", "tuppence_paid", `tuppence_paid=${forged}`, kept.slice(0, -4)]) {
      assert.match(await (await get("/news/small-change", { cookie: wrong })).text(), /^TEASER/, wrong);
    }
  }));

test("a program reads with the receipt in a header, and a wrong one is refused", () =>
  served(async ({ get, post }) => {
    const authorization = `Tuppence ${encoded(receipt)}`;
    assert.equal(await (await get("/news/small-change", { authorization })).text(), "PAID");
    assert.match(await (await get("/news/small-change", { authorization: "Bearer x" })).text(), /^TEASER/);
    assert.equal((await get("/news/small-change", { authorization: "Tuppence x" })).status, 403);
    assert.equal((await get("/news/small-change", { authorization: "Tuppence" })).status, 403);
    const changed = encoded({ ...receipt, amount: "USD:3" });
    assert.equal((await post("/news/small-change", { receipt: changed })).status, 403);
    assert.equal((await post("/news/small-change", { receipt: "x".repeat(40_000) })).status, 413);
  }));

test("what is not sold, and other forms, pass untouched", () =>
  served(async ({ get, post }) => {
    const free = await get("/about");
    assert.equal(await free.text(), "TEASER undefined");
    assert.equal(free.headers.get("cache-control"), null);
    assert.equal((await post("/news/small-change", { comment: "hello" })).status, 200);
  }));

test("a form that a body parser has read already is taken from there", () =>
  served(
    async ({ post }) => assert.equal((await post("/news/small-change", { receipt: "ignored" })).status, 303),
    (handler) => (request, response) => {
      request.body = { receipt: encoded(receipt) };
      handler(request, response);
    },
  ));

const CLAIM = /^(tuppence_claim_small-change=([\w-]{22})\.\d+\.[\w-]{43});/;

/** A first visit: the cookie, and the claim in it. */
async function visit(get) {
  const [, cookie, claim] = CLAIM.exec((await get("/news/small-change")).headers.get("set-cookie"));
  return { cookie, claim };
}

/** Answers what is asked of the storefront, and gives the claims that were asked for. */
async function storefront(answer, run) {
  const asked = [];
  const network = globalThis.fetch;
  globalThis.fetch = async (address, options) => {
    if (!String(address).startsWith("https://shop.example/")) return network(address, options);
    assert.equal(`${options.method} ${address}`, "POST https://shop.example/api/v1/claims/take");
    const { claim } = JSON.parse(options.body);
    asked.push(claim);
    return Response.json(answer(claim));
  };
  try {
    await served(({ get }) => run(get, asked));
  } finally {
    globalThis.fetch = network;
  }
}

test("who comes back from the wallet reads on, by the receipt that waits at the storefront", () => {
  const waiting = new Map();
  return storefront((claim) => ({ receipt: waiting.get(claim) }), async (get, asked) => {
    const early = await visit(get);
    assert.deepEqual(asked, [], "a first visit asks nobody");
    // The wallet has not been there yet: the same claim, and nothing is paid.
    const second = await get("/news/small-change", { cookie: early.cookie });
    assert.match(await second.text(), new RegExp(`^TEASER .*&claim=${early.claim}&`));
    assert.equal(second.headers.get("set-cookie"), null);
    // A receipt that is not this article's opens nothing.
    for (const wrong of [reward, { ...receipt, amount: "USD:3" }, {}, null]) {
      const { cookie, claim } = await visit(get);
      waiting.set(claim, wrong);
      assert.match(await (await get("/news/small-change", { cookie })).text(), /^TEASER/);
      assert.equal(asked.at(-1), claim);
    }
    const { cookie, claim } = await visit(get);
    waiting.set(claim, receipt);
    const back = await get("/news/small-change", { cookie });
    assert.equal(await back.text(), "PAID");
    const paid = back.headers.get("set-cookie").split(";", 1)[0];
    assert.match(paid, /^tuppence_paid=/);
    asked.length = 0;
    assert.equal(await (await get("/news/small-change", { cookie: paid })).text(), "PAID");
    assert.equal((await get("/about", { cookie })).status, 200);
    assert.deepEqual(asked, [], "nobody else is asked");
  });
});

test("the storefront is asked for claims of this server alone, and not for old ones", () =>
  storefront(() => ({ receipt }), async (get, asked) => {
    const { cookie, claim } = await visit(get);
    const [, since, seal] = cookie.split("=")[1].split(".");
    const wrong = [
      claim,
      "../x",
      `${claim}.${since}`,
      `${claim}.${since}.${"A".repeat(43)}`,
      `${"A".repeat(22)}.${since}.${seal}`,
      `${claim}.${Number(since) + 1}.${seal}`,
      `${claim}.${since}.${seal}A`,
    ];
    for (const value of wrong) {
      const answer = await get("/news/small-change", { cookie: `tuppence_claim_small-change=${value}` });
      assert.match(await answer.text(), /^TEASER/, value);
      assert.match(answer.headers.get("set-cookie"), CLAIM, "and another one is given");
    }
    const now = Date.now;
    try {
      Date.now = () => now() + 25 * 60 * 60 * 1_000;
      assert.match(await (await get("/news/small-change", { cookie })).text(), /^TEASER/);
    } finally {
      Date.now = now;
    }
    assert.deepEqual(asked, []);
    assert.equal(await (await get("/news/small-change", { cookie })).text(), "PAID");
  }));

test("a claim is asked for once in a while, however often its cookie comes", () =>
  storefront(() => ({}), async (get, asked) => {
    const { cookie } = await visit(get);
    const all = Array.from({ length: 20 }, () => get("/news/small-change", { cookie }));
    for (const answer of await Promise.all(all)) assert.match(await answer.text(), /^TEASER/);
    assert.equal(asked.length, 1);
    const since = Date.now();
    while (asked.length < 2) {
      assert.ok(Date.now() - since < 20_000, "it is asked for again after a while");
      await get("/news/small-change", { cookie });
    }
  }));

test("many claims at once are not all asked for", () =>
  storefront(() => new Promise(() => {}), async (get, asked) => {
    const visits = await Promise.all(Array.from({ length: 300 }, () => visit(get)));
    const stop = new AbortController();
    const all = visits.map(({ cookie }) => get("/news/small-change", { cookie }, stop.signal));
    // Those beyond the limit are answered at once, the others when the storefront is.
    let answered = 0;
    await new Promise((done) => all.forEach((one) => one.then(() => ++answered === 300 - 256 && done(), () => {})));
    assert.equal(asked.length, 256);
    stop.abort();
  }));

test("a storefront that doesn't answer leaves the teaser", () =>
  storefront(
    () => {
      throw new TypeError("fetch failed");
    },
    async (get, asked) => {
      const { cookie, claim } = await visit(get);
      const answer = await get("/news/small-change", { cookie });
      assert.equal(answer.status, 200);
      assert.match(await answer.text(), /^TEASER/);
      assert.deepEqual(asked, [claim]);
    },
  ));

/** A request with just this path, which `fetch` would tidy up. */
function raw(base, method, path, body) {
  return new Promise((answered, failed) => {
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    const { hostname: host, port } = new URL(base);
    const request = requestOf({ host, port, method, path, headers }, (response) => answered(response.resume()));
    request.on("error", failed).end(body);
  });
}

test("no path leads to another host, or adds an attribute to a cookie, however loosely articles are named", () =>
  served(
    async ({ base }) => {
      const form = `receipt=${encoded(receipt)}`;
      const plain = await raw(base, "POST", "/a/small-change", form);
      assert.deepEqual([plain.statusCode, plain.headers.location], [303, "/a/small-change"]);
      const odd = ["//evil.example/small-change", "/\\evil.example/small-change", "/a;Domain=example/small-change"];
      for (const path of odd) {
        for (const method of ["GET", "POST"]) {
          const { statusCode, headers } = await raw(base, method, path, method === "POST" ? form : undefined);
          assert.deepEqual([statusCode, headers.location, headers["set-cookie"]], [404, undefined, undefined], path);
        }
      }
    },
    undefined,
    (path) => (path.endsWith("/small-change") ? "small-change" : undefined),
  ));

test("an article below another one's path has a claim of its own", () =>
  served(
    async ({ get }) => {
      const above = (await get("/news")).headers.get("set-cookie").split(";", 1)[0];
      const below = await get("/news/small-change", { cookie: above });
      assert.match(below.headers.get("set-cookie"), /^tuppence_claim_small-change=/);
      assert.ok(!(await below.text()).includes(above.split("=")[1]), "the claim of the article above is not handed on");
    },
    undefined,
    (path) => slugOf(path) ?? (path === "/news" ? "news" : undefined),
  ));
