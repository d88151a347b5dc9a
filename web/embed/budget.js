// Budgets on anybody's page: approved once in the wallet, then articles of that shop are paid here, without a window.
//
//   <script type="module" src="https://shop.example/embed.js"></script>
//   <script type="module" src="https://shop.example/embed/budget.js"></script>
//
// What pays is scrip of the shop (docs/protocol/vendor-scrip.md), in this site's own storage: whoever has it can spend it at
// that shop, and nothing else. A request is stored before it is sent, and what has no answer is sent again before anything
// else, by one tab at a time; so nothing is paid twice, and no change is lost.

import { TuppenceError, base64url, budgets, call, kept, make, said } from "../embed.js";

// How long before its end a budget is given back by this page.
const ENDS_EARLY_MS = 86_400_000;

const place = (shop) => `budget ${shop.origin}`;
const read = (shop) => kept.get(place(shop));

function write(shop, budget) {
  kept.put(place(shop), budget);
  dressAll();
}

// One tab at a time.
const alone = (shop, work) => navigator.locks.request(`tuppence ${place(shop)}`, work);

const left = (budget) => micros(budget?.holding.live?.scrip.value ?? "");
const covers = (budget, price) => budget && budget.holding.first.scrip.expires > Date.now() && left(budget) >= micros(price);

// Pays an article from the budget at its shop, and gives the receipt; `undefined` at once where there is no budget for it.
function pay(article) {
  const { shop } = article;
  if (!covers(read(shop), article.price)) return undefined;
  return alone(shop, async () => {
    await finish(shop);
    // Paid by now, by what had no answer, by another tab, or by a press before this one.
    const receipt = kept.get(`receipt ${article.src}`);
    if (receipt) return receipt;
    const budget = read(shop);
    // Another tab has spent it meanwhile.
    if (!covers(budget, article.price)) throw new TuppenceError("cancelled");
    const { holding } = budget;
    const request = { requestUrl: article.url, price: article.price, scrip: holding.live };
    request.hash = await seal(holding, "request", text(request.requestUrl), amount(request.price), record(scrip(request.scrip)));
    write(shop, { holding, asking: { request, src: article.src } });
    return finish(shop);
  });
}

// Sends what has no answer yet, and takes the answer: the change, and the receipt of what it paid.
async function finish(shop) {
  const { holding, asking } = read(shop) ?? {};
  if (!asking) return undefined;
  const { request, src } = asking;
  let sold;
  try {
    sold = await call(`${shop.origin}/api/v1/vendor-scrip/buy`, request);
  } catch (error) {
    // Without a clear no it may have been taken: the same is sent again the next time.
    if (error.retry !== "never") throw error;
    await refused(shop, holding);
    // What this page knows of the article is out of date: its price, or that it is sold.
    setTimeout(() => {
      for (const element of elements()) if (element.article?.src === src && element.state === "ready") element.again.act();
    });
    throw new TuppenceError("cancelled", error.message);
  }
  const { reply, delivery } = sold;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(delivery.document)));
  const change = reply.change && record(scrip(reply.change));
  const expected = await seal(holding, "reply", field(bytes(request.hash)), field(digest), change ?? ABSENT);
  if (expected !== reply.hash || base64url(digest) !== reply.digest || !isChange(request, reply.change)) {
    throw new TuppenceError("reply_invalid", "The shop's answer is not the one to this request.");
  }
  kept.put(`receipt ${src}`, delivery.receipt);
  write(shop, { holding: { ...holding, live: reply.change } });
  return delivery.receipt;
}

// What is left, and otherwise the same scrip, under another number.
function isChange({ price, scrip: shown }, change) {
  const rest = micros(shown.scrip.value) - micros(price);
  if (!change) return rest === 0n;
  const { value, id } = shown.scrip;
  const same = scrip({ scrip: { ...change.scrip, value, id }, certificate: shown.certificate }).join() === scrip(shown).join();
  const isOther = idType(change.scrip.id).join() !== idType(id).join();
  return rest > 0n && micros(change.scrip.value) === rest && isOther && same;
}

// The shop has refused. Where the budget stands as this page knows it, it stays; otherwise it is given back.
async function refused(shop, holding) {
  write(shop, { holding });
  try {
    const { redeemed, ended } = await ask(shop, holding, "standing");
    const spent = micros(holding.first.scrip.value) - left({ holding });
    if (ended || micros(redeemed) !== spent) await giveBack(shop, holding);
  } catch (error) {
    // The shop does not know it any more: the wallet has what there is to have of it.
    if (error.retry === "never") write(shop);
  }
}

// Ends the budget: the shop tells the center at once, which gives the rest to the wallet.
async function giveBack(shop, holding) {
  await ask(shop, holding, "end");
  write(shop);
}

