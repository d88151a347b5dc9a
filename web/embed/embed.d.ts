/** What everybody may know of a shop. */
export interface Shop {
  /** Where it is. */
  origin: string;
  title: string;
  /** Where the wallet is. */
  walletOrigin: string;
}

/** What everybody may know of an article. */
export interface Article {
  /** Its address, without query and fragment. */
  src: string;
  url: string;
  slug: string;
  title: string;
  teaser: string;
  /** Exact, such as `USD:0.004`. */
  price: string;
  /** Milliseconds since the Unix epoch. */
  date?: number;
  authors: string[];
  tags: string[];
  image?: string;
  /** How it is sold by the part, for a budget, where it is; all parts together cost no more than `price`. */
  meter?: { measure: "paragraph" | "page" | "minute" | { seconds: number }; unit: string; parts: number };
  /** Its sound or film, where it has one: `embed/stream.js` plays it. */
  stream?: { mediaType: string; seconds: number };
  shop: Shop;
}

/** That an article was paid. Who has it can open the article: keep it as you keep a key. */
export type Receipt = Record<string, unknown>;

/** How far the wallet is: its page is open, a wallet is being made, the balance is too small, its window is closed. */
export type Progress = "open" | "creating" | "short" | "closed";

/** An article up to its teaser. Throws `TuppenceError` with `article_unknown`, `unreachable` or `address`. */
export function info(src: string): Promise<Article>;

/**
 * Has the reader pay for an article in the wallet's window, and gives the receipt. Call it within a click, without waiting
 * for anything before: browsers open no window otherwise. Throws `TuppenceError` with `blocked`, `cancelled` or `center`.
 */
export function buy(
  article: Article,
  options?: {
    /** The wallet takes this page's place and comes back; the promise never ends, and the next page finds the receipt. */
    redirect?: boolean;
    told?: (progress: Progress) => void;
    /** Ends the waiting. What is paid already is not lost. */
    signal?: AbortSignal;
  },
): Promise<Receipt>;

/** The receipt that this page keeps for an article, if it was paid here. */
export function receiptOf(article: Article): Receipt | undefined;

/** What `embed/budget.js` adds, where a page loads it and can keep secrets (https, or this machine). */
export const budgets: {
  /** Pays an article from the budget that the reader has approved for its shop; `undefined` at once where there is none for it. */
  pay?(article: Article): Promise<Receipt> | undefined;
  /** Gives the rest of the budget at a shop back to the reader's wallet. */
  end?(shop: Article["shop"]): Promise<void>;
  /** The budget at a shop, if there is one. */
  has?(shop: Article["shop"]): unknown;
};

/** The text of an article that was paid, without anything in it that could act. */
export function open(article: Article, receipt: Receipt): Promise<{ title: string; text: DocumentFragment }>;

/** What went wrong: a code of the shop's (docs/protocol), or one of this script's. */
export class TuppenceError extends Error {
  code: string;
  /** Where the shop has answered: whether the same may be sent again (docs/protocol/errors.md). */
  retry?: string;
}

/** What an element shows, as its attribute `state` says it. */
export type State =
  | "loading"
  | "ready"
  | "free"
  | "paying"
  | "creating"
  | "short"
  | "closed"
  | "blocked"
  | "center"
  | "unreachable"
  | "withdrawn"
  | "opening"
  | "reading"
  | "paid"
  | "earned"
  | "missed"
  | "sold";

declare global {
  interface HTMLElementEventMap {
    "tuppence-state": CustomEvent<{ state: State }>;
    "tuppence-paid": CustomEvent<{ article: Article; receipt: Receipt }>;
    /** A part of an article that is read by the part (`embed/meter.js`) was paid, or opened again. */
    "tuppence-part": CustomEvent<{ article: Article; receipt: Receipt; number: number }>;
    "tuppence-earned": CustomEvent<{ item: string; reward: string }>;
  }
}
