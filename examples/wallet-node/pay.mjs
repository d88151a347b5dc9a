// Pays an article by its address, and prints it: node pay.mjs URL [MAX]
//
// The wallet lies in ./wallet, or where TUPPENCE_WALLET says; the payment center is http://localhost:8080, or where
// TUPPENCE_CENTER says. Killed at any point, the next start finishes what was under way, and pays once.
import { Wallet, fileStorage } from "@tuppence/wallet";

const [url, max = "USD:0.05"] = process.argv.slice(2);
const { TUPPENCE_CENTER: center = "http://localhost:8080", TUPPENCE_WALLET: folder = "wallet" } = process.env;
if (!url) {
  console.error("Usage: node pay.mjs URL [MAX]");
  process.exit(2);
}

try {
  const wallet = await Wallet.open({ center, storage: fileStorage(folder) });
  await wallet.register(({ step }) => console.error(step));
  for (const open of await wallet.resume()) console.error("still open:", open.kind, open.problem?.message ?? "");

  const { charged, article, text } = await wallet.payUrl(url, { max });
  const { amount } = await wallet.balance();
  console.error(charged ? `Paid ${article.receipt.amount}.` : "Nothing was charged.", `The balance is ${amount}.`);
  console.log(text.html);
} catch (error) {
  if (error.name !== "WalletError") throw error;
  const money = { untouched: "Nothing was charged.", open: "It is under way, and never charged twice.", moved: "It is paid." };
  console.error(money[error.money], error.message, error.hint);
  process.exitCode = { untouched: 1, open: 5, moved: 6 }[error.money];
}
