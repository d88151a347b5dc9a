// Tuppence on anybody's page: articles that are paid with e-cash, questions that earn some, and the way to the wallet.
//
//   <script type="module" src="https://shop.example/embed.js"></script>
//   <tuppence-article src="https://shop.example/articles/bread"></tuppence-article>
//
// This script holds no money. It asks for it in the wallet's own window, and gets a receipt, which opens the article at
// its shop any number of times. docs/publishing.md says how to use it, embed.d.ts what it exports.

// How long a receipt waits at the shop for the page that asked for it.
const WAITS_MS = 600_000;
const PATIENCE_MS = 15_000;

// What went wrong, by a `code`: the shop's own, or `unreachable`, `center`, `blocked`, `cancelled`, `address`.
export class TuppenceError extends Error {
  constructor(code, message = code, retry) {
    super(message);
    Object.assign(this, { code, retry });
  }
}

// What `embed/budget.js` adds, if a page loads it: it pays without the wallet's window. Scripts of several shops share it.
export const budgets = (globalThis.tuppenceBudgets ??= {});

// The shop

const shops = new Map();

// What everybody may know of an article: title, teaser, price, and where its shop and the wallet are.
export async function info(src) {
  const url = addressOf(src);
  const slug = /^\/articles\/([^/]+)$/.exec(url.pathname)?.[1];
  if (!slug) throw new TuppenceError("address", `"${src}" is no article's address.`);
  const [shop, article] = await Promise.all([shopAt(url.origin), call(`${url.origin}/api/v1/article/${slug}`)]);
  return { ...article, slug: decodeURIComponent(slug), src: url.origin + url.pathname, shop };
}

// The article that a receipt has paid for: its `title`, and its `text` as nodes without anything that could act.
export async function open(article, receipt) {
  const { title, document: html } = await call(`${article.shop.origin}/api/v1/articles/open`, receipt);
  return { title, text: harmless(html) };
}

// The receipt that this page keeps for an article, if it was paid here.
export const receiptOf = (article) => kept.get(`receipt ${article.src}`);

function addressOf(src) {
  const url = URL.canParse(src ?? "", document.baseURI) && new URL(src, document.baseURI);
  if (!url || !/^https?:$/.test(url.protocol)) throw new TuppenceError("address", `"${src}" is no web address.`);
  return url;
}

function shopAt(origin) {
  if (!shops.has(origin)) {
    const asked = call(`${origin}/api/v1/shop`);
    asked.catch(() => shops.delete(origin));
    shops.set(origin, asked);
  }
  return shops.get(origin);
}

export async function call(address, message) {
  const body = message && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(message) };
  const signal = AbortSignal.timeout(PATIENCE_MS);
  let response, answer;
  try {
    response = await fetch(address, { ...body, signal, credentials: "omit", keepalive: true });
    answer = await response.json();
  } catch (error) {
    throw new TuppenceError("unreachable", `${address}: ${error.message}`);
  }
  if (!response.ok) throw new TuppenceError(answer.code, answer.message, answer.retry);
  return answer;
}

// Asking in the wallet's window

// Has the reader pay for an article of `info`, in the wallet's window. Call it within a click: browsers open no window
// otherwise. With `redirect` the wallet takes this page's place, and comes back. Gives the receipt.
export function buy(article, { redirect, told, signal } = {}) {
  const key = `claim ${article.src}`;
  const claim = waiting(article) ?? randomText();
  kept.put(key, { claim, since: Date.now() });
  const path = `/approve?${new URLSearchParams({ shop: article.shop.origin, article: article.slug })}`;
  return ask({ shop: article.shop, path, claim, more: budgets.more, redirect, told, signal }).then((outcome) => keepReceipt(article, outcome));
}

export async function keepReceipt(article, { receipt, budget }) {
  receipt ??= await budgets.take(article, budget);
  kept.put(`receipt ${article.src}`, receipt);
  kept.put(`claim ${article.src}`);
  return receipt;
}

// The claim under which a receipt may be on its way, if this page was left or loaded anew while it was paid.
function waiting(article) {
  const { claim, since } = kept.get(`claim ${article.src}`) ?? {};
  return Date.now() - since < WAITS_MS ? claim : undefined;
}

