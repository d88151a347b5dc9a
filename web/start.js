// Starts the wallet. Trunk would write this inline with the hashed names, which the content security policy
// forbids; so it reads the names from the preload links that Trunk puts in the head.

// The reader's own choice of light or dark holds before the wallet has loaded. Without storage there is none.
try {
  const theme = localStorage.getItem('tuppence.theme');
  if (theme) document.documentElement.dataset.theme = theme;
} catch {}

// What few visits need is a module of its own, fetched the first time that the wallet asks for it. Browsers remember a
// failed import under its address, so each further try has another one.
let kit;
let tries = 0;
globalThis.tuppenceKit = () => {
  kit ??= loadKit().catch((error) => {
    kit = undefined;
    throw error;
  });
  return kit;
};

async function loadKit() {
  tries += 1;
  const module = await import(tries === 1 ? './tuppence-kit.js' : `./tuppence-kit.js?${tries}`);
  await module.default();
  return module;
}

// A page that is left is kept as it is, for going back. In WebKit its open transactions then hold up every later page of
// the wallet: they are taken back, what they were part of goes on in the next page, and this one would start anew.
const database = globalThis.IDBDatabase?.prototype;
const begin = database?.transaction;
if (begin) {
  const open = new Set();
  database.transaction = function (...wanted) {
    const transaction = begin.apply(this, wanted);
    open.add(transaction);
    for (const end of ['complete', 'abort']) transaction.addEventListener(end, () => open.delete(transaction));
    return transaction;
  };
  addEventListener('pagehide', () => {
    database.transaction = () => {
      throw new DOMException('The page was left.', 'AbortError');
    };
    for (const transaction of open) {
      try {
        transaction.abort();
      } catch {}
      transaction.db.close();
    }
  });
  addEventListener('pageshow', (event) => event.persisted && location.reload());
}

const code = document.querySelector('head > link[rel="modulepreload"]').href;
const binary = document.querySelector('head > link[rel="preload"][as="fetch"][type="application/wasm"]').href;
try {
  const wallet = await import(code);
  await wallet.default({ module_or_path: binary });
} catch (error) {
  // After the wallet's own start the words are gone, and it speaks for itself.
  const words = document.getElementById('boot-words');
  if (words) {
    words.textContent =
      'The wallet could not be loaded. Your e-cash is where it was. Check the connection and reload the page; ' +
      'an old browser may need an update.';
  }
  throw error;
}
