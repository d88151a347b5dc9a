/** An amount of money, such as "USD:0.03". */
export type Amount = string;
/** Milliseconds since the Unix epoch. */
export type Timestamp = number;

export interface OpenOptions {
  /** The payment center's origin; this page's own, unless given. */
  center?: string;
  /** The fingerprint of its key, base64url of SHA-256, to be pinned. Needs `center`. */
  fingerprint?: string;
  /** Where the records are kept; this browser's own database, unless given. Node.js has none: see `fileStorage`. */
  storage?: WalletStorage;
}

/** A place for a wallet's records other than a browser's database. Every promise that rejects is `storage_unavailable`,
 *  with the code "ENOSPC" `storage_full`. */
export interface WalletStorage {
  /** The record of this key. */
  read(key: string): Promise<Uint8Array | undefined>;
  /** Keys that begin with `prefix`, with their records, in ascending order. */
  list(prefix: string): Promise<[string, Uint8Array][]>;
  /** Writes all changes (null removes) or none, and resolves when they are on disk. Resolves to false, and writes
   *  nothing, if there is no record `required`. */
  commit(changes: [string, Uint8Array | null][], required: string | null): Promise<boolean>;
  /** Waits at most `patience` milliseconds until nobody else holds it. Resolves to what gives it back, or to null. */
  lock(patience: number): Promise<(() => void) | null>;
  /** The 32 secret bytes under which the secrets in the records are encrypted: made once, and always the same. */
  key(): Promise<Uint8Array>;
}

export interface HistoryPage {
  /** Only entries numbered below this. */
  before?: number;
  /** At most this many; 50 unless given. */
  limit?: number;
}

export interface PayOptions {
  /** The most that the reader has agreed to pay. */
  approved: Amount;
}

export interface PayUrlOptions {
  /** The most to pay. */
  max: Amount;
}

export interface ImportOptions {
  /** Give up the wallet that is here. */
  replace?: boolean;
}

/** What every promise of this API rejects with. */
export interface WalletError extends Error {
  name: "WalletError";
  /** Stable; docs/js-api.md lists them. */
  code: string;
  /** What to do next. */
  hint: string;
  retry: "never" | "later" | "after-resync" | "with-new-offer";
  /** What happened to the money: nothing; not known yet, it finishes by itself; it has moved. */
  money: "untouched" | "open" | "moved";
  /** The shop's reason, as HTML. Untrusted. */
  document?: string;
}

export interface Status {
  registered: boolean;
  center: CenterView | null;
  created: Timestamp | null;
  /** This browser had a wallet whose records are gone: restore it, or `startAnew`. */
  lost: boolean;
}

/** How the recovery words stand. */
export interface RecoveryState {
  /** A wallet from before there were words has none. */
  available: boolean;
  /** When they were last asked back, and known. */
  saved: Timestamp | null;
}

/** One of the recovery words, as somebody remembers it. */
export interface RememberedWord {
  /** Which of the twelve, from 1. */
  number: number;
  word: string;
}

export interface RestoreOptions {
  /** Give up the wallet that is here. */
  replace?: boolean;
}

export interface CenterView {
  name: string;
  origin: string;
  fingerprint: string;
  pinned: boolean;
  currency: string;
  balanceMax: Amount;
}

export interface Balance {
  amount: Amount;
  pending: PendingOperation[];
  last: HistoryEntry | null;
}

export interface Change {
  /** Whether the balance rose. */
  gain: boolean;
  amount: Amount;
}

export interface ShopRef {
  origin: string;
  name: string;
}

export interface HistoryEntry {
  number: number;
  at: Timestamp;
  kind: "registered" | "earned" | "paid" | "cash-out" | "cash-out-returned" | "cancelled" | "adjusted";
  change: Change;
  balanceAfter: Amount;
  shop?: ShopRef;
  title?: string;
  subject?: string;
  tranId?: string;
  receipt?: Receipt;
  note?: string;
}

/** The center's word that a transaction was completed (docs/protocol). */
export interface Receipt {
  kind: "issue" | "payment";
  vendorId: VendorId;
  tranId: string;
  subject: string;
  amount: Amount;
  date: Timestamp;
  secretId: number;
  seal: string;
}

export interface VendorId {
  dnsName: string;
  ipAddr?: string;
  serverName: string;
  port: number;
}