// Leads to `path` of the wallet. What it needs to know stands behind the `#`, which no server sees.
function ask({ shop, path, claim, more, redirect, told, signal }) {
  const asked = new URLSearchParams({ for: location.origin, claim, ...more, ...(redirect && { back: location.href }) });
  const address = `${shop.walletOrigin}${path}#${asked}`;
  if (redirect) {
    location.assign(address);
    return new Promise(() => {});
  }
  // By its name, a window that is still open comes to the front.
  const popup = window.open(address, claim, "popup,width=480,height=860");
  if (!popup) return Promise.reject(new TuppenceError("blocked"));
  return hear({ shop, claim, popup, told, signal });
}

// Waits for the outcome: by the wallet's own message, or, where the browser has cut the line between the two windows or
// one of them is gone, by the receipt that the wallet has left at the shop.
function hear({ shop: { origin: seller, walletOrigin: wallet }, claim, popup, told = () => {}, signal }) {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const heard = { signal: over.signal };
    const end = (settle, outcome) => (over.abort(), settle(outcome));
    const cancelled = () => end(reject, new TuppenceError("cancelled"));
    const since = Date.now();
    let next;

    const listen = ({ origin, source, data }) => {
      if (origin !== wallet || (popup && source !== popup) || data?.type !== "tuppence" || data.claim !== claim) return;
      if (data.event === "paid" || data.event === "earned") end(resolve, data);
      else if (data.event === "cancelled") cancelled();
      else told(data.event);
    };
    const look = async () => {
      clearTimeout(next);
      // A timer that was left behind.
      if (over.signal.aborted) return;
      if (popup?.closed) told("closed");
      const outcome = (await call(`${seller}/api/v1/claims/take`, { claim }).catch(() => {})) ?? {};
      if (over.signal.aborted) return;
      const age = Date.now() - since;
      if (outcome.receipt ?? outcome.budget) end(resolve, outcome);
      else if (age > WAITS_MS) cancelled();
      else next = setTimeout(look, age < 60_000 ? 2_000 : 6_000);
    };

    signal?.addEventListener("abort", cancelled, heard);
    addEventListener("message", listen, heard);
    addEventListener("focus", look, heard);
    next = setTimeout(look, popup ? 2_000 : 0);
    if (popup) isThere(wallet).then((there) => there || over.signal.aborted || (popup.close(), end(reject, new TuppenceError("center"))));
  });
}

// Whether the wallet's site answers at all. A page whose policy forbids the question is none the wiser.
async function isThere(wallet) {
  let forbidden = false;
  const note = () => (forbidden = true);
  document.addEventListener("securitypolicyviolation", note);
  try {
    await fetch(`${wallet}/health`, { mode: "no-cors", credentials: "omit", signal: AbortSignal.timeout(PATIENCE_MS) });
    return true;
  } catch {
    // The browser tells of a violation in a task of its own, Firefox after a while.
    await new Promise((resolve) => setTimeout(resolve, 500));
    return forbidden;
  } finally {
    document.removeEventListener("securitypolicyviolation", note);
  }
}

const randomText = () => base64url(crypto.getRandomValues(new Uint8Array(16)));

export function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replace(/\W/g, (sign) => ({ "+": "-", "/": "_" })[sign] ?? "");
}

// What this site keeps for itself; for this page alone, where the browser keeps nothing.
export const kept = {
  here: new Map(),
  get(key) {
    try {
      return JSON.parse(localStorage.getItem(`tuppence ${key}`)) ?? this.here.get(key);
    } catch {
      return this.here.get(key);
    }
  },
  // Without a value, nothing is kept any more.
  put(key, value) {
    this.here.set(key, value);
    try {
      if (value) localStorage.setItem(`tuppence ${key}`, JSON.stringify(value));
      else localStorage.removeItem(`tuppence ${key}`);
    } catch {}
  },
};

// The article's text. Its shop has made it harmless already; this page need not rely on that.

const names = (text) => new Set(text.split(" "));
const TAGS = names(
  "a abbr article aside b bdi bdo blockquote br caption cite code col colgroup dd del details div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li nav ol p pre q rt ruby s section small span strong sub summary sup table tbody td tfoot th thead time tr u ul var wbr",
);
const ATTRIBUTES = names("alt colspan dir height href lang rowspan src start title width");

let policy;
try {
  policy = globalThis.trustedTypes?.createPolicy("tuppence", { createHTML: (html) => html });
} catch {
  console.warn("tuppence: articles need `trusted-types tuppence`.");
}

