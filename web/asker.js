// The page of another site that led the reader here: src/asker.rs says what these do.
const PLACE = 'tuppence.asker';
let known;

function take() {
  const asked = new URLSearchParams(location.hash.slice(1));
  if (!asked.has('claim')) return;
  // What follows of this visit has the address without it.
  history.replaceState(history.state, '', location.pathname + location.search);
  try {
    known = checked(asked);
    sessionStorage.setItem(PLACE, JSON.stringify(known));
  } catch {}
}

function checked(asked) {
  const origin = asked.get('for');
  const claim = asked.get('claim');
  const back = asked.get('back');
  const answers = JSON.parse(asked.get('answers') || '[]').map(String);
  if (!/^https?:/.test(origin) || new URL(origin).origin !== origin) return undefined;
  if (!/^[\w-]{22}$/.test(claim) || (back && new URL(back).origin !== origin)) return undefined;
  const here = new URLSearchParams(location.search);
  const subject = `${here.get('shop')} ${here.get('article') || here.get('item')}`;
  return { subject, origin, claim, back, answers, budgets: asked.get('budgets') };
}

function asker(shop, item) {
  try {
    known = known || JSON.parse(sessionStorage.getItem(PLACE)) || undefined;
  } catch {}
  return known && known.subject === `${shop} ${item}` ? known : undefined;
}

take();
addEventListener('hashchange', take);

export function origin(shop, item) {
  const page = asker(shop, item);
  return page && page.origin;
}

export function answer(shop, item, number) {
  const page = asker(shop, item);
  return page && page.answers[number];
}

export function keepsBudgets(shop, item) {
  return Boolean(asker(shop, item)?.budgets);
}

export function readsByPart(shop, item) {
  return asker(shop, item)?.budgets === 'part';
}

export function tell(shop, item, event, bought) {
  const page = asker(shop, item);
  if (page && opener) opener.postMessage({ type: 'tuppence', claim: page.claim, event, ...bought }, page.origin);
}

export async function hand(shop, item, name, json) {
  const bought = { [name]: JSON.parse(json) };
  tell(shop, item, 'paid', bought);
  const body = JSON.stringify({ claim: asker(shop, item).claim, ...bought });
  try {
    await fetch(`${shop}/api/v1/claims`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
  } catch {}
}

export function leave(shop, item) {
  const { back } = asker(shop, item);
  if (back) location.replace(back);
  else close();
}
