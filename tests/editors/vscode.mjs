// A user's hand in a real VS Code: acts come as JSON lines on standard input, answers go out so.
//   node vscode.mjs PLAYWRIGHT CHROMIUM
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [, , playwright, executablePath] = process.argv;
const { chromium } = (await import(pathToFileURL(playwright).href)).default;
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
let page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
page.setDefaultTimeout(120_000); // the machine may be busy
/** Every notification that was shown: they go by themselves, on a busy machine before a look. */
await page.addInitScript(() => {
  window.notified = [];
  const note = () => {
    for (const one of document.querySelectorAll(".notification-toast .notification-list-item")) {
      if (one.innerText && !window.notified.includes(one.innerText)) window.notified.push(one.innerText);
    }
  };
  addEventListener("DOMContentLoaded", () => {
    const what = { childList: true, subtree: true, characterData: true };
    new MutationObserver(note).observe(document.body, what);
  });
});
const noise = [];
page.on("pageerror", (error) => noise.push(error.message));

const input = page.locator(".quick-input-widget:visible input.input"); // VS Code's palette

/** Opens the palette by a key; from a panel, keys may not come through, so a tab is clicked first. */
async function palette(key) {
  for (let tries = 0; tries < 4; tries++) {
    if (await page.evaluate(() => document.activeElement?.tagName === "IFRAME")) {
      await page.locator(".tab").first().click();
    }
    await page.keyboard.press("Escape"); // whatever menu is open
    await page.keyboard.press(key);
    try {
      return await input.waitFor({ timeout: 5_000 });
    } catch {
      // Pressed again: something else had the keyboard.
    }
  }
  throw new Error(`no palette on ${key}`);
}

const soon = { timeout: 20_000 };

/** Does it anew when something else took the keyboard or closed the palette. */
async function patiently(act) {
  for (let tries = 0; ; tries++) {
    try {
      return await act();
    } catch (error) {
      if (tries === 5) throw error;
      await page.keyboard.press("Escape");
    }
  }
}

/** Types into the palette and takes the row that has the text. */
async function pick(key, typed, text) {
  await palette(key);
  await input.fill(typed, soon);
  const row = page.locator(".quick-input-list .monaco-list-row").filter({ hasText: text }).first();
  await row.waitFor(soon);
  await row.click(soon);
}

async function openFile(name, line, column) {
  await palette("Control+p");
  await input.fill(name, soon);
  const row = page.locator(".quick-input-list .monaco-list-row").filter({ hasText: name });
  await row.first().waitFor(soon);
  await input.fill(`${name}:${line}:${column}`, soon);
  await row.first().waitFor(soon);
  await page.keyboard.press("Enter");
  await page.locator(".tab.active").filter({ hasText: name }).first().waitFor(soon);
}

