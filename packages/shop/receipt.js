// Receipts (spec/01, rule 3): canonical encoding and seal, as in docs/protocol/encoding.md.

import { createHmac, timingSafeEqual } from "node:crypto";

const TAG = "tuppence/scrip/receipt";
const PROTOCOL_VERSION = 1;
const ABSENT = Buffer.from([0xff, 0xff, 0xff, 0xff]);
const MICROS_PER_UNIT = 1_000_000n;
// The largest number that JSON carries exactly; amounts end there (spec/README).
const MICROS_MAX = 2n ** 53n - 1n;
const RECEIPT_CHARS_MAX = 8_192;

/** Why a receipt is not taken. `code` is the protocol's. */
export class Refused extends Error {
  constructor(message) {
    super(message);
    this.name = "Refused";
    this.code = "receipt_invalid";
  }
}

/** A receipt from its JSON in base64url, as forms and the Authorization header carry it. */
export function decodeReceipt(text) {
  if (typeof text !== "string" || text.length > RECEIPT_CHARS_MAX || !/^[A-Za-z0-9_-]+$/.test(text)) {
    throw new Refused("The receipt does not decode.");
  }
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(text, "base64url")));
  } catch {
    throw new Refused("The receipt does not decode.");
  }
}

/**
 * What `receipt` paid, if the center made it for this shop and for the article at `article`.
 * Throws `Refused` otherwise, whatever `receipt` is.
 */
export function verifyReceipt(receipt, credentials, article) {
  const { terms, seal, secretId } = read(receipt);
  if (!vendor(receipt.vendorId).equals(vendor(credentials.vendorId))) {
    throw new Refused("The receipt is another shop's.");
  }
  if (receipt.kind !== "payment") throw new Refused("The receipt is for something else.");
  const ring = credentials.secrets.secrets;
  const secret = Object.hasOwn(ring, String(secretId)) ? fixed(ring[String(secretId)], 32) : undefined;
  const expected = secret && createHmac("sha256", secret).update(terms).digest();
  if (!expected || !timingSafeEqual(expected, seal)) {
    throw new Refused("The receipt was not made by the center.");
  }
  if (receipt.subject !== article) throw new Refused("The receipt is for another article.");
  const { tranId, subject, amount, date } = receipt;
  return { tranId, article: subject, amount, date: new Date(date) };
}

/** The bytes that the seal covers, the seal, and whose secret made it. */
function read(receipt) {
  const names = ["amount", "date", "kind", "seal", "secretId", "subject", "tranId", "vendorId"];
  object(receipt, names, names);
  const { kind, tranId, subject, amount, date, secretId } = receipt;
  if (kind !== "payment" && kind !== "issue") throw new Refused("The receipt's kind is unknown.");
  const version = Buffer.alloc(2);
  version.writeUInt16BE(PROTOCOL_VERSION);
  const terms = Buffer.concat([
    Buffer.from(TAG),
    version,
    text(kind, 10),
    field(vendor(receipt.vendorId)),
    field(fixed(tranId, 16)),
    text(subject, 2_048),
    money(amount),
    u64(date),
    whole(secretId, 4),
  ]);
  return { terms, seal: fixed(receipt.seal, 32), secretId };
}

function vendor(id) {
  object(id, ["dnsName", "serverName", "port"], ["dnsName", "ipAddr", "serverName", "port"]);
  const ip = id.ipAddr === undefined || id.ipAddr === null ? ABSENT : text(id.ipAddr, 45);
  return Buffer.concat([text(id.dnsName, 253), ip, text(id.serverName, 800), whole(id.port, 2)]);
}

function object(value, needed, known) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Refused("The receipt is no object.");
  }
  for (const name of needed) {
    if (!Object.hasOwn(value, name)) throw new Refused(`The receipt has no ${name}.`);
  }
  for (const name of Object.keys(value)) {
    if (!known.includes(name)) throw new Refused("The receipt has a field too many.");
  }
}

function field(bytes) {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function text(value, bytesMax) {
  const bytes = typeof value === "string" && value.isWellFormed?.() !== false ? Buffer.from(value) : undefined;
  if (!bytes || bytes.length > bytesMax) throw new Refused("A text of the receipt does not fit.");
  return field(bytes);
}

function whole(value, size) {
  if (!Number.isInteger(value) || value < 0 || value >= 256 ** size) {
    throw new Refused("A number of the receipt does not fit.");
  }
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  return field(bytes);
}

function u64(value) {
  if (!Number.isSafeInteger(value) || value < 0) throw new Refused("The receipt's date does not fit.");
  return field(bigEndian(BigInt(value)));
}

function bigEndian(value) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

/** `USD:0.03`: the currency, and exact millionths. */
function money(value) {
  const parts = typeof value === "string" && /^([A-Z]{3}):(0|[1-9]\d{0,15})(?:\.(\d{0,5}[1-9]))?$/.exec(value);
  if (!parts) throw new Refused("The receipt's amount does not fit.");
  const micros = BigInt(parts[2]) * MICROS_PER_UNIT + BigInt((parts[3] ?? "").padEnd(6, "0"));
  if (micros > MICROS_MAX) throw new Refused("The receipt's amount does not fit.");
  return Buffer.concat([field(Buffer.from(parts[1])), field(bigEndian(micros))]);
}

/** base64url without padding, of just so many bytes, in the one form that they have. */
function fixed(value, size) {
  const bytes = typeof value === "string" ? Buffer.from(value, "base64url") : Buffer.alloc(0);
  if (bytes.length !== size || bytes.toString("base64url") !== value) {
    throw new Refused("A value of the receipt does not decode.");
  }
  return bytes;
}
