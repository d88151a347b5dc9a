// Sound and film on anybody's page: what was paid plays, and some seconds at a time are paid while it plays.
//
//   <script type="module" src="https://shop.example/embed.js"></script>
//   <script type="module" src="https://shop.example/embed/budget.js"></script>
//   <script type="module" src="https://shop.example/embed/stream.js"></script>
//
// A player sends no receipts. So this page shows them to the shop, and gets an address that plays what they paid; what is paid
// later plays on at the same address. Nothing is paid while it stands still, or after "Pause".

import { call, kept, make, receiptOf } from "../embed.js";
import { Reading, dress } from "./meter.js";

// How long before a part begins it is paid, at most: as long as a payment and the player's buffer take.
const LEAD_S = 5;
// After so long without sound, more of the bytes is wanted than the time's share of them: the next part too.
const STALLED_MS = 1_500;
// And after so long with all of it paid, the line is lost, of which WebKit says nothing.
const LOST_MS = 4_000;
// Before the first new try of a player that has lost its line; each one waits twice as long, and after so many it is given up.
const AGAIN_MS = 2_000;
const TRIES = 6;
// After so long without a byte a line may have been cut, which Firefox takes for the end of the sound.
const STALE_MS = 40_000;
// Receipts that a shop takes at once.
const SHOWN_MAX = 64;

const WORDS = {
  en: {
    ...Reading.words.en,
    part: "Play as you go: {sum} a part",
    going: "{sum} so far, of at most {name}. The next part is paid as it plays.",
    go: "Play on for {sum} a part",
  },
  ko: {
    ...Reading.words.ko,
    part: "듣고 보는 만큼 내기: 한 부분에 {sum}",
    going: "지금까지 {sum}, 많아야 {name}. 재생되는 대로 다음 부분 값을 냅니다.",
    paused: "지금까지 {sum}, 많아야 {name}. 다시 재생하기 전에는 더 내지 않습니다.",
    go: "한 부분에 {sum} 내고 이어서 재생",
    stop: "그만하고 남은 돈 돌려받기",
  },
  ja: {
    ...Reading.words.ja,
    part: "再生した分だけ払う：一区切り{sum}",
    going: "ここまで{sum}、最大{name}。再生しながら次の分を払います。",
    done: "すべて再生できるようになりました。{sum}かかりました。",
    go: "一区切り{sum}で再生を続ける",
  },
};

// A player, and the receipts behind it.
class Player {
  receipts = [];

  constructor(article) {
    this.article = article;
    const name = article.stream.mediaType.startsWith("video/") ? "video" : "audio";
    this.media = make(name, { controls: true, playsInline: true, preload: "auto", className: "tuppence-player" });
    this.media.style.cssText = "display:block;width:100%";
    this.media.addEventListener("error", () => this.again(AGAIN_MS));
    const note = () => {
      // A new line begins at nought, and where an old one was cut, some are at the end before they are.
      if (this.media.ended || this.isNew) return;
      [this.at, this.since, this.tries] = [this.media.currentTime, Date.now(), 0];
    };
    for (const name of ["timeupdate", "seeking"]) this.media.addEventListener(name, note);
    // Before it knows its length, WebKit does not jump.
    this.media.addEventListener("loadedmetadata", () => {
      if (this.isNew && this.at) this.media.currentTime = this.at;
      this.isNew = false;
    });
  }

  // Opens to it what `receipts` have paid.
  async show(...receipts) {
    this.receipts.push(...receipts);
    try {
      await this.tell(receipts);
    } catch (error) {
      // The shop has forgotten the ticket.
      if (error.code !== "not_found" || !this.ticket) throw error;
      this.ticket = undefined;
      await this.tell(this.receipts);
    }
  }

  async tell(receipts) {
    for (let at = 0; at < receipts.length; at += SHOWN_MAX) {
      const shown = { ticket: this.ticket, receipts: receipts.slice(at, at + SHOWN_MAX) };
      const { ticket, address } = await call(`${this.article.shop.origin}/api/v1/streams`, shown);
      this.ticket = ticket;
      if (this.media.src !== address) this.media.src = address;
    }
  }