function harmless(html) {
  const { body } = new DOMParser().parseFromString(policy?.createHTML(html) ?? html, "text/html");
  for (const element of body.querySelectorAll("*")) {
    if (!TAGS.has(element.localName)) element.remove();
    for (const { name, value } of [...element.attributes]) {
      const leads = name === "href" || name === "src";
      if (!ATTRIBUTES.has(name) || (leads && !/^(https?:\/\/|#|mailto:)/i.test(value))) element.removeAttribute(name);
    }
    if (element.localName === "a") element.rel = "noopener";
  }
  const text = document.createDocumentFragment();
  text.append(...body.childNodes);
  return text;
}

// Saves an article as a file that needs nothing else, pictures included.
async function save(article, title, nodes) {
  const file = document.implementation.createHTMLDocument(title);
  const put = (name, properties, place = file.head) => place.appendChild(Object.assign(file.createElement(name), properties));
  put("meta", { httpEquiv: "Content-Security-Policy", content: "default-src 'none'; img-src data:; style-src 'unsafe-inline'" });
  put("meta", { name: "viewport", content: "width=device-width" });
  put("style", { textContent: ":root{color-scheme:light dark}body{max-width:38rem;margin:auto;padding:1rem;line-height:1.6}img{max-width:100%;height:auto}" });
  put("h1", { textContent: title }, file.body);
  file.body.append(...[...nodes].map((node) => file.importNode(node, true)));
  put("a", { href: article.url, textContent: article.url }, file.body);
  for (const picture of file.querySelectorAll("img[src]")) {
    const data = await within(picture.getAttribute("src")).catch(() => undefined);
    if (data) picture.src = data;
    else picture.remove();
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["<!doctype html><meta charset=utf-8>\n", file.documentElement.outerHTML], { type: "text/html" }));
  link.download = `${article.slug}.html`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), WAITS_MS);
}

async function within(address) {
  const picture = await (await fetch(address, { credentials: "omit" })).blob();
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = reject;
    reader.readAsDataURL(picture);
  });
}

// Words

const LANGUAGES = /^(en|ko|ja)\b/;

const ENGLISH = {
  loading: "One moment",
  read: "Read for {sum}",
  ready: "Paid with small change from your wallet.",
  new: "No account, no card: a wallet takes seconds, and an answer earns your first cents.",
  paying: "Go on in the wallet’s window.",
  creating: "Make your wallet in its window. The article comes right after.",
  short: "You need a little more. Earn it in the wallet’s window. The article comes right after.",
  closed: "Waiting for the wallet. If its window is closed, open it again: nothing is paid twice.",
  reopen: "Open the wallet again",
  cancel: "Not now",
  blocked: "Your browser has not opened the wallet’s window.",
  redirect: "Go to the wallet",
  paid: "Yours. It opens again at any time.",
  save: "Save as a file",
  withdrawn: "This article is not sold any more.",
  unreachable: "The shop does not answer.",
  center: "The payment center does not answer. Nothing was paid.",
  again: "Try again",
  free: "This article is free.",
  visit: "Read it",
  earn: "Send my answers and earn {sum}",
  by: "{name} pays for your answers.",
  earned: "You have earned {sum}.",
  sold: "All rewards are given out.",
  missed: "No reward this time. Nothing is lost.",
  wallet: "My wallet",
};

// How the hundredth of a currency is written, where people write it.
const CENTS = { USD: "¢", CAD: "¢", AUD: "¢", NZD: "¢", EUR: "\u00a0ct", GBP: "p" };

// A sum such as `USD:0.004` as people say it: `0.4¢`. Digits alone are moved, so nothing is rounded.
export function said(amount, language) {
  const [currency, number] = amount.split(":");
  const [units, places = ""] = number.split(".");
  const shown = (options, digits) => new Intl.NumberFormat(language, options).format(digits);
  if (CENTS[currency] && /^0+$/.test(units) && /[1-9]/.test(places)) {
    const digits = places.padEnd(2, "0");
    return shown({ maximumFractionDigits: 4 }, `${digits.slice(0, 2)}.${digits.slice(2) || 0}`) + CENTS[currency];
  }
  const fine = places.length > 2 && { maximumFractionDigits: 6 };
  return shown({ style: "currency", currency, currencyDisplay: "narrowSymbol", ...fine }, number);
}

// The elements

