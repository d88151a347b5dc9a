import type { IncomingMessage, ServerResponse } from "node:http";

/** Who a shop is, as its center knows it. */
export interface VendorId {
  dnsName: string;
  ipAddr?: string | null;
  serverName: string;
  port: number;
}

/** The file that the center's operator hands over: as secret as a key. */
export interface Credentials {
  vendorId: VendorId;
  secrets: { secrets: Record<string, string> };
}

/** What was paid. */
export interface Paid {
  tranId: string;
  /** The article's address at the storefront. */
  article: string;
  /** Such as `USD:0.03`. */
  amount: string;
  date: Date;
}

/** Why a receipt is not taken. */
export class Refused extends Error {
  readonly code: "receipt_invalid";
}

/** Reads the credentials file. Throws if it is none. */
export function loadCredentials(path: string): Credentials;

/** A receipt from its JSON in base64url. Throws {@link Refused}. */
export function decodeReceipt(text: string): unknown;

/** What `receipt` paid, if the center made it for this shop and this article. Throws {@link Refused}. */
export function verifyReceipt(receipt: unknown, credentials: Credentials, article: string): Paid;

export interface PaywallOptions {
  credentials: Credentials;
  /** This server's own origin, such as `https://news.example`: the wallet leads readers back to it. */
  origin: string;
  /** The storefront's origin, such as `https://shop.example`. */
  storefront: string;
  /** The wallet's origin, which is the center's. */
  wallet: string;
  /** The storefront's slug of the article at a path of this server; nothing where nothing is sold. */
  slug(path: string): string | null | undefined;
  /** Whether cookies go over HTTPS alone; false is for a trial on one's own machine. */
  secure?: boolean;
}

/** What a handler behind {@link paywall} finds as `request.tuppence`. */
export interface Access {
  /** Show the whole text. */
  paid: boolean;
  /** Where the reader pays, and comes back from. */
  payUrl: string;
}

/** A handler for Express, Connect and `http.createServer`. */
export function paywall(
  options: PaywallOptions,
): (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => Promise<void>;