  // A new line, on which it plays on where it was.
  again(after = 0) {
    if (this.trying || this.tries > TRIES) return;
    const { media, tries = 0 } = this;
    const isPlaying = !media.paused || media.ended;
    this.tries = tries + 1;
    this.trying = setTimeout(async () => {
      try {
        this.ticket = undefined;
        await this.tell(this.receipts);
        this.isNew = true;
        media.load();
        this.since = Date.now();
        if (isPlaying) this.play();
        this.trying = undefined;
      } catch (error) {
        this.trying = undefined;
        if (media.isConnected && error.retry !== "never") this.again(AGAIN_MS);
      }
    }, after * 2 ** tries);
  }

  play() {
    if (this.media.ended || Date.now() - this.since > STALE_MS) this.again();
    // A browser that wants a press of its own leaves that to the player's button.
    this.media.play().catch(() => {});
  }
}

// What plays in one element, and which part of it is due.
class Listening extends Reading {
  static words = WORDS;
  player = new Player(this.article);

  constructor(element) {
    super(element);
    const { media } = this.player;
    for (const name of ["timeupdate", "playing"]) media.addEventListener(name, () => this.runs());
    for (const name of ["waiting", "seeking"]) media.addEventListener(name, () => this.waits());
    for (const name of ["play", "seeked"]) media.addEventListener(name, () => this.watch());
  }

  over() {
    super.over();
    clearTimeout(this.stalling);
    this.player.media.pause();
  }

  // The part that plays, or is about to; nothing where they are paid.
  get next() {
    const { meter, stream } = this.article;
    const { currentTime, duration } = this.player.media;
    const length = duration || stream.seconds;
    const at = (time) => Math.min(meter.parts, Math.floor((time / length) * meter.parts) + 1);
    const now = at(currentTime);
    const wanted = [now, at(currentTime + Math.min(LEAD_S, length / meter.parts / 2))];
    if (this.isStalled) wanted.push(Math.min(now + 1, meter.parts));
    return wanted.find((number) => !this.paid.has(number));
  }

  runs() {
    clearTimeout(this.stalling);
    this.isStalled = false;
    this.watch();
  }

  waits() {
    clearTimeout(this.stalling);
    this.stalling = setTimeout(() => {
      this.isStalled = true;
      this.stalling = setTimeout(() => this.next ?? this.player.again(), LOST_MS);
      this.watch();
    }, STALLED_MS);
    this.watch();
  }

  async reopen() {
    const numbers = Array.from({ length: this.article.meter.parts }, (_, index) => index + 1).filter((number) => this.receipt(number));
    if (!numbers.length) return;
    await this.player.show(...numbers.map((number) => this.receipt(number)));
    for (const number of numbers) this.paid.add(number);
    this.put();
  }

  claim() {
    return this.next && super.claim();
  }

  async fetch() {
    if (this.next) await super.fetch();
  }

  go() {
    if (this.next) return super.go();
    this.place();
    this.isGoing = true;
    this.player.play();
    this.show("going");
  }

  async add(receipt) {
    const isGap = Math.max(...this.paid) > Number(receipt.subject.split("/").pop());
    await this.player.show(receipt);
    if (this.isOver) return;
    this.put();
    // The player may have come through it already, and had nothing but zeros.
    if (isGap) this.player.again();
    if (this.isGoing) this.player.play();
  }

  put() {
    const { media } = this.player;
    if (!media.isConnected) this.body.prepend(media);
  }

  watch() {
    const { media } = this.player;
    if (media.isConnected && !media.paused && this.next) this.proceed();
  }

  pause() {
    this.player.media.pause();
    super.pause();
  }
}

// Puts a player over the text of what was paid as a whole; not into the text, which can be saved as a file.
async function show(element) {
  const { state, article, shadowRoot } = element;
  if (element.localName !== "tuppence-article" || state !== "paid" || !article.stream) return;
  const receipt = receiptOf(article);
  if (!receipt) return;
  const player = new Player(article);
  shadowRoot.querySelector("[part=main]").append(player.media);
  await player.show(receipt).catch(() => player.again());
}

function look(element) {
  dress(element, Listening);
  show(element);
}

addEventListener("tuppence-state", ({ target }) => look(target));
for (const element of document.querySelectorAll("tuppence-article")) look(element);