async function ask(shop, holding, what) {
  const shown = holding.live ?? holding.first;
  const hash = await seal(holding, "return", record(scrip(shown)));
  return call(`${shop.origin}/api/v1/vendor-scrip/${what}`, { scrip: shown, hash });
}

function end(shop) {
  return alone(shop, async () => {
    // What has no answer is not held up by it: the shop has taken it, or does not know of it.
    await finish(shop).catch(() => {});
    const budget = read(shop);
    if (budget) await giveBack(shop, budget.holding);
  }).catch((error) => console.warn(`tuppence: the budget at ${shop.origin} goes on: ${error.message}`));
}

// Takes a budget that was approved for this page, and pays with it what it was approved for. It may come twice.
function take(article, holding) {
  const known = read(article.shop)?.holding.first.certificate;
  if (known !== holding.first.certificate) write(article.shop, { holding });
  return pay(article) ?? Promise.reject(new TuppenceError("cancelled"));
}

const WORDS = {
  en: { left: "{sum} left of your budget here.", short: "Your budget here has {sum} left: too little for this.", end: "Take the rest back" },
  ko: { left: "이곳 예산이 {sum} 남았습니다.", short: "이곳 예산은 {sum} 남아 이 글에는 모자랍니다.", end: "남은 돈 돌려받기" },
  ja: { left: "ここの予算の残りは{sum}です。", short: "ここの予算の残りは{sum}で、この記事には足りません。", end: "残りを戻す" },
};

const elements = () => document.querySelectorAll("tuppence-article");
const dressAll = () => elements().forEach(dress);

// Says under an article that can be bought what is left of the budget, and how to end it.
function dress(element) {
  if (element.localName !== "tuppence-article" || element.state !== "ready") return;
  const { shadowRoot, language, article } = element;
  const { shop, price } = article;
  const before = shadowRoot.querySelector("[part~=end]");
  before?.remove();
  const budget = read(shop);
  // Without a budget it says again what it says to everybody.
  if (!budget) return void (before && element.again.act());
  if (budget.holding.first.scrip.expires - Date.now() < ENDS_EARLY_MS) return void end(shop);
  const words = WORDS[language.slice(0, 2)] ?? WORDS.en;
  const sum = said(budget.holding.live?.scrip.value ?? price.replace(/[\d.]+/, "0"), language);
  const told = covers(budget, price) ? words.left : words.short;
  shadowRoot.querySelector("[part=status]").textContent = told.replace("{sum}", () => sum);
  const back = { type: "button", part: "button end", onclick: () => end(shop) };
  shadowRoot.querySelector("[part=actions]").append(make("button", back, words.end));
}

// The encoding that seals cover (docs/protocol/encoding.md)

const utf8 = (string) => new TextEncoder().encode(string);
const join = (...parts) => new Uint8Array(parts.flatMap((part) => [...part]));
const ABSENT = number(2 ** 32 - 1, 4);

function number(value, size) {
  const all = new DataView(new ArrayBuffer(8));
  all.setBigUint64(0, BigInt(value));
  return new Uint8Array(all.buffer, 8 - size);
}

const field = (part) => join(number(part.length, 4), part);
const record = (fields) => field(fields);
const text = (string) => field(utf8(string));
const amount = (sum) => join(text(sum.slice(0, 3)), field(number(micros(sum), 8)));
const idType = ({ secretId, serialNumber }) => record(join(field(number(secretId, 4)), field(number(serialNumber, 8))));

function vendor({ dnsName, ipAddr, serverName, port }) {
  return record(join(text(dnsName), ipAddr === undefined ? ABSENT : text(ipAddr), text(serverName), field(number(port, 2))));
}

function scrip({ scrip: { vendorId, value, id, customerId, expires, props }, certificate }) {
  const body = join(vendor(vendorId), amount(value), idType(id), idType(customerId), field(number(expires, 8)), text(props));
  return join(record(body), field(bytes(certificate)));
}

// Millionths, of a sum such as `USD:0.03`.
function micros(sum) {
  const [units, places = ""] = sum.slice(4).split(".");
  return BigInt(units + places.padEnd(6, "0"));
}

async function seal({ customerSecret }, name, ...fields) {
  const key = await crypto.subtle.importKey("raw", bytes(customerSecret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const message = join(utf8(`tuppence/vendor-scrip/${name}`), number(1, 2), ...fields);
  return base64url(new Uint8Array(await crypto.subtle.sign("HMAC", key, message)));
}

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));

// Hashes, locks and secrets are there for pages that nobody can change on their way: https, and this machine.
if (isSecureContext) {
  Object.assign(budgets, { more: { budgets: 1 }, pay, take, end, has: read });
  addEventListener("tuppence-state", ({ target }) => dress(target));
  addEventListener("storage", dressAll);
  dressAll();
}
