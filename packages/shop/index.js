// A publisher's own server: takes receipts, keeps who has paid in a cookie, and says whether to show the whole text.

import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";

import { decodeReceipt, Refused, verifyReceipt } from "./receipt.js";

export { decodeReceipt, Refused, verifyReceipt };

const COOKIE = "tuppence_paid";
const CLAIM_COOKIE = "tuppence_claim";
// Who has read the teaser may take a day over paying. The storefront's ten minutes begin only when the receipt is left there.
const CLAIM_SECONDS = 24 * 60 * 60;
const STOREFRONT_MS_MAX = 5_000;
// A claim is asked for once in this time, and so many different ones: visitors can't have this server flood the storefront.
const CLAIM_AGAIN_MS = 1_000;
const CLAIMS_ASKED_MAX = 256;
// The longest that browsers keep a cookie; the receipt makes another one any time.
const COOKIE_SECONDS = 400 * 24 * 60 * 60;
const FORM_BYTES_MAX = 16 * 1024;
const FORM_MS_MAX = 10_000;

/** The credentials file that the center's operator hands over, or `shop.json` of `tuppence serve`. */
export function loadCredentials(path) {
  const credentials = JSON.parse(readFileSync(path, "utf8"));
  if (typeof credentials?.vendorId !== "object" || typeof credentials?.secrets?.secrets !== "object") {
    throw new Error(`${path} is no credentials file: it has vendorId and secrets.`);
  }
  return credentials;
}

/**
 * A handler for Express (`app.use(paywall(...))`), Connect, and `http.createServer` alike. For the paths that `slug`
 * names an article for, `request.tuppence` is `{paid, payUrl}` when `next` is called.
 */
export function paywall({ credentials, origin, storefront, wallet, slug, secure = true }) {
  const own = new URL(origin).origin;
  const shop = new URL(storefront).origin;
  const pays = new URL(wallet).origin;
  const keys = cookieKeys(credentials);
  const waits = limited((claim, article) => isPaid(shop, claim, credentials, article));

  return async function tuppence(request, response, next = () => {}) {
    try {
      const path = (request.originalUrl ?? request.url).split("?", 1)[0];
      const name = slug(path);
      if (name === undefined || name === null) return next();
      if (!/^[a-z0-9-]{1,100}$/.test(name)) throw new Error(`${name} is no slug of a storefront's article`);
      if (!isPlain(path)) return end(response, 404, "There is no article at this address.\n");
      const article = `${shop}/articles/${name}`;
      // A claim is good for one receipt, and a cookie goes to the paths below its own too.
      const claimCookie = `${CLAIM_COOKIE}_${name}`;
      // Whatever is answered here depends on who asks: no cache in between may mix it up.
      response.setHeader("Cache-Control", "private, no-store");
      addVary(response, ["Cookie", "Authorization"]);
      const open = (text) => verifyReceipt(decodeReceipt(text), credentials, article);

      if (request.method === "POST" && isForm(request)) {
        const receipt = await receiptOf(request);
        if (receipt === undefined) return next();
        open(receipt);
        response.setHeader("Set-Cookie", paidCookie(keys[0], article, path, secure));
        return end(response, 303, "", { Location: path });
      }
      const [scheme, token] = (request.headers.authorization ?? "").split(" ", 2);
      const sent = scheme.toLowerCase() === "tuppence" ? open(token) : undefined;
      let paid = sent !== undefined || hasCookie(request, keys, article);
      // The reader comes back from the wallet, which has left the receipt at the storefront under this browser's claim.
      let claim = claimOf(request, claimCookie, keys, article);
      if (!paid && claim !== undefined && (await waits(claim, article))) {
        paid = true;
        response.appendHeader("Set-Cookie", paidCookie(keys[0], article, path, secure));
      }
      if (!paid && claim === undefined) {
        claim = randomBytes(16).toString("base64url");
        response.appendHeader("Set-Cookie", cookie(claimCookie, sealedClaim(keys[0], claim, article), path, CLAIM_SECONDS, secure));
      }
      const asked = new URLSearchParams({ for: own, claim: claim ?? "", back: own + path });
      const payUrl = `${pays}/approve?shop=${encodeURIComponent(shop)}&article=${name}#${asked}`;
      request.tuppence = { paid, payUrl };
    } catch (error) {
      if (error instanceof Refused) return end(response, 403, `${error.message}\n`);
      if (error instanceof FormError) return end(response, error.status, `${error.message}\n`);
      return next(error);
    }
    return next();
  };
}

/** Whether a path can stand in a redirect and in a cookie: not another host's, and with no further attribute in it. */
function isPlain(path) {
  return /^\/(?![/\\])[^;\\]*$/.test(path);
}