export interface HistoryDetail {
  entry: HistoryEntry;
  exchange: ExchangeStep[];
}

export interface ExchangeStep {
  /** The message in the patent's figure, such as "M4". */
  name: string;
  /** Its code, such as "GM4_1", or a refusal's. */
  code: string;
  sender: "buyer" | "seller" | "center";
  recipient: "buyer" | "seller" | "center";
  at: Timestamp;
  /** The message, as indented JSON. */
  body: string;
}

export interface PendingOperation {
  id: string;
  kind: "register" | "earn" | "pay" | "cash-out";
  stage: "asking" | "moving" | "confirming" | "cancelling";
  change: Change | null;
  shop: ShopRef | null;
  title: string | null;
  started: Timestamp;
  endsBy: Timestamp | null;
  cancellable: boolean;
  problem: Problem | null;
}

/** A WalletError as a plain object. */
export interface Problem {
  code: string;
  message: string;
  hint: string;
  retry: "never" | "later" | "after-resync" | "with-new-offer";
  money: "untouched" | "open" | "moved";
  document?: string;
}

export type Progress =
  | { step: "meeting-center" }
  | { step: "solving"; tried: number; expected: number }
  | { step: "registering" }
  | { step: "following" }
  | { step: "done" };

export interface ShopInfo {
  shop: ShopRef;
  description: string;
  accepted: boolean;
  /** What it asks readers to approve at once, where it takes budgets in scrip of its own. */
  budget?: string;
}

export interface CampaignCard {
  shop: ShopRef;
  item: string;
  kind: "quiz" | "survey" | "advertisement";
  title: string;
  sponsor: string;
  reward: Amount;
  minutes: number;
  questions: number;
  remaining: number | null;
  end: Timestamp | null;
  state: "open" | "pending" | "earned" | "missed";
}

export interface CampaignDetail {
  card: CampaignCard;
  intro: string;
  image: string | null;
  link: string | null;
  audience: string;
  questions: Question[];
}

export interface Question {
  text: string;
  kind: "choice" | "text";
  choices: Choice[];
}

export interface Choice {
  id: string;
  text: string;
}

export interface Earned {
  entry: HistoryEntry;
  /** What the shop says about it, as HTML. Untrusted. */
  document: string | null;
}

export interface ArticleCard {
  shop: ShopRef;
  slug: string;
  url: string;
  title: string;
  teaser: string;
  price: Amount;
  /** How it is sold by the part, for a budget; all parts together cost no more than `price`. */
  meter: { unit: Amount; parts: number } | null;
  date: Timestamp | null;
  authors: string[];
  tags: string[];
  image: string | null;
  owned: boolean;
}

export interface Paid {
  /** Whether money moved now; false if the article was paid before. */
  charged: boolean;
  article: LibraryEntry;
  text: ArticleText | null;
}

/** What came for an address. */
export interface Bought {
  /** Whether money moved now; false for what was paid before, and for what is free. */
  charged: boolean;
  /** Null for what is free. */
  article: LibraryEntry | null;
  /** Of what is free: as it was sent, without a title. */
  text: ArticleText;
}

export interface LibraryEntry {
  shop: ShopRef;
  slug: string;
  url: string;
  title: string;
  at: Timestamp;
  receipt: Receipt;
}

export interface ArticleText {
  title: string;
  /** Sanitised by the shop. Untrusted. */
  html: string;
}

export interface CashOutTerms {
  threshold: Amount;
  fee: Amount;
  balance: Amount;
  reached: boolean;
}

export interface CashOutOrder {
  tranId: string;
  number: number | null;
  amount: Amount;
  fee: Amount;
  destination: string;
  ordered: Timestamp;
  state: "ordered" | "confirmed" | "returned";
  changed: Timestamp;
  note: string | null;
  receipt: Receipt;
}

export interface StorageState {
  persisted: boolean | null;
  usedBytes: number | null;
  quotaBytes: number | null;
}

export type WalletEvent =
  | { type: "wallet" }
  | { type: "entry"; entry: HistoryEntry }
  | { type: "operation" }
  | { type: "records" };

export interface Wallet {
  /** Calls back on every event of this type, also from other tabs. Gives a function that ends it. */
  on<T extends WalletEvent["type"]>(
    event: T,
    callback: (event: Extract<WalletEvent, { type: T }>) => void,
  ): () => void;
}
