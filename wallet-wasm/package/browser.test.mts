// Compiled, not run: the types as a bundler's program uses them (`cargo xtask package --check`).
import { type ArticleCard, Wallet } from "@tuppence/wallet";

const wallet: Wallet = await Wallet.open();
const { amount, pending } = await wallet.balance();
const articles: ArticleCard[] = await wallet.articles("http://localhost:8081");
document.title = `${amount} ${pending.length} ${articles[0]?.price ?? ""}`;

// @ts-expect-error: a browser has a database of its own, and no folders.
const { fileStorage } = await import("@tuppence/wallet");