class FormError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function isForm(request) {
  const type = (request.headers["content-type"] ?? "").split(";", 1)[0].trim().toLowerCase();
  return type === "application/x-www-form-urlencoded";
}

/** The form's receipt; a body parser before this one may have read it already. */
async function receiptOf(request) {
  if (request.body !== undefined && request.body !== null) return request.body.receipt;
  const timer = setTimeout(() => request.destroy(), FORM_MS_MAX);
  try {
    const chunks = [];
    let size = 0;
    for await (const chunk of request) {
      size += chunk.length;
      if (size > FORM_BYTES_MAX) throw new FormError(413, "The form is too large.");
      chunks.push(chunk);
    }
    const form = new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
    // Whoever comes after finds the form here, since the stream has been read.
    request.body = Object.fromEntries(form);
    return form.get("receipt") ?? undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** A key for cookies of each Vendor_Secret, the newest first: a rotation closes nobody's article. */
function cookieKeys(credentials) {
  const ring = Object.entries(credentials.secrets.secrets).sort(([a], [b]) => Number(b) - Number(a));
  if (ring.length === 0) throw new Error("The credentials have no secret.");
  const key = (secret) => hkdfSync("sha256", Buffer.from(secret, "base64url"), "", "tuppence/shop/cookie", 32);
  return ring.map(([, secret]) => Buffer.from(key(secret)));
}

function sealed(key, article) {
  return createHmac("sha256", key).update(article).digest();
}

/** A claim as its cookie has it: with its time and this server's seal, so that nobody else makes one. */
function sealedClaim(key, claim, article, since = Date.now()) {
  const seal = sealed(key, `claim ${article} ${claim} ${since}`).toString("base64url");
  return `${claim}.${since}.${seal}`;
}

/** The claim that this server has given this browser for the article, if it still holds. */
function claimOf(request, name, keys, article) {
  for (const value of cookies(request, name)) {
    const [, claim, since] = /^([\w-]{22})\.(\d{1,15})\.[\w-]{43}$/.exec(value) ?? [];
    if (claim === undefined || Date.now() - Number(since) > CLAIM_SECONDS * 1_000) continue;
    const made = keys.map((key) => Buffer.from(sealedClaim(key, claim, article, since)));
    if (made.some((own) => equal(own, Buffer.from(value)))) return claim;
  }
  return undefined;
}

/** `ask` with its answer shared for a moment by all who ask for the same claim; while too many are asked for, no. */
function limited(ask) {
  const asked = new Map();
  return async (claim, article) => {
    if (!asked.has(claim)) {
      if (asked.size >= CLAIMS_ASKED_MAX) return false;
      const answer = ask(claim, article);
      asked.set(claim, answer);
      answer.finally(() => setTimeout(() => asked.delete(claim), CLAIM_AGAIN_MS).unref());
    }
    return asked.get(claim);
  };
}

/** Whether the wallet has left a receipt for this article. A storefront that doesn't answer is asked again next time. */
async function isPaid(shop, claim, credentials, article) {
  try {
    const answer = await fetch(`${shop}/api/v1/claims/take`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ claim }),
      signal: AbortSignal.timeout(STOREFRONT_MS_MAX),
    });
    const { receipt } = answer.ok ? await answer.json() : {};
    return receipt !== undefined && verifyReceipt(receipt, credentials, article) !== undefined;
  } catch {
    return false;
  }
}

function paidCookie(key, article, path, secure) {
  return cookie(COOKIE, sealed(key, article).toString("base64url"), path, COOKIE_SECONDS, secure);
}

function cookie(name, value, path, seconds, secure) {
  const parts = [`${name}=${value}`, `Path=${path}`, `Max-Age=${seconds}`, "HttpOnly", "SameSite=Lax"];
  if (secure) parts.push("Secure");
  return parts.join("; ");
}

function cookies(request, wanted) {
  const pairs = (request.headers.cookie ?? "").split(";").map((pair) => pair.trim().split("="));
  return pairs.filter(([name, value]) => name === wanted && value !== undefined).map(([, value]) => value);
}

function hasCookie(request, keys, article) {
  return cookies(request, COOKIE).some((value) => {
    const given = Buffer.from(value, "base64url");
    return keys.some((key) => equal(sealed(key, article), given));
  });
}

function equal(own, given) {
  return own.length === given.length && timingSafeEqual(own, given);
}

function addVary(response, names) {
  const before = response.getHeader("Vary");
  response.setHeader("Vary", [before, ...names].filter(Boolean).join(", "));
}

function end(response, status, body, headers = {}) {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", ...headers });
  response.end(body);
}
