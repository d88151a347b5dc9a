// Compiled, not run: the types as a program under Node.js uses them (`cargo xtask package --check`).
import { type Bought, Wallet, type WalletStorage, fileStorage, memoryStorage } from "@tuppence/wallet";

const places: WalletStorage[] = [fileStorage("wallet"), memoryStorage()];
for (const storage of places) {
  const wallet: Wallet = await Wallet.open({ center: "http://localhost:8080", storage });
  await wallet.register(({ step }) => step satisfies string);
  const bought: Bought = await wallet.payUrl("http://localhost:8081/articles/bread", { max: "USD:0.05" });
  const title: string = bought.article?.title ?? bought.text.title;
  const end: () => void = wallet.on("entry", ({ entry }) => entry.number.toFixed() + title);
  end();
  // @ts-expect-error: the most to pay must be named.
  await wallet.payUrl("http://localhost:8081/articles/bread");
}
