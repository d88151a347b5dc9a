// Reading by the part, on anybody's page: each part of an article is paid from the shop's budget when the reader comes to it.
//
//   <script type="module" src="https://shop.example/embed.js"></script>
//   <script type="module" src="https://shop.example/embed/budget.js"></script>
//   <script type="module" src="https://shop.example/embed/meter.js"></script>
//
// The shop hands out a part only after its tick is stored, and a part's receipt opens it again; so what was paid is read, and
// nothing is paid twice. Nothing is paid while the page is hidden, while the end of the text is out of sight, or after "Pause".

import { budgets, buy, call, keepReceipt, kept, make, open, said } from "../embed.js";

// For how long the end of what was read is to be seen before the next part is paid: whoever only scrolls past pays nothing.
const DWELL_MS = 600;

const WORDS = {
  en: {
    part: "Read as you go: {sum} a part",
    going: "{sum} so far, of at most {name}. The next part comes as you read.",
    paused: "{sum} so far, of at most {name}. Nothing more is paid until you go on.",
    done: "All of it is yours, for {sum}.",
    away: "{sum} so far. The shop does not answer; nothing is lost.",
    used: "{sum} so far, of at most {name}. Your budget here is used up.",
    go: "Go on for {sum} a part",
    pause: "Pause",
    stop: "Stop, and take the rest back",
  },
  ko: {
    part: "읽는 만큼 내기: 한 부분에 {sum}",
    going: "지금까지 {sum}, 많아야 {name}. 읽어 가면 다음 부분이 나옵니다.",
    paused: "지금까지 {sum}, 많아야 {name}. 이어서 읽기 전에는 더 내지 않습니다.",
    done: "이 글은 모두 당신 것입니다. {sum} 들었습니다.",
    away: "지금까지 {sum}. 상점이 응답하지 않습니다. 잃은 것은 없습니다.",
    used: "지금까지 {sum}, 많아야 {name}. 이곳 예산을 다 썼습니다.",
    go: "한 부분에 {sum} 내고 이어서 읽기",
    pause: "멈춤",
    stop: "그만 읽고 남은 돈 돌려받기",
  },
  ja: {
    part: "読んだ分だけ払う：一区切り{sum}",
    going: "ここまで{sum}、最大{name}。読み進むと続きが出ます。",
    paused: "ここまで{sum}、最大{name}。再開するまで支払いはありません。",
    done: "すべて読めるようになりました。{sum}かかりました。",
    away: "ここまで{sum}。ショップが応答しません。失われたものはありません。",
    used: "ここまで{sum}、最大{name}。ここの予算を使い切りました。",
    go: "一区切り{sum}で続ける",
    pause: "一時停止",
    stop: "やめて残りを戻す",
  },
};

// All that are read on this page: they share a shop's budget.
const readings = new Set();

// What the reader of one element has read, and what comes next.
export class Reading {
  static words = WORDS;
  // The numbers of the parts that are here.
  paid = new Set();
  body = make("div", { slot: "text", className: "tuppence-text", dir: "auto", tabIndex: -1 });
  // The end of the text: when it is seen, the next part is due.
  end = make("div", { ariaHidden: "true" });
  observer = new IntersectionObserver(([{ isIntersecting }]) => this.due(isIntersecting));

  constructor(element) {
    Object.assign(this, { element, article: element.article });
    this.signal = element.work.signal;
    element.words = { ...element.words, ...wordsOf(new.target, element) };
    this.end.style.height = "1px";
    this.body.append(this.end);
    this.signal.addEventListener("abort", () => this.over());
    // Bought as a whole meanwhile.
    element.addEventListener("tuppence-state", ({ detail }) => detail.state === "opening" && this.over(), { signal: this.signal });
    document.addEventListener("visibilitychange", () => this.watch(), { signal: this.signal });
  }

  over() {
    this.isOver = true;
    readings.delete(this);
    this.observer.disconnect();
    clearTimeout(this.timer);
    this.body.remove();
  }

  get count() {
    return this.paid.size;
  }

  // The part that is due.
  get next() {
    return this.count + 1;
  }

  // A part, as an article of its own.
  part(number) {
    const at = `/parts/${number}`;
    const { article } = this;
    return { ...article, src: article.src + at, url: article.url + at, price: article.meter.unit };
  }

  place() {
    readings.add(this);
    if (!this.body.isConnected) this.element.append(this.body);
  }

  async stop() {
    const { origin } = this.article.shop;
    await budgets.end(this.article.shop);
    for (const { article, element } of [...readings]) if (article.shop.origin === origin) element.again.act();
  }

  // Opens again what was paid before, and waits.
  async again() {
    this.place();
    this.show("paused");
    try {
      await this.reopen();
      await this.fetch();
      if (!this.isOver) this.show("paused");
    } catch {
      if (!this.isOver) this.show("away");
    }
  }

  async reopen() {
    while (this.receipt(this.next)) await this.take(this.receipt(this.next));
  }

  // What was approved in the wallet's window while this page was away waits at the shop.
  async fetch() {
    const next = this.part(this.next);
    const claim = this.claim();
    if (!claim) return;
    const outcome = await call(`${next.shop.origin}/api/v1/claims/take`, { claim });
    kept.put(`claim ${next.src}`);
    if (outcome.receipt ?? outcome.budget) await this.take(await keepReceipt(next, outcome));
    else if (!this.count) this.element.again.act();
  }