const style = new CSSStyleSheet();
style.replaceSync(`
:host{display:block;margin-block:1.5rem;--ink:var(--tuppence-ink,light-dark(#2a1f17,#f5ecdf));--paper:var(--tuppence-paper,light-dark(#fffdf7,#211a15));--line:var(--tuppence-line,light-dark(#dccdb4,#45382d));--accent:var(--tuppence-accent,light-dark(#8b421b,#eda97e));--on-accent:var(--tuppence-on-accent,light-dark(#fffaf3,#2b1507))}
:host([hidden]){display:none}
:host(tuppence-balance){display:inline-block;margin:0}
:host(tuppence-balance) [part=card]{all:unset}
[part=card]{padding:clamp(1rem,4vw,1.5rem);color:var(--ink);background:var(--paper);border:1px solid var(--line);border-radius:var(--tuppence-radius,.875rem);font-family:var(--tuppence-font,inherit);line-height:1.5;overflow-wrap:anywhere}
h3,p{margin:0 0 .75rem}
h3{font-size:1.25em;line-height:1.3}
[part~=over],[part=status]{opacity:.8;font-size:.9em}
[part=actions]{display:flex;flex-wrap:wrap;gap:.75rem}
[part=actions]:empty,[part=status]:empty{display:none}
[part~=button]{min-height:2.75rem;box-sizing:border-box;padding:.6rem 1.25rem;font:inherit;font-weight:600;color:var(--ink);background:none;border:1px solid var(--line);border-radius:9rem;cursor:pointer;text-decoration:none}
[part~=primary]{color:var(--on-accent);background:var(--accent);border-color:var(--accent)}
:focus-visible{outline:3px solid;outline-offset:2px}
fieldset{border:0;margin:0 0 1rem;padding:0}
legend{font-weight:600}
label{display:flex;gap:.5rem;align-items:center;min-height:2.75rem}
textarea{box-sizing:border-box;width:100%;min-height:5rem;font:inherit;color:inherit;background:none;border-radius:.5rem;padding:.5rem}
::slotted(*){margin-block-end:1rem;outline:none}
`);

