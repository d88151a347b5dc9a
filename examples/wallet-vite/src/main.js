// Another interface for the wallet, built by Vite.
import { Wallet } from "@tuppence/wallet";

const status = document.querySelector("#status");
const list = document.querySelector("#articles");

async function show(wallet) {
  const { amount } = await wallet.balance();
  status.textContent = `Your balance is ${amount}.`;
  const shops = (await wallet.shops()).filter((shop) => shop.accepted);
  const articles = (await Promise.all(shops.map((shop) => wallet.articles(shop.shop.origin)))).flat();
  list.replaceChildren(...articles.filter((article) => article.price !== "USD:0").map((article) => item(wallet, article)));
}

function item(wallet, article) {
  const button = document.createElement("button");
  button.textContent = article.owned ? "Read" : `Pay ${article.price}`;
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const { text } = await wallet.payUrl(article.url, { max: article.price });
      // The shop's HTML stays in a frame that may do nothing.
      const frame = document.createElement("iframe");
      frame.sandbox = "";
      frame.srcdoc = text.html;
      button.replaceWith(frame);
      const { amount } = await wallet.balance();
      status.textContent = `Your balance is ${amount}.`;
    } catch (error) {
      status.textContent = `${error.message} ${error.hint ?? ""}`;
      button.disabled = false;
    }
  });
  const entry = document.createElement("li");
  entry.append(article.title, " ", button);
  return entry;
}

try {
  const wallet = await Wallet.open();
  if (!(await wallet.status()).registered) await wallet.register();
  await wallet.resume();
  await show(wallet);
} catch (error) {
  status.textContent = `${error.message} ${error.hint ?? ""}`;
}
