// The wallet without pages: what it costs by itself.
import { Wallet } from "./wallet/browser.js";

window.openWallet = async () => {
  window.wallet = await Wallet.open();
  await window.wallet.register();
  await window.wallet.resume();
};