export function make(name, properties = {}, ...children) {
  const { part, ...rest } = properties;
  const element = Object.assign(document.createElement(name), rest);
  if (part) element.part = part;
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

// What the three elements share: a state that styles and tests can see, words, and a place to draw.
class Piece extends HTMLElement {
  static observedAttributes = ["src", "campaign"];
  #status = make("p", { part: "status", role: "status" });
  #main = make("div", { part: "main" });
  #actions = make("div", { part: "actions" });
  language = "en";
  words = ENGLISH;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [style];
    root.append(make("section", { part: "card" }, this.#main, make("slot", { name: "text" }), this.#status, this.#actions));
  }

  connectedCallback() {
    this.work?.abort();
    const { signal } = (this.work = new AbortController());
    this.learn().catch(() => {}).then(() => signal.aborted || this.begin(signal));
  }

  disconnectedCallback() {
    this.work.abort();
  }

  attributeChangedCallback() {
    if (this.work && this.isConnected) this.connectedCallback();
  }

  // The words in the language of the page or, if there are none, of the reader. Other languages than English are data at
  // the shop.
  async learn() {
    const wanted = [this.closest("[lang]")?.lang, ...navigator.languages];
    this.language = wanted.find((tag) => LANGUAGES.test(tag)) ?? "en";
    const [, name] = LANGUAGES.exec(this.language);
    if (name === "en") return;
    const { origin } = addressOf(this.getAttribute("src"));
    this.words = { ...ENGLISH, ...(await call(`${origin}/embed/${name}.json`).catch(() => {})) };
  }

  say(word, { sum, name } = {}) {
    return this.words[word].replace("{sum}", () => said(sum, this.language)).replace("{name}", () => name);
  }

  get state() {
    return this.getAttribute("state");
  }

  again = { word: "again", act: () => this.connectedCallback() };
  cancel = { word: "cancel", act: () => this.asked.abort() };

  unreachable() {
    this.show("unreachable", { actions: [this.again] });
  }

  // Shows a state: what it is about, what there is to know, and what there is to do.
  show(state, { main = [], status = this.words[state], actions = [] } = {}) {
    const focused = this.shadowRoot.activeElement;
    const changed = this.state !== state;
    this.setAttribute("state", state);
    this.#main.replaceChildren(...main);
    if (this.#status.textContent !== status) this.#status.textContent = status;
    const button = ({ word, told, act, href }, index) => {
      const look = index ? "button" : "button primary";
      const does = href ? { href } : { type: "button", onclick: act };
      return make(href ? "a" : "button", { part: look, ...does }, this.say(word, told));
    };
    this.#actions.replaceChildren(...actions.map(button));
    // Who was at a button stays where the buttons are.
    if (focused && !focused.isConnected) (this.#actions.firstElementChild ?? this.#status).focus();
    if (changed) this.tell("tuppence-state", { state });
  }

  // The signal that ends one asking of the wallet: with the element, by the reader, or because the next one begins.
  turn() {
    this.asked?.abort();
    this.asked = new AbortController();
    this.work.signal.addEventListener("abort", () => this.asked.abort());
    return this.asked.signal;
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

// An article: teaser, price, the way to pay, and the text.
class TuppenceArticle extends Piece {
  article;

  async begin(signal) {
    this.querySelector(":scope > [slot=text]")?.remove();
    this.#show("loading");
    try {
      // Where this page's policy lets nothing be shown, nothing is sold.
      harmless("");
      this.article = await info(this.getAttribute("src"));
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
      return;
    }
    if (signal.aborted) return;
    const paid = (receipt) => receipt && !this.#isPaid && this.#open(receipt);
    const elsewhere = () => paid(receiptOf(this.article));
    addEventListener("storage", elsewhere, { signal });
    document.addEventListener("tuppence-paid", elsewhere, { signal });
    const receipt = receiptOf(this.article);
    if (receipt) return this.#open(receipt);
    this.#show(/[1-9]/.test(this.article.price) ? "ready" : "free");
    // Paid while this page was away.
    const claim = waiting(this.article);
    if (claim) hear({ shop: this.article.shop, claim, signal }).then((outcome) => keepReceipt(this.article, outcome)).then(paid, () => {});
  }

  get #isPaid() {
    return /paid|opening/.test(this.state);
  }

  #pay(redirect = this.getAttribute("mode") === "redirect") {
    const signal = this.turn();
    this.#show("paying");
    const told = (event) => this.#show(/creating|short|closed/.test(event) ? event : "paying");
    (budgets.pay?.(this.article) ?? buy(this.article, { redirect, told, signal })).then(
      (receipt) => this.#isPaid || this.#open(receipt, true),
      (error) => signal === this.asked.signal && !this.work.signal.aborted && !this.#isPaid && this.#fail(error),
    );
  }

  async #open(receipt, now = false) {
    const { signal } = this.work;
    const article = this.article;
    const isAt = now || this.shadowRoot.activeElement;
    this.#show("opening");
    this.asked?.abort();
    let title, text;
    try {
      ({ title, text } = await open(article, receipt));
    } catch (error) {
      // The shop's word that it doesn't know this receipt: it can be paid anew.
      const unknown = /receipt_invalid|malformed/.test(error.code);
      if (unknown) kept.put(`receipt ${article.src}`);
      if (!signal.aborted) this.#fail(unknown ? new TuppenceError("cancelled") : error);
      return;
    }
    if (signal.aborted) return;
    this.querySelector(":scope > [slot=text]")?.remove();
    const body = make("div", { slot: "text", className: "tuppence-text", dir: "auto", tabIndex: -1 }, text);
    this.append(body);
    this.#show("paid", { act: () => save(article, title, body.childNodes) });
    // Who was at the button goes on reading where the text begins.
    if (isAt) body.focus({ preventScroll: true });
    if (now) this.tell("tuppence-paid", { article, receipt });
  }

  #fail(error) {
    const states = { article_unknown: "withdrawn", not_found: "withdrawn", cancelled: "ready", blocked: "blocked", center: "center" };
    if (error.code === "address") console.error(`tuppence: ${error.message}`);
    this.#show(states[error.code] ?? "unreachable");
  }

  #show(state, more) {
    const article = this.article;
    const lead = article && state !== "loading" && !this.hasAttribute("bare");
    const text = (name, part, words) => make(name, { part, dir: "auto" }, words);
    const main = lead ? [text("p", "over shop", article.shop.title), text("h3", "title", article.title)] : [];
    if (lead && state !== "paid") main.push(text("p", "teaser", article.teaser));
    const pay = { word: "read", told: { sum: article?.price }, act: () => this.#pay() };
    const reopen = { ...pay, word: "reopen" };
    const { cancel, again } = this;
    const shown = {
      ready: [kept.get("wallet") ? "ready" : "new", pay],
      opening: ["loading"],
      blocked: ["blocked", { word: "redirect", act: () => this.#pay(true) }, { ...pay, word: "again" }],
      paid: ["paid", { word: "save", ...more }],
      free: ["free", { word: "visit", href: article?.url }],
      center: ["center", { ...pay, word: "again" }],
      unreachable: ["unreachable", again],
    };
    const isAsking = /paying|creating|short|closed/.test(state);
    const [word, ...actions] = shown[state] ?? [state, ...(isAsking ? [reopen, cancel] : [])];
    if (state === "paid") kept.put("wallet", true);
    this.show(state, { main, status: this.say(word), actions });
  }
}

// A question that earns: answered here, rewarded in the wallet's window.
class TuppenceEarn extends Piece {
  #campaign;
  #shop;

  async begin(signal) {
    this.show("loading");
    try {
      const { origin } = addressOf(this.getAttribute("src"));
      this.#shop = await shopAt(origin);
      const { campaigns } = await call(`${origin}/api/v1/campaigns`);
      const wanted = this.getAttribute("campaign");
      const item = campaigns.find((one) => (wanted ? one.item === wanted : one.remaining !== 0))?.item;
      this.#campaign = item && (await call(`${origin}/api/v1/campaigns/${encodeURIComponent(item)}`));
    } catch (error) {
      if (!signal.aborted) this.unreachable();
      return;
    }
    if (signal.aborted) return;
    if (!this.#campaign || this.#campaign.remaining === 0) return this.show("sold");
    this.#ask();
  }

  #ask() {
    const { title, intro, audience, sponsor, reward, questions } = this.#campaign;
    const form = make("form", { part: "form", onsubmit: (event) => (event.preventDefault(), this.#send(form)) });
    questions.forEach(({ text, choices }, index) => {
      const name = `answer-${index}`;
      const fields = choices.map(({ id, text }) => make("label", { dir: "auto" }, make("input", { type: "radio", name, value: id, required: true }), text));
      const written = () => make("textarea", { name, required: true, maxLength: 2_000, ariaLabel: text, dir: "auto" });
      form.append(make("fieldset", { part: "question" }, make("legend", { dir: "auto" }, text), ...(fields.length ? fields : [written()])));
    });
    const button = make("button", { type: "submit", part: "button primary" }, this.say("earn", { sum: reward }));
    form.append(make("p", { part: "over audience", dir: "auto" }, audience), button);
    const heading = make("h3", { part: "title", dir: "auto" }, title);
    const main = [make("p", { part: "over sponsor" }, this.say("by", { name: sponsor })), heading, make("p", { part: "intro", dir: "auto" }, intro), form];
    this.show("ready", { main, status: "" });
  }

  #send(form) {
    const answers = this.#campaign.questions.map((_, index) => new FormData(form).get(`answer-${index}`));
    const shop = this.#shop;
    const path = `/earn/question?${new URLSearchParams({ shop: shop.origin, item: this.#campaign.item })}`;
    const claim = randomText();
    const signal = this.turn();
    const told = (event) => {
      if (event === "missed") this.show("missed");
      else this.show("paying", { status: this.words[event === "creating" ? event : "paying"], actions: [this.cancel] });
    };
    told("paying");
    const redirect = this.getAttribute("mode") === "redirect";
    ask({ shop, path, claim, more: { answers: JSON.stringify(answers) }, redirect, told, signal }).then(
      () => {
        kept.put("wallet", true);
        this.show("earned", { status: this.say("earned", { sum: this.#campaign.reward }) });
        this.tell("tuppence-earned", { item: this.#campaign.item, reward: this.#campaign.reward });
      },
      (error) => this.work.signal.aborted || this.state === "missed" || this.#fail(error),
    );
  }

  #fail({ code }) {
    const again = { word: "again", act: () => this.#ask() };
    if (code === "cancelled") this.#ask();
    else this.show(code, { status: this.words[code] ?? this.words.center, actions: [again] });
  }
}

// The way to the wallet. Only the wallet knows the balance: browsers keep its storage apart.
class TuppenceBalance extends Piece {
  async begin(signal) {
    try {
      const { walletOrigin } = await shopAt(addressOf(this.getAttribute("src")).origin);
      if (!signal.aborted) this.show("ready", { status: "", actions: [{ word: "wallet", act: () => window.open(walletOrigin, "_blank", "noopener") }] });
    } catch {
      if (!signal.aborted) this.unreachable();
    }
  }
}

const ELEMENTS = { "tuppence-article": TuppenceArticle, "tuppence-earn": TuppenceEarn, "tuppence-balance": TuppenceBalance };
// Two copies of this script on a page are one.
for (const [name, element] of Object.entries(ELEMENTS)) customElements.get(name) ?? customElements.define(name, element);