  receipt(number) {
    return number <= this.article.meter.parts ? kept.get(`receipt ${this.part(number).src}`) : undefined;
  }

  claim() {
    return kept.get(`claim ${this.part(this.next).src}`)?.claim;
  }

  // By a press: where there is no budget yet, the wallet's window opens, and nothing may be awaited before.
  go() {
    this.place();
    this.isGoing = true;
    // The next one is on its way.
    if (this.isBusy) return this.show("going");
    const next = this.part(this.next);
    const paid = this.receipt(this.next) ?? budgets.pay(next);
    this.pay(paid ?? this.ask(next));
  }

  ask(next, redirect = this.element.getAttribute("mode") === "redirect") {
    const { element } = this;
    element.show("paying", { status: element.words.paying, actions: [element.cancel] });
    const { more } = budgets;
    budgets.more = { budgets: "part" };
    const bought = buy(next, { signal: element.turn(), redirect });
    budgets.more = more;
    return bought;
  }

  async pay(paid) {
    if (this.isBusy) return;
    this.isBusy = true;
    try {
      await this.take(await paid);
      if (!this.isOver) this.show(this.isGoing ? "going" : "paused");
    } catch ({ code }) {
      this.isGoing = false;
      const redirect = { word: "redirect", act: () => this.ask(this.part(this.next), true) };
      if (code === "blocked") this.element.show(code, { actions: [redirect, this.element.again] });
      // The shop sells it otherwise by now, the reader has closed the window, or another tab has spent the budget.
      else if (/cancelled|center|article_unknown/.test(code)) this.element.again.act();
      else this.show("away");
    } finally {
      this.isBusy = false;
    }
    this.watch();
  }

  async take(receipt) {
    const { element, article } = this;
    if (receipt.subject === article.url) {
      // Paid as a whole, in the wallet's window.
      kept.put(`receipt ${this.part(this.next).src}`);
      kept.put(`receipt ${article.src}`, receipt);
      return element.again.act();
    }
    const number = Number(receipt.subject.split("/").pop());
    await this.add(receipt);
    if (this.isOver) return;
    this.paid.add(number);
    kept.put("wallet", true);
    element.tell("tuppence-part", { article, receipt, number });
  }

  async add(receipt) {
    const { text } = await open(this.article, receipt);
    if (!this.isOver) this.end.before(text);
  }

  // Looks whether the end is seen.
  watch() {
    this.observer.disconnect();
    if (this.isGoing && !this.isOver && this.count < this.article.meter.parts) this.observer.observe(this.end);
  }

  due(isSeen) {
    clearTimeout(this.timer);
    if (isSeen) this.timer = setTimeout(() => document.hidden || this.proceed(), DWELL_MS);
  }

  proceed() {
    if (!this.isGoing || this.isOver || this.isBusy) return;
    const paid = this.receipt(this.next) ?? budgets.pay(this.part(this.next));
    if (paid) return void this.pay(paid);
    this.isGoing = false;
    this.show("used");
  }

  pause() {
    this.isGoing = false;
    clearTimeout(this.timer);
    this.watch();
    this.show("paused");
  }

  show(word) {
    const { element, article, count } = this;
    const { unit, parts } = article.meter;
    if (count === parts) [word, this.isGoing] = ["done", false];
    const most = said(times(unit, parts), element.language);
    const status = element.say(word, { sum: times(unit, count), name: most });
    const lead = [make("p", { part: "over shop", dir: "auto" }, article.shop.title), make("h3", { part: "title", dir: "auto" }, article.title)];
    const pause = { word: "pause", act: () => this.pause() };
    const go = { word: "go", told: { sum: unit }, act: () => this.go() };
    const stop = { word: "stop", act: () => this.stop() };
    const actions = { going: [pause], done: [] }[word] ?? (budgets.has(article.shop) ? [go, stop] : [go]);
    element.show("reading", { main: element.hasAttribute("bare") ? [] : lead, status, actions });
  }
}

// So many units, exactly: digits alone are moved.
function times(unit, count) {
  const [currency, number] = unit.split(":");
  const [units, places = ""] = number.split(".");
  const digits = (BigInt(units + places.padEnd(6, "0")) * BigInt(count)).toString().padStart(7, "0");
  return `${currency}:${digits.slice(0, -6)}.${digits.slice(-6)}`;
}

const wordsOf = (Kind, { language }) => Kind.words[language.slice(0, 2)] ?? Kind.words.en;

// Offers an article by the part where it can be bought; who has begun goes on where it ended.
export function dress(element, Kind = Reading) {
  const { state, article, shadowRoot } = element;
  if (element.localName !== "tuppence-article" || state !== "ready" || !article.meter || !budgets.pay) return;
  // Sound and film are embed/stream.js's.
  if (!article.stream !== (Kind === Reading)) return;
  const reading = new Kind(element);
  if (reading.receipt(1) ?? reading.claim()) return void reading.again();
  const offer = wordsOf(Kind, element).part.replace("{sum}", () => said(article.meter.unit, element.language));
  const press = { type: "button", part: "button meter", onclick: () => reading.go() };
  shadowRoot.querySelector("[part=actions]").append(make("button", press, offer));
}

addEventListener("tuppence-state", ({ target }) => dress(target));
for (const element of document.querySelectorAll("tuppence-article")) dress(element);