const acts = {
  async open({ url }) {
    await page.goto(url);
    await page.locator(".monaco-workbench .statusbar").waitFor({ timeout: 60_000 });
    await page.locator(".monaco-workbench .part.editor").waitFor();
  },
  /** Opens an address that runs tests in the extension host; gives what they said, and their end. */
  async mocha({ url }) {
    const lines = [];
    const told = (line) => {
      lines.push(line);
      console.error(line);
    };
    const ended = new Promise((resolve) => {
      void page.exposeFunction("codeAutomationExit", (code) => resolve({ code, lines }));
    });
    await page.exposeFunction("codeAutomationLog", (_type, args) => told(args.map(String).join(" ")));
    await page.goto(url);
    const late = new Promise((resolve) => setTimeout(() => resolve({ code: null, lines }), 400_000));
    return await Promise.race([ended, late]);
  },
  async command({ title }) {
    const literal = title.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    await patiently(() => pick("F1", `>${title}`, new RegExp(`${literal}(?! \\()`))); // not "… (Choose…)" too
  },
  async file({ path, line, column }) {
    const name = path.split("/").at(-1);
    await patiently(() => openFile(name, line, column));
    await page.locator(".editor-instance .view-lines").first().waitFor();
  },
  /** Types at the cursor. */
  async type({ text }) {
    await page.keyboard.type(text, { delay: 30 });
  },
  /** Opens the light bulb's menu; gives what it offers. */
  async lightbulb() {
    const bulb = page.locator(":is(.codicon-gutter-lightbulb, .lightBulbWidget):visible").first();
    for (let tries = 0; tries < 6; tries++) {
      await page.keyboard.press(tries % 2 ? "ArrowLeft" : "ArrowRight"); // it comes when the cursor moves
      const seen = bulb.waitFor({ timeout: 8_000 }).then(
        () => true,
        () => false,
      );
      if (await seen) break;
    }
    await bulb.click();
    const rows = page.locator(".action-widget .monaco-list-row.action");
    await rows.first().waitFor();
    return await rows.allInnerTexts();
  },
  async take({ title }) {
    const rows = page.locator(".action-widget .monaco-list-row.action");
    await rows.getByText(title, { exact: true }).first().click();
  },
  /** The text of the status bar item. */
  async status() {
    const item = page.locator(".statusbar-item[id^='personalizer']");
    return (await item.count()) > 0 ? await item.first().innerText() : "";
  },
  /** The text of the editor at hand, as far as it is on the screen. */
  async text() {
    const lines = await page.locator(".editor-group-container.active .view-lines").first().innerText();
    return lines.replaceAll("\u00a0", " ");
  },
  /** The text of the editor beside that one. */
  async beside() {
    const other = page.locator(".editor-group-container:not(.active) .view-lines");
    const lines = (await other.count()) > 0 ? await other.first().innerText() : "";
    return lines.replaceAll("\u00a0", " ");
  },
  async tab() {
    return await page.locator(".tab.active").first().innerText();
  },
  /** What stands in the panel with the status view. */
  async view() {
    for (const frame of page.frames()) {
      const main = frame.locator("main:has(#freshness)");
      if ((await main.count().catch(() => 0)) > 0) return await main.innerText();
    }
    return "";
  },
  /** Presses a button of the status view. */
  async press({ name }) {
    for (const frame of page.frames()) {
      const button = frame.getByRole("button", { name }).first();
      if ((await button.count().catch(() => 0)) > 0) return await button.click();
    }
    throw new Error(`no button ${name}`);
  },
  /** What the list under a title offers. */
  async rows({ title }) {
    const titles = page.locator(".quick-input-widget:visible .quick-input-title");
    await titles.filter({ hasText: title }).waitFor({ timeout: 60_000 });
    const rows = page.locator(".quick-input-list .monaco-list-row");
    await rows.first().waitFor({ timeout: 60_000 }); // a program may be asked first
    return await rows.allInnerTexts();
  },
  async choose({ text }) {
    const rows = page.locator(".quick-input-list .monaco-list-row");
    await rows.filter({ hasText: text }).first().click();
  },
  /** Presses a button of a notification or of a dialog that asks. */
  async answer({ name }) {
    const asking = page.locator(".notification-toast, .notifications-center, .monaco-dialog-box");
    const button = asking.getByRole("button", { name }).first();
    try {
      await button.waitFor({ timeout: 10_000 });
    } catch {
      await patiently(() => pick("F1", ">Notifications: Show Notifications", "Show Notifications")); // it has gone by itself
    }
    await button.click();
  },
  /** Forgets the notifications so far, as a user does who has read them. */
  async read() {
    await page.evaluate(() => {
      window.notified = [];
    });
  },
  /** Which log the output panel shows; the log's own lines need a native module that is not here. */
  async output() {
    const shown = page.locator(".part.panel select option:checked");
    return (await shown.count()) > 0 ? await shown.first().innerText() : "";
  },
  /** What notifications have told since they were read. */
  async told() {
    return await page.evaluate(() => window.notified.join("\n"));
  },
  async screenshot({ path }) {
    await page.screenshot({ path });
  },
  /** Opens a page of its own in the browser; what goes wrong in it is noise. */
  async browse({ url, width, scheme }) {
    const context = await browser.newContext({
      viewport: { width, height: 900 },
      colorScheme: scheme,
      bypassCSP: true, // for axe alone; what the page itself does is told as an error before
    });
    page = await context.newPage();
    page.on("pageerror", (error) => noise.push(error.message));
    page.on("console", (message) => message.type() === "error" && noise.push(message.text()));
    await page.goto(url);
    await page.locator("main").waitFor();
  },
  /** How far the page is wider than the window, in pixels. */
  async overflow() {
    return await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  },
  /** What axe finds against WCAG 2.1 AA. */
  async violations({ axe }) {
    await page.addScriptTag({ path: axe });
    return await page.evaluate(async () => {
      const found = await axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] });
      return found.violations.map((one) => `${one.id}: ${one.nodes.map((n) => n.html)}`);
    });
  },
  /** The names of the controls that the keyboard reaches, in order. */
  async tabbed() {
    const names = [];
    for (let n = 0; n < 100; n++) {
      await page.keyboard.press("Tab");
      const name = await page.evaluate(() => {
        const at = document.activeElement;
        return at === document.body ? null : at.getAttribute("aria-label") || at.textContent.trim();
      });
      if (name === null || names.includes(name)) return names;
      names.push(name);
    }
    return names;
  },
  async noise() {
    return noise;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { act, ...rest } = JSON.parse(line);
  let answer;
  try {
    answer = { value: (await acts[act](rest)) ?? null };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
